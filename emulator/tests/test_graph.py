"""The Graph subset: who may ask, and what comes back."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import GRAPH_APP_ID
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import SCOPES, Entra, new_entra
from starlette.testclient import TestClient

from emulator.tests.asking import SECRETS, ask, claims_of, header_of, redeem, renew

GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"
PNG = b"\x89PNG\r\n\x1a\n-not-a-picture"


def token_for(entra: Entra, http: TestClient, name: str = "mia@birch.example", scopes: tuple[str, ...] = SCOPES) -> str:
    """An access token for Graph."""
    token: str = redeem(http, entra, entra.code(entra.user(name), scopes=scopes)).json()["access_token"]
    return token


def call(entra: Entra, path: str, token: str | None = None) -> Any:
    """Asks Graph."""
    with entra.http_client(GRAPH) as graph:
        return graph.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


def test_me_is_the_person(entra: Entra, http: TestClient) -> None:
    """The default members, and with $select those alone."""
    token = token_for(entra, http)
    me = call(entra, "/v1.0/me", token).json()
    assert me["id"] == entra.user().id
    assert me["displayName"] == "Mia Member"
    assert me["@odata.context"] == f"{GRAPH}/v1.0/$metadata#users/$entity"
    assert "department" not in me
    some = call(entra, "/v1.0/me?$select=displayName,department", token).json()
    assert some == {
        "@odata.context": f"{GRAPH}/v1.0/$metadata#users(displayName,department)/$entity",
        "displayName": "Mia Member",
        "department": "Engineering",
    }


def test_member_of_comes_in_pages(entra: Entra, http: TestClient) -> None:
    """A hundred groups a page; following nextLink brings them all."""
    token = token_for(entra, http, "greta@birch.example")
    path, seen = "/v1.0/me/memberOf", []
    while path:
        page = call(entra, path, token).json()
        seen += [group["id"] for group in page["value"]]
        assert len(page["value"]) <= 100
        path = page.get("@odata.nextLink", "").removeprefix(GRAPH)
    assert seen == list(entra.user("greta@birch.example").group_ids)


def test_a_collection_shows_what_is_selected(http: TestClient, entra: Entra) -> None:
    """Members that are named, the count where it is asked for, and a next page that is asked for likewise."""
    daemon = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    token = ask(http, **daemon, scope=f"{GRAPH}/.default").json()["access_token"]
    first = call(entra, "/v1.0/users?$select=displayName,department&$top=1&$count=true", token).json()
    assert first["value"] == [{"displayName": "Mia Member", "department": "Engineering"}]
    assert first["@odata.context"] == f"{GRAPH}/v1.0/$metadata#users(displayName,department)"
    assert first["@odata.count"] > 1
    second = call(entra, first["@odata.nextLink"].removeprefix(GRAPH), token).json()
    assert second["value"] == [{"displayName": "Ada Admin", "department": None}]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1.0/me?$filter=startswith(displayName,'M')", "Request_UnsupportedQuery"),
        ("/v1.0/me/manager", "BadRequest"),
        ("/beta/me", "BadRequest"),
    ],
)
def test_what_is_absent_is_refused_in_graphs_shape(entra: Entra, http: TestClient, path: str, code: str) -> None:
    """A query option that is not understood is no smaller answer, and an unknown address no plain text."""
    refused = call(entra, path, token_for(entra, http))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert "The emulator" in refused.json()["error"]["message"]


def test_a_refusal_names_the_request_as_its_caller_did(entra: Entra) -> None:
    """`client-request-id` comes back, and `request-id` in the header is that of the body."""
    with entra.http_client(GRAPH) as graph:
        refused = graph.get("/v1.0/me", headers={"client-request-id": "the caller's own"})
    inner = refused.json()["error"]["innerError"]
    assert inner["client-request-id"] == "the caller's own"
    assert inner["request-id"] == refused.headers["request-id"]


def test_a_group_by_its_id(entra: Entra, http: TestClient) -> None:
    """A group of the caller's tenant is shown to who may read groups; another tenant's is not found."""
    ada = token_for(entra, http, "ada@birch.example", ("openid", "GroupMember.Read.All"))
    assert call(entra, f"/v1.0/groups/{seeds.FINANCE}", ada).json()["displayName"] == "Finance"
    assert call(entra, f"/v1.0/groups/{seeds.CEDAR_STAFF}", ada).status_code == 404


def test_userinfo_has_the_sub_of_the_id_token(entra: Entra, http: TestClient) -> None:
    """Strict clients compare the two."""
    body = redeem(http, entra, entra.code()).json()
    info = call(entra, "/oidc/userinfo", body["access_token"]).json()
    assert info["sub"] == claims_of(body["id_token"])["sub"]
    assert set(info) == {"sub", "name", "family_name", "given_name", "picture", "email"}


def test_a_photo_or_none(entra: Entra, entra_keys: tuple[SigningKey, ...], http: TestClient) -> None:
    """The person's picture, as it came or as it is configured, or 404 ImageNotFound."""
    given = call(entra, "/v1.0/me/photos/96x96/$value", token_for(entra, http))
    assert (given.content, given.headers["content-type"]) == (entra.user().photo, "image/jpeg")
    missing = call(entra, "/v1.0/me/photo/$value", token_for(entra, http, "greta@birch.example"))
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ImageNotFound")
    world = entra.world
    users = tuple(replace(u, photo=PNG) if u.id == entra.user().id else u for u in world.users)
    pictured = new_entra(
        checked_world(tenants=world.tenants, users=users, groups=world.groups, applications=world.applications),
        keys=entra_keys,
    )
    with pictured.http_client() as client:
        answer = call(pictured, "/v1.0/me/photo/$value", token_for(pictured, client))
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")


def test_scopes_are_enforced(entra: Entra, http: TestClient) -> None:
    """Without User.Read, /me is 403 Authorization_RequestDenied while userinfo answers."""
    token = token_for(entra, http, scopes=("openid", "profile"))
    refused = call(entra, "/v1.0/me", token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert set(call(entra, "/oidc/userinfo", token).json()) == {"sub", "name", "family_name", "given_name", "picture"}


def test_scripts_may_ask_graph(entra: Entra, http: TestClient) -> None:
    """A preflight is answered, and a script may read answers and refusals."""
    with entra.http_client(GRAPH) as graph:
        for path in ("/v1.0/me", "/oidc/userinfo"):
            assert graph.options(path).headers["access-control-allow-headers"] == "*, Authorization"
            assert graph.get(path).headers["access-control-allow-origin"] == "*"
    assert call(entra, "/v1.0/me", token_for(entra, http)).headers["access-control-allow-origin"] == "*"


def tampered(token: str, part: int) -> str:
    """The token with one part's last byte changed."""
    parts = token.split(".")
    data = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    data[-3] ^= 1
    parts[part] = base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")
    return ".".join(parts)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_token_is_refused(entra: Entra, http: TestClient, part: int) -> None:
    """Graph verifies the signature over header and payload."""
    refused = call(entra, "/v1.0/me", tampered(token_for(entra, http), part))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_other_tokens_are_refused(entra: Entra, http: TestClient) -> None:
    """No token, an ID token, another API's token, an expired one, one of a withdrawn key: 401 in Graph's shape."""
    body = redeem(http, entra, entra.code()).json()
    api = token_for(entra, http, scopes=("openid", f"api://{seeds.API}/access_as_user"))
    for wrong in (None, "x.y.z", "made-up", body["id_token"], api):
        refused = call(entra, "/v1.0/me", wrong)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer ")
        assert set(refused.json()["error"]) == {"code", "message", "innerError"}
    entra.state.keys.replace_at_once()
    assert call(entra, "/v1.0/me", body["access_token"]).status_code == 401
    fresh = token_for(entra, http)
    entra.state.clock.move(timedelta(minutes=91))
    assert call(entra, "/v1.0/me", fresh).status_code == 401


def test_an_application_has_no_me(entra: Entra, http: TestClient) -> None:
    """An application's own token is no person: 400."""
    form = {"client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON], "grant_type": "client_credentials"}
    token = ask(http, scope=f"{GRAPH}/.default", **form).json()["access_token"]
    assert claims_of(token)["roles"] == ["User.Read.All"]
    assert call(entra, "/v1.0/me", token).status_code == 400


def test_nobody_else_can_verify_a_graph_token(entra: Entra, http: TestClient) -> None:
    """As at Microsoft the signature does not cover the header as sent: a third party that checks it must fail."""
    token = token_for(entra, http)
    head, payload, signature = token.split(".")
    key = entra.state.keys.find(header_of(token)["kid"])
    assert key is not None
    with pytest.raises(InvalidSignature):
        key.verify(base64.urlsafe_b64decode(signature + "=="), f"{head}.{payload}".encode())


def revoke(entra: Entra, path: str, token: str) -> Any:
    """Asks Graph to end somebody's sign-ins."""
    with entra.http_client(GRAPH) as graph:
        return graph.post(f"/v1.0/{path}/revokeSignInSessions", headers={"Authorization": f"Bearer {token}"})


REVOKE_SCOPES = (*SCOPES, "User.RevokeSessions.All")
ADA = "ada@birch.example"


@pytest.mark.parametrize("path", ["me", "users/{id}", "users/{upn}"])
def test_sign_ins_are_revoked(entra: Entra, http: TestClient, path: str) -> None:
    """Facts section 5: 200 with true; the refresh token is refused with 50173 from then on."""
    user = entra.user(ADA)
    tokens = redeem(http, entra, entra.code(user, scopes=REVOKE_SCOPES)).json()
    path = path.format(id=user.id, upn=user.user_principal_name)
    answer = revoke(entra, path, tokens["access_token"])
    assert (answer.status_code, answer.json()["value"]) == (200, True)
    refused = renew(http, tokens["refresh_token"]).json()
    assert (refused["error"], refused["suberror"], refused["error_codes"]) == ("invalid_grant", "bad_token", [50173])
    assert call(entra, "/v1.0/me", tokens["access_token"]).status_code == 200, "access tokens live on"


def test_who_may_revoke(entra: Entra, http: TestClient) -> None:
    """It needs its permission; others' sign-ins are for administrators; an unknown person is 404."""
    mia, ada = entra.user(), entra.user(ADA)
    assert revoke(entra, "me", token_for(entra, http)).status_code == 403
    as_mia = token_for(entra, http, scopes=REVOKE_SCOPES)
    assert revoke(entra, f"users/{ada.id}", as_mia).status_code == 403
    as_ada = token_for(entra, http, ADA, scopes=REVOKE_SCOPES)
    assert revoke(entra, f"users/{mia.id}", as_ada).status_code == 200
    assert revoke(entra, "users/cleo@cedar.example", as_ada).status_code == 404
    assert revoke(entra, "users/nobody", as_ada).status_code == 404
    assert entra.state.tokens_valid_from(ada) is None


def test_continuous_access_evaluation(entra: Entra, http: TestClient) -> None:
    """Switched on, a token older than the revocation is refused with a claims challenge, a newer one is not."""
    entra.state.continuous_access_evaluation = True
    token = token_for(entra, http)
    assert call(entra, "/v1.0/me", token).status_code == 200
    entra.state.revoke_sessions(entra.user())
    refused = call(entra, "/v1.0/me", token)
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    graph = f'authorization_uri="{LOGIN}/common/oauth2/authorize", client_id="{GRAPH_APP_ID}"'
    assert challenge.startswith(f'Bearer realm="", {graph}, error="insufficient_claims", claims="')
    wanted = json.loads(base64.b64decode(challenge.partition('claims="')[2].rstrip('"')))
    assert wanted["access_token"]["nbf"]["essential"] is True
    entra.state.clock.move(timedelta(seconds=2))
    assert call(entra, "/v1.0/me", token_for(entra, http)).status_code == 200
