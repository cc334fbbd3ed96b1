"""Single-page applications: which scripts may redeem what and read it, and what MSAL.js relies on."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import RedirectUri
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, CHALLENGE, SECRETS, VERIFIER, ask, claims_of, codes_of, redeem, renew
from emulator.tests.sign_in import (
    BIRCH_AUTHORIZE,
    REDIRECT_URI,
    arrival_of,
    asked,
    person_at,
    signed_in,
    with_application,
)

ORIGIN = {"Origin": "http://localhost:3000"}
REDIRECT = "http://localhost:3000/redirect.html"
SPA = {"client_id": seeds.SPA, "redirect_uri": REDIRECT, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
ALWAYS_SENT = '{"id_token":{"signin_state":{"essential":false},"login_hint":{"essential":false}}}'


def code_for_script(entra: Entra) -> str:
    return entra.code(
        client_id=seeds.SPA, redirect_uri=REDIRECT, code_challenge=CHALLENGE, code_challenge_method="S256"
    )


def by_script(http: TestClient, entra: Entra, code: str, **more: Any) -> Any:
    sent = {"client_id": seeds.SPA, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, "headers": ORIGIN}
    return redeem(http, entra, code, **(sent | more))


def test_the_sentence_names_the_origin(entra: Entra, http: TestClient) -> None:
    """9002326 and 9002327 read as Entra writes them; the one names who asked, and no script may read it."""
    web = redeem(http, entra, entra.code(), headers=ORIGIN)
    assert web.json()["error"] == "invalid_request"
    assert "permitted only for the 'Single-Page Application' client-type" in web.json()["error_description"]
    assert "Request origin: 'http://localhost:3000'" in web.json()["error_description"]
    assert "access-control-allow-origin" not in web.headers
    without = by_script(http, entra, code_for_script(entra), headers={})
    assert "may only be redeemed via cross-origin requests" in without.json()["error_description"]


def test_no_script_reads_a_web_applications_answers(http: TestClient) -> None:
    """Neither a refusal nor a token of an application without a single-page address is readable elsewhere."""
    secret = SECRETS[seeds.DAEMON]
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": secret}
    refused = ask(http, **form, scope=f"api://{seeds.API}/.default", headers=ORIGIN)
    assert codes_of(refused) == [9002326]
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in renew(http, "made-up", headers=ORIGIN).headers


def test_one_registration_may_have_both_kinds(entra: Entra) -> None:
    """The kind of the address that the grant began with decides, not the application."""
    both = with_application(_with_uris(entra, (RedirectUri("http://localhost/callback"), RedirectUri(REDIRECT, "spa"))))
    web = {"client_id": seeds.WEB_APP, "redirect_uri": REDIRECT_URI, "redirect_kind": "web"}
    spa = {"client_id": seeds.WEB_APP, "redirect_uri": REDIRECT, "redirect_kind": "spa"}
    pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    with both.http_client() as http:
        by_server = redeem(http, both, both.code(**web), redirect_uri=REDIRECT_URI)
        assert by_server.status_code == 200
        stolen = redeem(http, both, both.code(**web), redirect_uri=REDIRECT_URI, headers=ORIGIN)
        assert codes_of(stolen) == [9002326]
        assert "access-control-allow-origin" not in stolen.headers
        sent = {"redirect_uri": REDIRECT, "client_secret": None, "code_verifier": VERIFIER, "headers": ORIGIN}
        assert redeem(http, both, both.code(**spa, **pkce), **sent).headers["access-control-allow-origin"] == "*"


def _with_uris(entra: Entra, uris: tuple[RedirectUri, ...]) -> Any:
    return replace(entra.application(), redirect_uris=uris)


def test_a_scripts_refresh_token_is_a_scripts_for_a_day(entra: Entra, http: TestClient) -> None:
    """Renewed without an Origin it is 9002327; 24 hours after sign-in it ends, however often it was renewed."""
    body = by_script(http, entra, code_for_script(entra)).json()
    assert body["refresh_token_expires_in"] == 86400
    asking = {"client_id": seeds.SPA, "client_secret": None}
    assert codes_of(renew(http, body["refresh_token"], **asking)) == [9002327]
    entra.state.clock.move(timedelta(hours=23))
    renewed = renew(http, body["refresh_token"], **asking, headers=ORIGIN)
    assert renewed.headers["access-control-allow-origin"] == "*"
    assert renewed.json()["refresh_token_expires_in"] == 3600
    entra.state.clock.move(timedelta(hours=1))
    ended = renew(http, renewed.json()["refresh_token"], **asking, headers=ORIGIN)
    assert (codes_of(ended), ended.json()["suberror"]) == ([700084], "bad_token")


def test_msal_js_needs_no_preflight_and_sends_its_headers_in_the_body(entra: Entra, http: TestClient) -> None:
    """Telemetry, anchor mailbox and capability are body fields; the correlation id comes in the address."""
    form = {
        "grant_type": "authorization_code",
        "client_id": seeds.SPA,
        "redirect_uri": REDIRECT,
        "code": code_for_script(entra),
        "code_verifier": VERIFIER,
        "scope": "User.Read openid profile offline_access",
        "client_info": "1",
        "claims": ALWAYS_SENT,
        "X-AnchorMailbox": "Oid:a@b",
        "x-client-SKU": "msal.js.browser",
        "x-ms-lib-capability": "retry-after, h429",
        "x-client-current-telemetry": "5|865,0,,,|,",
    }
    correlation = "11111111-2222-4333-8444-555555555555"
    kind = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    address = f"/{BIRCH}/oauth2/v2.0/token?client-request-id={correlation}"
    answer = http.post(address, data=form, headers=ORIGIN | kind)
    assert answer.status_code == 200
    assert answer.headers["client-request-id"] == correlation
    assert "x-ms-request-id" in answer.headers["access-control-expose-headers"]
    claims = claims_of(answer.json()["id_token"])
    assert claims["login_hint"]
    assert "signin_state" not in claims
    assert answer.json()["client_info"]


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
def test_documents_are_open_to_every_script(http: TestClient, path: str) -> None:
    """Metadata and keys carry the header for any origin, the refusal of an unknown tenant too."""
    assert http.get(f"/{BIRCH}/{path}", headers=ORIGIN).headers["access-control-allow-origin"] == "*"
    assert http.get(f"/nowhere.example/{path}", headers=ORIGIN).headers["access-control-allow-origin"] == "*"


async def test_a_silent_answer_may_come_in_a_hidden_frame(entra: Entra) -> None:
    """With prompt=none the answer is a redirect in the fragment without a word against frames; pages forbid them."""
    person = await signed_in(entra)
    silent = asked(**SPA, prompt="none", response_mode="fragment", claims=ALWAYS_SENT, client_info="1")
    await person.open(BIRCH_AUTHORIZE, silent)
    assert arrival_of(person).url.startswith(f"{REDIRECT}#code=")
    with entra.http_client() as http:
        refused = http.get(f"/{BIRCH}/oauth2/v2.0/authorize", params=silent)
    assert refused.status_code == 302
    assert "error=login_required" in refused.headers["location"].partition("#")[2]
    assert not {"x-frame-options", "content-security-policy"} & set(refused.headers)
    shown = await person_at(entra).open(BIRCH_AUTHORIZE, asked(**SPA))
    assert shown.page.headers["x-frame-options"] == "DENY"


def test_suberrors_are_those_that_msal_js_acts_on(entra: Entra, http: TestClient) -> None:
    """What only the person can mend carries a word that MSAL.js turns into InteractionRequired."""
    body = by_script(http, entra, code_for_script(entra)).json()
    step_up = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
    asking = {"client_id": seeds.SPA, "client_secret": None, "headers": ORIGIN}
    needed = {
        "basic_action": {"claims": step_up},
        "consent_required": {"scope": "Mail.Read"},
    }
    for suberror, more in needed.items():
        assert renew(http, body["refresh_token"], **asking, **more).json()["suberror"] == suberror
    entra.state.revoke_sessions(entra.user())
    assert renew(http, body["refresh_token"], **asking).json()["suberror"] == "bad_token"
