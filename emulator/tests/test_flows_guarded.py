"""The flow inspector among strangers: who may look, what is never shown, what any text can do, how much is kept."""

import base64
import json
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.seeds import PASSWORD
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, CHALLENGE, SECRETS, VERIFIER, ask, redeem, renew
from emulator.tests.flow_pages import FLOWS, flow, listed, newest
from emulator.tests.sign_in import BIRCH_AUTHORIZE, LOGIN, MIA, REDIRECT_URI, arrival_of, asked, person_at

PAGES = (FLOWS, f"{FLOWS}/news", f"{FLOWS}/1?open=all")
MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'


@pytest.mark.parametrize("page", PAGES)
def test_only_this_machine_and_its_own_pages_look(entra: Entra, page: str) -> None:
    """SEC-194: other machines, other host names, other sites' scripts are refused; a link from one is not."""
    far = TestClient(entra.app, base_url=LOGIN, client=("203.0.113.7", 1234))
    near = entra.http_client()
    near.get(BIRCH_AUTHORIZE, params=asked())
    assert far.get(page).status_code == 403
    assert near.get(page, headers={"host": "evil.example"}).status_code == 421
    assert near.get(page, headers={"origin": "https://evil.example"}).status_code == 403
    script = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert near.get(page, headers=script).status_code == 403
    by_link = near.get(page, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert by_link.status_code == 200
    assert near.post(page).status_code == 405


def test_pages_let_nothing_foreign_in(http: TestClient) -> None:
    """SEC-189: banner, no cache, no frame, and a policy without inline script, inline style or any other host."""
    http.get(BIRCH_AUTHORIZE, params=asked())
    for page in (FLOWS, f"{FLOWS}/1", f"{FLOWS}/404", "/"):
        answer = http.get(page)
        assert "Emulator — not Microsoft." in answer.text
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not [word for word in ("unsafe", "http:", "https:", "data:", "*") if word in policy]
        assert "style=" not in answer.text
        assert "<script>" not in answer.text


async def test_no_secret_is_on_a_page(entra: Entra, http: TestClient) -> None:
    """Codes, verifiers, secrets, tokens, signatures, passwords, one-time codes and cookies are not shown."""
    person = person_at(entra)
    asks = asked(code_challenge=CHALLENGE, code_challenge_method="S256", login_hint=MIA, id_token_hint="hint-canary-1")
    await person.open(BIRCH_AUTHORIZE, asks)
    for button, typed in (("Sign in", {"password": PASSWORD}), ("Yes", {}), ("Accept", {})):
        await person.press(button, **typed)
    code = arrival_of(person).fields["code"]
    sent = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "made_up": "unknown-canary-2"}
    redeem(http, entra, code, **(sent | {"client_secret": "guessed-canary-3"}))
    granted = redeem(http, entra, code, **sent).json()
    basic = base64.b64encode(f"{seeds.WEB_APP}:{SECRETS[seeds.WEB_APP]}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "cookie": "their_session=foreign-canary-4"}
    renewed = renew(http, granted["refresh_token"], client_secret=None, headers=headers).json()
    http.get("https://graph.microsoft.com/v1.0/me", headers={"authorization": f"Bearer {renewed['access_token']}"})
    await person.open(f"{LOGIN}/{BIRCH}/oauth2/v2.0/logout", {"id_token_hint": granted["id_token"]})
    waiting = _device(http)
    secrets = [
        *(code, VERIFIER, SECRETS[seeds.WEB_APP], basic, PASSWORD, waiting["device_code"], waiting["user_code"]),
        *("hint-canary-1", "unknown-canary-2", "guessed-canary-3", "foreign-canary-4", *person.cookies.values()),
        *(answer["refresh_token"] for answer in (granted, renewed)),
        *(answer[name].rpartition(".")[2] for answer in (granted, renewed) for name in ("id_token", "access_token")),
        entra.state.control_key,
    ]
    pages = [http.get(FLOWS).text, http.get(f"{FLOWS}/news").text]
    pages += [flow(http, line.number).html for line in listed(http)]
    assert len(pages) == 6
    assert [secret for secret in secrets if any(secret in page for page in pages)] == []
    assert "Authorization: Basic" in newest(http, "Renewal").text


def _device(http: TestClient) -> dict[str, Any]:
    form = {"client_id": seeds.PUBLIC_CLIENT, "scope": "openid User.Read"}
    answer: dict[str, Any] = http.post(f"/{BIRCH}/oauth2/v2.0/devicecode", data=form).json()
    ask(
        http,
        client_id=seeds.PUBLIC_CLIENT,
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=answer["device_code"],
    )
    return answer


def test_text_of_anybody_stays_text(http: TestClient) -> None:
    """Markup, halves of characters, endless and nested values in any place are shown as text, and break no page."""
    http.get(BIRCH_AUTHORIZE, params=asked(state=MARKUP, nonce=MARKUP, login_hint=MARKUP, scope=f"openid {MARKUP}"))
    http.get(BIRCH_AUTHORIZE, params=asked(redirect_uri=MARKUP) | {MARKUP: MARKUP}, headers={"user-agent": MARKUP})
    http.get(BIRCH_AUTHORIZE, params=asked(client_id=MARKUP), headers={"cookie": f"{MARKUP}=1"})
    claims = {"iss": MARKUP, "sub": "\ud800", MARKUP: 1, "exp": 10**400, "iat": "soon", "aud": [[[MARKUP]]], "x": None}
    assertion = ".".join([_part({"alg": MARKUP, "kid": "\udfff"}), _part(claims), "c2ln"])
    ask(
        http,
        client_id=seeds.WEB_APP,
        grant_type="client_credentials",
        scope=f"{MARKUP}/.default",
        client_assertion=assertion,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )
    ask(http, client_id=seeds.WEB_APP, grant_type=MARKUP, state="x" * 50_000)
    pages = [http.get(FLOWS).text, *(flow(http, line.number).html for line in listed(http))]
    assert len(pages) == 6
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "{{7*7}}" in page or "alert" not in page
        assert len(page) < 60_000
    assert any("&lt;script&gt;alert(1)" in page for page in pages)


def _part(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def test_a_flood_is_bounded(entra: Entra, http: TestClient) -> None:
    """Large requests push the oldest out before memory is lost; what is newest is there, and the list stays short."""
    for _ in range(50):
        ask(http, grant_type="refresh_token", client_id="x" * 200_000)
    for number in range(55):
        http.get("/common/oauth2/v2.0/authorize", params=asked(state=f"number-{number}"))
    kept = entra.state.recorder.requests()
    assert 55 < len(kept) < 105
    assert sum(request.size for request in kept) <= 32_000_000
    lines = listed(http)
    assert len(lines) == 50
    assert http.get(f"{FLOWS}/1").status_code == 404
    assert "number-54" in flow(http, lines[0].number).text
