"""One command says which check a token fails and what mends it, and what an error code means (BEY-7)."""

import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import ServedEntra

from tests.command import run

SCOPE = f"api://{seeds.API}/access_as_user"
LEDGER = f"{seeds.LEDGER_URI}/Ledger.Read"
Environment = dict[str, str]


@pytest.fixture
def api(served_entra: ServedEntra) -> Environment:
    """The settings of the orders API at the served tenant."""
    return {
        "AZURE_TENANT_ID": seeds.BIRCH.id,
        "AZURE_CLIENT_ID": seeds.API,
        "ENTRADA_AUTHORITY": served_entra.authority,
        "ENTRADA_CA_FILE": served_entra.ca_file,
    }


def tokens(served: ServedEntra, scope: str = SCOPE) -> dict[str, str]:
    """Return what the command-line client is given for Mia."""
    asked = ("openid", "profile", scope)
    form = {
        "grant_type": "authorization_code",
        "client_id": seeds.PUBLIC_CLIENT,
        "code": served.entra.code(client_id=seeds.PUBLIC_CLIENT, scopes=asked),
        "redirect_uri": "http://localhost",
        "scope": " ".join(asked),
    }
    trusting = ssl.create_default_context(cafile=served.ca_file)
    with httpx2.Client(verify=trusting, trust_env=False) as client:
        answer = client.post(f"{served.authority}/oauth2/v2.0/token", data=form)
    return answer.raise_for_status().json()


async def explained(cwd: Path, token: str, *arguments: str, code: int, **environment: str) -> dict[str, Any]:
    """Return the JSON of `entrada explain`, the token given on stdin."""
    done = await run("explain", "-", "--json", *arguments, cwd=cwd, given=token, **environment)
    assert done.code == code, done.said
    return json.loads(done.out)


def failing(found: dict[str, Any]) -> list[str]:
    """Return the checks that fail; each says what mends it."""
    bad = [each for each in found["checks"] if each["result"] == "fails"]
    assert all(each["reason"] and each["mend"] for each in bad)
    return [each["check"] for each in bad]


async def test_a_good_token_is_accepted_in_a_readable_table(
    served_entra: ServedEntra, api: Environment, tmp_path: Path
) -> None:
    """From the file that `entrada token` writes: what it is, each check, a sentence; never the token."""
    token = tokens(served_entra)["access_token"]
    (tmp_path / "authorization").write_text(f"Authorization: Bearer {token}\n")
    done = await run("explain", "--file", "authorization", cwd=tmp_path, **api)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("access token\n")
    for line in ('scp        "access_as_user"', "passes   signature", "passes   one_kind_of_caller", "Accepted: "):
        assert line in done.out
    assert token not in done.out


async def test_without_settings_form_and_times_are_judged(served_entra: ServedEntra, tmp_path: Path) -> None:
    """Nobody is asked; what only the authority knows is said to be unknown, not right (SEC-048)."""
    token = tokens(served_entra)["access_token"]
    found = await explained(tmp_path, token, "--offline", code=0)
    assert (found["kind"], found["verdict"], failing(found)) == ("access", "not verified", [])
    results = {each["check"]: each["result"] for each in found["checks"]}
    assert results["not_expired"] == "passes"
    for name in ("key", "signature", "issuer_is_expected", "audience_is_this_api"):
        assert results[name] == "unknown"
    without = await run("explain", "-", cwd=tmp_path, given=token)
    assert (without.code, "the settings are not complete" in without.err) == (0, True)
    assert "has not been verified" in without.out
    asked = await run("explain", "-", "--verify", cwd=tmp_path, given=token)
    assert (asked.code, "client_id: missing" in asked.err) == (1, True)


async def test_an_old_token_says_since_when(served_entra: ServedEntra, api: Environment, tmp_path: Path) -> None:
    """The time in the token and the time now, side by side; offline too."""
    served_entra.entra.state.clock.move(timedelta(hours=-3))
    token = tokens(served_entra)["access_token"]
    found = await explained(tmp_path, token, code=1, **api)
    assert failing(found) == ["not_expired"]
    (reason,) = [each["reason"] for each in found["checks"] if each["check"] == "not_expired"]
    assert "exp is 20" in reason
    assert "now is 20" in reason
    assert failing(await explained(tmp_path, token, "--offline", code=1)) == ["not_expired"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"AZURE_CLIENT_ID": seeds.WEB_APP}, ["audience_is_this_api"]),
        ({"ENTRADA_API_CLIENTS": seeds.DAEMON}, ["client_is_admitted"]),
    ],
)
async def test_a_wrong_setting_is_named(
    served_entra: ServedEntra, api: Environment, tmp_path: Path, change: Environment, expected: list[str]
) -> None:
    """The checks go on behind the first that fails, and only those fail that the setting is about."""
    found = await explained(tmp_path, tokens(served_entra)["access_token"], code=1, **{**api, **change})
    assert failing(found) == expected


async def test_tokens_of_other_kinds_are_known(served_entra: ServedEntra, api: Environment, tmp_path: Path) -> None:
    """An ID token, a token for Graph, and a version 1 token of another API (SEC-051, SEC-052)."""
    given = tokens(served_entra)
    found = await explained(tmp_path, given["id_token"], code=1, **api)
    assert (found["kind"], failing(found)) == ("id", ["audience_is_us"])
    public = {**api, "AZURE_CLIENT_ID": seeds.PUBLIC_CLIENT}
    found = await explained(tmp_path, given["id_token"], code=0, **public)
    assert (found["kind"], found["verdict"]) == ("id", "accepted")
    found = await explained(tmp_path, given["id_token"], "--kind", "access", code=1, **api)
    assert {"client_is_admitted", "one_kind_of_caller"} <= set(failing(found))
    for_graph = tokens(served_entra, "User.Read")["access_token"]
    assert failing(await explained(tmp_path, for_graph, code=1, **api))[0] == "not_for_graph"


async def test_a_token_that_was_changed_or_whose_key_is_gone_is_refused(
    served_entra: ServedEntra, api: Environment, tmp_path: Path
) -> None:
    """A signature that is not right, and a kid that nobody publishes (SEC-034)."""
    token = tokens(served_entra)["access_token"]
    head, payload, signature = token.split(".")
    changed = f"{head}.{payload}.{'A' * 20}{signature[20:]}"
    assert failing(await explained(tmp_path, changed, code=1, **api)) == ["signature"]
    served_entra.entra.state.keys.replace_at_once()
    assert failing(await explained(tmp_path, token, code=1, **api)) == ["key"]


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ("no token at all", "form"),
        ("a.b", "form"),
        ("eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.e30.AA", "alg"),
        ("eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.e30.AA", "alg"),
        ("eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.WzFd.AA", "form"),
    ],
)
async def test_what_is_no_token_is_said_to_be_none(tmp_path: Path, given: str, check: str) -> None:
    """Refused with the reason; nothing of it is repeated."""
    found = await explained(tmp_path, given, "--offline", code=1)
    assert failing(found) == [check]


async def test_an_authority_that_is_away_is_no_verdict(
    served_entra: ServedEntra, api: Environment, tmp_path: Path
) -> None:
    """Exit status 2: neither good nor bad."""
    token = tokens(served_entra)["access_token"]
    away = {**api, "ENTRADA_AUTHORITY": f"https://localhost:9/{seeds.BIRCH.id}"}
    done = await run("explain", "-", cwd=tmp_path, given=token, **away)
    assert (done.code, "nobody can tell" in done.err) == (2, True), done.said


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ("AADSTS50011", 0, "the redirect URI is not registered"),
        ("aadsts50011", 0, "the redirect URI is not registered"),
        ("50011", 0, "the redirect URI is not registered"),
        ("AADSTS50011: The redirect URI 'x' does not match. Trace ID: 1. More.", 0, "redirect URI is not registered"),
        ("AADSTS50011", 0, "Entra admin center › App registrations › the application › Authentication"),
        ("AADSTS50011", 0, "setting: ENTRADA_REDIRECT_URI"),
        ("AADB2C90006", 0, "Azure portal › Azure AD B2C › App registrations › the application › Authentication"),
        ("consent_required", 0, "consent is missing"),
        ("AADSTS12345678", 2, "https://login.microsoftonline.com/error?code=12345678"),
    ],
)
async def test_an_error_code_is_explained(tmp_path: Path, given: str, code: int, told: str) -> None:
    """Alone, as its number, or within the authority's own words; needs no settings."""
    done = await run("explain", given, cwd=tmp_path)
    assert (done.code, told in done.out, done.err) == (code, True, "")
    as_json = json.loads((await run("explain", given, "--json", cwd=tmp_path)).out)
    assert as_json["code"] in {"AADSTS50011", "AADB2C90006", "consent_required", "AADSTS12345678"}
    assert (as_json["setting"] == "redirect_uri") == as_json["code"].endswith(("50011", "90006"))
