"""What each named check says of a token, all of them and not only the first that fails; nothing is decided here.

This is the one place that reads claims which nobody has verified: to show them to whoever holds the token. It is above
everything that lets people in, so none of that can use it (SEC-048; docs/decisions/0177).
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from entrada.cli.mends import MENDS, found, wanted
from entrada.errors import TokenRefused
from entrada.provider.strict_json import NotStrict, json_object
from entrada.provider.tokens import access_checks, validate
from entrada.provider.tokens.access_checks import ExpectedAccess
from entrada.provider.tokens.jws import Jws
from entrada.provider.tokens.validate import Expected

Kind = Literal["access", "id"]
OF_ACCESS_TOKENS = frozenset({"scp", "scope", "appid", "idtyp", "azpacr", "appidacr"})
OF_ID_TOKENS = frozenset({"nonce", "at_hash", "c_hash"})
UNTOLD: Mapping[str, str] = {
    "nonce_is_ours": "only the sign-in knows its nonce",
    "access_token_is_its_own": "needs the access token that came with it",
    "signed_in_lately": "only the sign-in knows what was asked for",
}
E = TypeVar("E", bound=Expected)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says."""

    check: str
    result: Literal["passes", "warns", "fails", "unknown"]
    reason: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a token is held against, and the checks that cannot be judged, each with its reason."""

    expected: ExpectedAccess | Expected
    untold: Mapping[str, str] = field(default_factory=dict)


def claims_of(token: Jws) -> dict[str, Any]:
    """Return the claims of a token whose form is right, unverified, to be shown; TokenRefused when they are none."""
    payload = token.signing_input.rpartition(b".")[2]
    try:
        return json_object(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except NotStrict as fault:
        raise TokenRefused(f"form: the payload is {fault}") from None


def kind_of(token: Jws, claims: Mapping[str, Any]) -> Kind:
    """Guess which kind of token it is, by what only one kind has."""
    if token.header.type.upper() in access_checks.ACCESS_TYPES or OF_ACCESS_TOKENS & claims.keys():
        return "access"
    if OF_ID_TOKENS & claims.keys() or not {"azp", "client_id"} & claims.keys():
        return "id"
    return "access"


def found_by(name: str, check: Callable[[], object]) -> Finding:
    """Return what one check says that is not of the gauntlet."""
    try:
        check()
    except TokenRefused as refused:
        return refusal(refused, name)
    return Finding(name, "passes")


def refusal(refused: TokenRefused, name: str = "") -> Finding:
    """Return the finding that a refusal is: its detail begins with the check's name."""
    told, _, reason = str(refused).partition(": ")
    check = name or told
    return Finding(check, "fails", reason or told, MENDS.get(check, ""))


def through_the_gauntlet(claims: Mapping[str, Any], held: Held) -> Iterator[Finding]:
    """Give what each check of the gauntlet says, in its order."""
    if isinstance(held.expected, ExpectedAccess):
        for access_check in access_checks.GAUNTLET:
            yield _judged(access_check, claims, held.expected, held.untold)
        return
    for check in validate.GAUNTLET:
        yield _judged(check, claims, held.expected, {**UNTOLD, **held.untold})


def _judged(
    check: Callable[[Mapping[str, Any], E], None], claims: Mapping[str, Any], expected: E, untold: Mapping[str, str]
) -> Finding:
    name = check.__name__
    if name in untold:
        return Finding(name, "unknown", untold[name])
    try:
        check(claims, expected)
    except TokenRefused as refused:
        return _in_detail(refusal(refused, name), claims, expected)
    except (LookupError, TypeError):  # it builds on a check that failed
        return Finding(name, "unknown", "cannot be judged before the claims above are right")
    return Finding(name, "passes")


def _in_detail(finding: Finding, claims: Mapping[str, Any], expected: Expected) -> Finding:
    """Add what the token has, and what was expected instead."""
    given, asked = found(finding.check, claims), wanted(finding.check, expected)
    detail = "; ".join(each for each in (finding.reason, given, asked and f"wanted: {asked}") if each)
    return Finding(finding.check, finding.result, detail, finding.mend)
