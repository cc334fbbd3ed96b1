"""The control API: its guard, the clock, keys, faults, recorded requests."""

import time
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, claims_of, codes_of, header_of, redeem, renew

METADATA = f"/{BIRCH}/v2.0/.well-known/openid-configuration"
EVERY_DOOR = [
    *(("GET", path) for path in ("", "requests")),
    *(("POST", path) for path in ("clock", "keys", "expire", "revoke", "faults", "settings")),
    *(("DELETE", path) for path in ("faults", "requests")),
]


class Control:
    """The control API with this instance's key."""

    def __init__(self, entra: Entra, http: TestClient) -> None:
        self._http, self._headers = http, {"Authorization": f"Bearer {entra.state.control_key}"}

    def __call__(self, method: str, path: str = "", **body: Any) -> Any:
        return self._http.request(method, f"/_emulator/{path}", json=body, headers=self._headers)


@pytest.fixture
def control(entra: Entra, http: TestClient) -> Control:
    """The key's holder."""
    return Control(entra, http)


@pytest.mark.parametrize(("method", "path"), EVERY_DOOR)
@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer wrong", "Basic x"])
def test_without_the_key_nothing_opens(http: TestClient, method: str, path: str, authorization: str | None) -> None:
    """SEC-194: every control endpoint needs this instance's key."""
    headers = {"Authorization": authorization} if authorization else {}
    assert http.request(method, f"/_emulator/{path}", json={}, headers=headers).status_code == 403


def test_from_elsewhere_the_key_opens_nothing(entra: Entra) -> None:
    """SEC-194: a caller who is not on loopback is refused, key or not."""
    far = TestClient(entra.app, base_url="https://login.microsoftonline.com", client=("203.0.113.7", 1234))
    headers = {"Authorization": f"Bearer {entra.state.control_key}"}
    assert far.get("/_emulator/", headers=headers).status_code == 403


def test_each_instance_has_its_own_key(entra: Entra, served_entra: ServedEntra) -> None:
    """One instance's key does not open another, and is kept readable for its owner alone."""
    assert entra.state.control_key != served_entra.entra.state.control_key
    kept = served_entra.service.control_key_file
    assert kept.read_text() == served_entra.entra.state.control_key
    assert kept.stat().st_mode & 0o077 == 0


def test_the_clock_moves(entra: Entra, http: TestClient, control: Control) -> None:
    """Tokens are issued at the emulated time; a reset brings the real one back."""
    control("POST", "clock", move_seconds=86400)
    ahead = claims_of(redeem(http, entra, entra.code()).json()["id_token"])["iat"] - time.time()
    assert 86390 < ahead < 86410
    assert control("POST", "clock", reset=True).json()["offset_seconds"] == 0


def test_keys_change_on_request(entra: Entra, control: Control) -> None:
    """rotate, withdraw, replace."""
    before = control("GET").json()["keys"]
    after = control("POST", "keys", action="rotate").json()["keys"]
    assert after["active"] != before["active"]
    assert before["active"] in after["published"]
    assert control("POST", "keys", action="withdraw", kid=after["active"]).status_code == 400
    withdrawn = control("POST", "keys", action="withdraw", kid=before["active"]).json()["keys"]
    assert before["active"] not in withdrawn["published"]
    replaced = control("POST", "keys", action="replace").json()["keys"]
    assert not set(replaced["published"]) & set(after["published"])


def test_expiry_and_revocation(entra: Entra, http: TestClient, control: Control) -> None:
    """Codes and refresh tokens expire on request; a person's sessions are revoked."""
    code = entra.code()
    assert control("POST", "expire", what="codes").json() == {"expired": 1}
    assert codes_of(redeem(http, entra, code)) == [70008]
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    control("POST", "revoke", user="mia@birch.example")
    assert codes_of(renew(http, token)) == [50173]
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    control("POST", "expire", what="refresh_tokens")
    assert codes_of(renew(http, token)) == [700082]
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    control("POST", "revoke", what="refresh_tokens")
    assert codes_of(renew(http, token)) == [70000]


def test_semantics_change_on_request(entra: Entra, http: TestClient, control: Control) -> None:
    """Strict rotation can be switched on while running."""
    control("POST", "settings", refresh_semantics="strict")
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    assert renew(http, token).status_code == 200
    assert codes_of(renew(http, token)) == [70000]


@pytest.mark.parametrize("switch", ["logout_sends_iss", "continuous_access_evaluation"])
def test_switches_are_turned_on_request(entra: Entra, control: Control, switch: str) -> None:
    """Frames without `iss`, and Graph that looks at revocations, can be had while running."""
    before = getattr(entra.state, switch)
    assert control("POST", "settings", **{switch: not before}).json()[switch] is not before
    assert getattr(entra.state, switch) is not before


@pytest.mark.parametrize(
    ("code", "suberror"),
    [(50196, None), (53000, None), (50078, "basic_action"), (700003, "device_authentication_failed")],
)
def test_refusals_that_nothing_here_causes_can_be_asked_for(
    http: TestClient, control: Control, code: int, suberror: str | None
) -> None:
    """A loop, a device that does not comply, a second proof that is too old: with Entra's words."""
    control("POST", "faults", endpoint="token", kind="error", code=code)
    refused = http.post(f"/{BIRCH}/oauth2/v2.0/token")
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (400, "invalid_grant", [code])
    assert refused.json().get("suberror") == suberror


def test_the_next_requests_fail_as_asked(http: TestClient, control: Control) -> None:
    """status with Retry-After, twice; then garbage; then as usual."""
    control("POST", "faults", endpoint="metadata", kind="status", status=429, retry_after=7, times=2)
    control("POST", "faults", endpoint="keys", kind="garbage", status=200)
    for _ in range(2):
        refused = http.get(METADATA)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
        assert refused.text == "Too Many Requests"
    assert http.get(METADATA).status_code == 200
    garbage = http.get(f"/{BIRCH}/discovery/v2.0/keys")
    assert garbage.status_code == 200
    with pytest.raises(ValueError):
        garbage.json()


def test_latency_waits(http: TestClient, control: Control) -> None:
    """A slow authority answers rightly, later."""
    control("POST", "faults", endpoint="metadata", kind="latency", seconds=0.2)
    start = time.perf_counter()
    assert http.get(METADATA).status_code == 200
    assert time.perf_counter() - start >= 0.2


def test_an_aadsts_error_on_request(entra: Entra, http: TestClient, control: Control) -> None:
    """Any code of the table can be what the token endpoint says next; the code stays unspent."""
    control("POST", "faults", endpoint="token", kind="error", code=53003)
    code = entra.code()
    refused = redeem(http, entra, code)
    assert (refused.json()["error"], codes_of(refused)) == ("access_denied", [53003])
    assert redeem(http, entra, code).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "wrong_nonce",
        "no_nonce",
        "wrong_issuer",
        "wrong_audience",
        "expired",
        "bad_signature",
        "alg_none",
        "unknown_kid",
    ],
)
def test_each_token_fault_spoils_one_thing(entra: Entra, http: TestClient, control: Control, kind: str) -> None:
    """The next ID token is wrong in the way asked for, and the one after is right."""
    control("POST", "faults", endpoint="token", kind=kind)
    bad = redeem(http, entra, entra.code(nonce="n-1")).json()["id_token"]
    good = redeem(http, entra, entra.code(nonce="n-1")).json()["id_token"]
    assert _soundness(entra, good) == set()
    assert _soundness(entra, bad) == {kind}


def _soundness(entra: Entra, token: str) -> set[str]:
    """What is wrong with an ID token for the web application with nonce n-1."""
    header, claims = header_of(token), claims_of(token)
    if header["alg"] == "none":
        return {"alg_none"}
    if entra.state.keys.find(header["kid"]) is None:
        return {"unknown_kid"}
    wrong = {
        "no_nonce": "nonce" not in claims,
        "wrong_nonce": claims.get("nonce") not in {None, "n-1"},
        "wrong_issuer": claims["iss"] != entra.emulator.origins.issuer(BIRCH),
        "wrong_audience": claims["aud"] != seeds.WEB_APP,
        "expired": claims["exp"] < time.time(),
        "bad_signature": not _verifies(entra, token),
    }
    return {name for name, is_so in wrong.items() if is_so}


def _verifies(entra: Entra, token: str) -> bool:
    from entrada_emulator.issuing.jwt import NotOurToken, read

    try:
        read(token, keys=entra.state.keys)
    except NotOurToken:
        return False
    return True


def test_requests_are_recorded(entra: Entra, http: TestClient, control: Control) -> None:
    """Method, path, form and status of each request, by endpoint; and forgotten on request."""
    redeem(http, entra, entra.code(), scope="openid")
    http.get(METADATA)
    (recorded,) = control("GET", "requests?endpoint=token").json()["requests"]
    assert (recorded["method"], recorded["status"]) == ("POST", 200)
    assert recorded["form"]["scope"] == "openid"
    assert control("GET").json()["requests"] == {"token": 1, "metadata": 1}
    control("DELETE", "requests")
    assert control("GET").json()["requests"] == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {}),
        ("clock", {"move_seconds": "soon"}),
        ("clock", {"move_seconds": 1e12}),
        ("clock", {"move_seconds": True}),
        ("keys", {"action": "melt"}),
        ("expire", {"what": "everything"}),
        ("revoke", {}),
        ("revoke", {"user": "nobody@birch.example"}),
        ("faults", {"endpoint": "token"}),
        ("faults", {"endpoint": "moon", "kind": "status"}),
        ("faults", {"endpoint": "token", "kind": "status", "status": 99}),
        ("faults", {"endpoint": "token", "kind": "error", "code": 1}),
        ("faults", {"endpoint": "token", "kind": "status", "unknown": 1}),
        ("settings", {"refresh_semantics": "lax"}),
        ("settings", {"logout_sends_iss": "no"}),
        ("settings", {"continuous_access_evaluation": 1}),
    ],
    ids=str,
)
def test_nonsense_is_refused_with_what_would_make_sense(control: Control, path: str, body: dict[str, Any]) -> None:
    """A control request that makes no sense is 400 and changes nothing."""
    before = control("GET").json()
    refused = control("POST", path, **body)
    assert refused.status_code == 400
    assert refused.json()["error"]
    after = control("GET").json()
    assert (before | {"now": None}) == (after | {"now": None})
