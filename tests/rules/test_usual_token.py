"""What is known again in one pass is never more than what the single checks let in, and means the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrada.errors import TokenRefused
from entrada.provider.tokens.access_checks import AccessClaims, ExpectedAccess, check
from entrada.provider.tokens.usual_token import usual_token

NOW, LEEWAY, YEAR_9999 = 1_800_000_000, 60, 253_402_300_799
TENANT, OTHER = "9c1b9a9e-0000-4000-8000-000000000002", "9c1b9a9e-0000-4000-8000-00000000000f"
API, CALLER = "9c1b9a9e-0000-4000-8000-000000000003", "9c1b9a9e-0000-4000-8000-000000000004"
PERSON = "9c1b9a9e-0000-4000-8000-000000000005"
ISSUERS = {1: f"https://sts.windows.net/{TENANT}/", 2: f"https://login.microsoftonline.com/{TENANT}/v2.0"}
USUAL: dict[str, Any] = {
    "iss": ISSUERS[2],
    "tid": TENANT,
    "ver": "2.0",
    "aud": API,
    "sub": "s" * 43,
    "oid": PERSON,
    "azp": CALLER,
    "scp": "Orders.Read Orders.Write",
    "exp": NOW + 3600,
    "iat": NOW,
    "nbf": NOW,
    "name": "Ada",
    "roles": ["Reader"],
}
ABSENT = object()
ODD: list[Any] = [
    *(ABSENT, None, True, False, 0, -1, 1, 1.5, float(NOW), "", " ", "a", "app", "user", "ä", "a\x00b", "1.0", "2.0"),
    *([], {}, [API], [API, API], [CALLER], ["a"], [1], {"a": 1}, API, CALLER, TENANT, OTHER, PERSON, PERSON.upper()),
    *(f"{TENANT}\n", f"api://{API}", f"{API}/", ISSUERS[1], ISSUERS[2] + "/", "s" * 255, "s" * 256, "w " * 4097, "  "),
    *(NOW - LEEWAY - 1, NOW - LEEWAY, NOW - LEEWAY + 1, NOW + LEEWAY, NOW + LEEWAY + 1, YEAR_9999, YEAR_9999 + 1),
    *(2**63, 10**400, str(NOW), "-1", float("1e300")),
]
CLAIMS = [*USUAL, "appid", "client_id", "scope", "idtyp", "nonce", "at_hash", "c_hash", "events", "cnf", "auth_time"]
CLAIMS += ["acct", "idp", "acr", "tfp", "unknown"]


def expecting(**changes: Any) -> ExpectedAccess:
    common = {"issuer": ISSUERS[2], "audience": API, "now": NOW, "leeway": LEEWAY, "tenant_id": TENANT, "version": 2}
    return ExpectedAccess(**(common | {"other_issuer": ISSUERS[1]} | changes))


EXPECTING = {
    "plain": expecting(),
    "one client": expecting(clients=frozenset({CALLER})),
    "another client": expecting(clients=frozenset({OTHER})),
    "a key of the tenant's": expecting(key_issuer="https://login.microsoftonline.com/{tenantid}/v2.0"),
    "a key of version 1": expecting(key_issuer=ISSUERS[1]),
    "another tenant's key": expecting(key_issuer=f"https://sts.windows.net/{OTHER}/"),
    "version 1": expecting(issuer=ISSUERS[1], other_issuer=ISSUERS[2], version=1, identifiers=frozenset({"api://us"})),
    "a provider without tenants": expecting(tenant_id=None, version=None),
    "a user flow": expecting(policy="B2C_1_in"),
    "at the beginning of time": expecting(now=0),
    "at the end of time": expecting(now=YEAR_9999),
}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (USUAL | changes).items() if value is not ABSENT}


def judged(claims: dict[str, Any], expected: ExpectedAccess) -> AccessClaims | None:
    try:
        return check(claims, expected)
    except TokenRefused:
        return None


def held(claims: dict[str, Any], expected: ExpectedAccess) -> None:
    known = usual_token(expected)(claims)
    assert known is None or known == judged(claims, expected)


@pytest.mark.parametrize("expected", EXPECTING.values(), ids=EXPECTING)
def test_one_odd_claim(expected):
    """SEC-037 to SEC-040, SEC-050 to SEC-057: with any one claim odd, it lets nothing in that the checks refuse."""
    for name in CLAIMS:
        for value in ODD:
            held(changed({name: value}), expected)


@settings(max_examples=400, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from(CLAIMS), st.sampled_from(ODD) | st.text(max_size=8) | st.integers(), max_size=5
    ),
    expected=st.sampled_from([*EXPECTING]),
)
def test_several_odd_claims(changes, expected):
    """SEC-037 to SEC-040, SEC-050 to SEC-057: nor with several of them."""
    held(changed(changes), EXPECTING[expected])


@pytest.mark.parametrize("kind", ["plain", "one client", "a key of the tenant's", "a key of version 1"])
def test_the_usual_token_is_known_again(kind):
    """API-1: the token that Entra gives for a person is known in one pass, and says what the checks make of it."""
    known = usual_token(EXPECTING[kind])(USUAL)
    assert known == check(USUAL, EXPECTING[kind])
    assert known is not None
    assert (known.client_id, known.scopes, known.for_application) == (CALLER, {"Orders.Read", "Orders.Write"}, False)


def test_sec_066_not_by_another_tenants_key():
    """SEC-066: a key that is bound to another issuer makes no token usual."""
    assert usual_token(EXPECTING["another tenant's key"])(USUAL) is None


@pytest.mark.parametrize("name", ["nonce", "at_hash", "c_hash", "events", "cnf", "idtyp", "auth_time"])
def test_sec_052_what_is_unusual_goes_through_the_checks(name):
    """SEC-052, SEC-054, SEC-057: a token with marks of another kind is for the single checks to judge."""
    assert usual_token(EXPECTING["plain"])(USUAL | {name: "x"}) is None
