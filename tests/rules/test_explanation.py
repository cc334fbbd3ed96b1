"""What `entrada explain` says of a token is what the application's own verifier says, and there is a mend for each."""

from typing import Any

import pytest

from entrada.cli.explanation import explain
from entrada.cli.findings import UNTOLD
from entrada.cli.mends import MENDS
from entrada.errors import TokenRefused
from entrada.provider.tokens import access_checks, validate
from entrada.web.building.ways_out import WaysOut, lay_ways_out
from tests.access_authority import CALLER, BothVersions, api_claims, app_claims, old_claims, signed
from tests.authority_app import ABSENT, HOST, NONCE, START, TENANT, Clock, claims, settings
from tests.internet import Internet

SETTINGS = settings(api_clients=(CALLER,))
OTHER = "22222222-2222-4333-8444-555555555555"
ROWS: list[dict[str, Any]] = [
    {},
    {"iss": "https://evil.example"},
    {"ver": "3.0"},
    {"aud": "another"},
    {"aud": ABSENT},
    {"sub": ""},
    {"sub": ABSENT},
    {"tid": OTHER},
    {"oid": "none"},
    {"exp": "soon"},
    {"exp": ABSENT},
    {"exp": int(START.timestamp()) - 3600},
    {"iat": int(START.timestamp()) + 3600},
    {"nonce": "n"},
    {"cnf": {"kid": "k"}},
    {"azp": "stranger"},
    {"azp": ABSENT},
    {"scp": ABSENT},
    {"scp": "\x1b[2J red"},
]


def ways() -> WaysOut:
    """Return the ways out to an authority of both versions."""
    transport = Internet({HOST: BothVersions()})
    return lay_ways_out(SETTINGS, transport=transport, client_assertion=None, clock=Clock())


async def verdict(token: str) -> str:
    """Return the check that refuses the token in the application itself; empty when none does."""
    outside = ways()
    try:
        await outside.access_tokens.verify(token)
    except TokenRefused as refused:
        return str(refused).partition(":")[0]
    finally:
        await outside.egress.aclose()
    return ""


@pytest.mark.parametrize("made", [api_claims, old_claims, app_claims])
@pytest.mark.parametrize("changes", ROWS, ids=str)
async def test_the_table_agrees_with_the_verifier(made: Any, changes: dict[str, Any]) -> None:
    """The first check that fails in the table is the one that refuses in the application (SEC-050, SEC-051)."""
    given = {"appid" if name == "azp" and made is old_claims else name: value for name, value in changes.items()}
    token = signed(made(**given))
    outside = ways()
    found = await explain(token, SETTINGS, outside, kind="access", now=START)
    await outside.egress.aclose()
    failing = [each.check for each in found.findings if each.result == "fails"]
    assert (failing[0] if failing else "") == await verdict(token)
    assert found.verdict == ("refused" if failing else "accepted")
    assert all(each.reason.isprintable() for each in found.findings)


@pytest.mark.parametrize("changes", [row for row in ROWS if not row.keys() & {"ver", "nonce", "cnf", "scp"}], ids=str)
async def test_the_table_agrees_about_id_tokens(changes: dict[str, Any]) -> None:
    """The same of ID tokens; what only the sign-in knows is unknown, and never a reason to refuse (SEC-038)."""
    token = signed(claims(**changes))
    outside = ways()
    found = await explain(token, SETTINGS, outside, kind="id", now=START)
    try:
        await outside.id_tokens.verify(token, nonce=NONCE)
        refused = ""
    except TokenRefused as refusal:
        refused = str(refusal).partition(":")[0]
    await outside.egress.aclose()
    failing = [each.check for each in found.findings if each.result == "fails"]
    assert (failing[0] if failing else "") == refused
    unknown = {each.check for each in found.findings if each.result == "unknown"}
    assert unknown >= UNTOLD.keys()


@pytest.mark.parametrize(
    ("tid", "check"), [(TENANT, ""), (OTHER, "issuer_is_expected"), (ABSENT, "issuer_is_expected")]
)
async def test_of_many_tenants_the_token_names_its_own(tid: object, check: str) -> None:
    """Issuer and tenant are held against each other, and the tenant against the settings."""
    app = BothVersions()
    app.metadata["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0"
    many = settings(tenant_id="organizations", tenants=(TENANT,))
    transport = Internet({HOST: app})
    outside = lay_ways_out(many, transport=transport, client_assertion=None, clock=Clock())
    found = await explain(signed(api_claims(tid=tid)), many, outside, kind="access", now=START)
    elsewhere = settings(tenant_id="organizations", tenants=(OTHER,))
    refused = await explain(signed(api_claims()), elsewhere, outside, kind="access", now=START)
    await outside.egress.aclose()
    failing = [each.check for each in found.findings if each.result == "fails"]
    assert (failing[0] if failing else "") == check
    assert [each.check for each in refused.findings if each.result == "fails"] == ["tenant_is_admitted"]


async def test_offline_nothing_is_asked_and_nothing_is_accepted() -> None:
    """Whatever the token says, the verdict is not better than unknown."""
    found = await explain(signed(api_claims(), signer="two"), SETTINGS, None, kind=None, now=START)
    assert (found.kind, found.verdict) == ("access", "not verified")
    assert {each.check for each in found.findings if each.result == "unknown"} >= {"key", "signature"}


def test_every_check_has_a_mend() -> None:
    """A check that is added to the gauntlet gets a sentence on what to do, or a reason why it cannot be judged."""
    names = {check.__name__ for check in (*access_checks.GAUNTLET, *validate.GAUNTLET)}
    assert names <= MENDS.keys() | UNTOLD.keys()
