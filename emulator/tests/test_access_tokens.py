"""Access tokens for an API: scopes, roles, optional claims, groups and their overage with Graph's answer."""

from dataclasses import replace
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application
from entrada_emulator.issuing.optional_claims import EVERYBODY, GLOBAL_ADMINISTRATOR
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of, redeem
from emulator.tests.sign_in import with_application, with_person

GRAPH = "https://graph.microsoft.com"
ORDERS = ("openid", "profile", f"api://{seeds.API}/Orders.Read")


def api_with(entra: Entra, **changes: Any) -> Entra:
    return with_application(replace(entra.application(seeds.API), **changes))


def token_of(entra: Entra, name: str = "mia@birch.example", **more: Any) -> dict[str, Any]:
    """The claims of a person's token for the orders API."""
    with entra.http_client() as http:
        answer = redeem(http, entra, entra.code(entra.user(name), scopes=ORDERS), scope=" ".join(ORDERS), **more)
    return claims_of(answer.json()["access_token"])


def application_token(entra: Entra) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    with entra.http_client() as http:
        return claims_of(ask(http, **form, scope=f"api://{seeds.API}/.default").json()["access_token"])


def test_a_persons_token_names_scopes_roles_and_the_client(entra: Entra) -> None:
    """`scp` has the API's own scopes alone, `roles` the person's there; `azp` and `azpacr` say who asked and how."""
    claims = token_of(entra, "ada@birch.example")
    assert (claims["scp"], claims["roles"]) == ("Orders.Read", ["Admin"])
    assert (claims["azp"], claims["azpacr"], claims["ver"]) == (seeds.WEB_APP, "1", "2.0")
    assert claims["aud"] == seeds.API
    assert "idtyp" not in claims


@pytest.mark.parametrize(
    ("optional", "of_person"), [(("idtyp",), None), (("idtyp:include_user_token",), "user")], ids=["app", "both"]
)
def test_idtyp_tells_applications_from_people(entra: Entra, optional: tuple[str, ...], of_person: str | None) -> None:
    """Applications' tokens say `app`; people's say `user` only where the registration asks for that too."""
    asking = api_with(entra, optional_access_claims=optional)
    assert application_token(asking)["idtyp"] == "app"
    assert token_of(asking).get("idtyp") == of_person


def test_optional_claims_come_where_they_were_asked_for(entra: Entra) -> None:
    """Each claim of the registration is there, and none besides."""
    names = ("acct", "auth_time", "email", "family_name", "given_name", "ipaddr", "login_hint", "upn", "xms_pl")
    claims = token_of(api_with(entra, optional_access_claims=names))
    assert (claims["acct"], claims["email"], claims["upn"]) == (0, "mia@birch.example", "mia@birch.example")
    assert set(names) <= set(claims)
    guest = token_of(api_with(entra, optional_access_claims=names), "gil_cedar.example#EXT#@birch.example")
    assert guest["acct"] == 1
    assert not set(names) & set(token_of(entra))


def test_a_client_that_can_be_challenged_says_so_in_the_token(entra: Entra) -> None:
    """`xms_cc` needs both: the API asks for the claim and the client declares `cp1`."""
    capable = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'
    assert token_of(entra, claims=capable)["xms_cc"] == ["cp1"]
    assert "xms_cc" not in token_of(entra)
    assert "xms_cc" not in token_of(api_with(entra, optional_access_claims=()), claims=capable)


def test_an_older_api_may_ask_for_the_guid(entra: Entra) -> None:
    """`aud:use_guid` puts the client id into a version 1 token's `aud`."""
    api: Application = entra.application(seeds.LEDGER_API)
    asking = with_application(replace(api, optional_access_claims=("aud:use_guid",)))
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    with asking.http_client() as http:
        token = ask(http, **form, scope=f"{seeds.LEDGER_URI}/.default").json()["access_token"]
    assert claims_of(token)["aud"] == seeds.LEDGER_API


def test_two_hundred_groups_fit_and_more_are_fetched(entra: Entra, http: TestClient) -> None:
    """Instead of `groups` there is the pointer; Graph answers it with every id, to the person's own token."""
    asking = api_with(entra, groups_claim=True)
    assert token_of(asking)["groups"] == [seeds.ENGINEERING]
    claims = token_of(asking, "greta@birch.example")
    greta = entra.user("greta@birch.example")
    assert "groups" not in claims
    source = claims["_claim_sources"][claims["_claim_names"]["groups"]]
    assert source["endpoint"].endswith(f"/{BIRCH}/users/{greta.id}/getMemberObjects")
    graph_token = redeem(http, entra, entra.code(greta)).json()["access_token"]
    answer = post(entra, "/v1.0/me/getMemberObjects", graph_token, {"securityEnabledOnly": False})
    assert answer.json()["value"] == list(greta.group_ids)
    some = [greta.group_ids[3], seeds.FINANCE, greta.group_ids[204]]
    checked = post(entra, "/v1.0/me/checkMemberGroups", graph_token, {"groupIds": some})
    assert checked.json()["value"] == [some[0], some[2]]


@pytest.mark.parametrize(("count", "listed"), [(200, 200), (201, 0)])
def test_the_two_hundredth_group_still_fits(entra: Entra, count: int, listed: int) -> None:
    """Two hundred are listed; with one more there is none but the pointer."""
    greta = entra.user("greta@birch.example")
    there = with_person(replace(greta, group_ids=greta.group_ids[:count]))
    with there.http_client() as http:
        claims = claims_of(redeem(http, there, there.code(there.user(greta.user_principal_name))).json()["id_token"])
    assert len(claims.get("groups", ())) == listed
    assert ("_claim_names" in claims) is (listed == 0)


def test_wids_names_the_roles_of_the_directory(entra: Entra, http: TestClient) -> None:
    """An administrator's role template, and for everybody the one that stands for none."""
    claims = {}
    for name in ("ada@birch.example", "mia@birch.example"):
        code = entra.code(entra.user(name), client_id=seeds.MULTI_TENANT_APP)
        claims[name] = claims_of(redeem(http, entra, code, client_id=seeds.MULTI_TENANT_APP).json()["id_token"])["wids"]
    assert claims == {"ada@birch.example": [GLOBAL_ADMINISTRATOR, EVERYBODY], "mia@birch.example": [EVERYBODY]}


def test_an_api_may_want_a_role_of_applications(entra: Entra) -> None:
    """Where assignment is required, an application with a role gets its token and one without is 501051."""
    asking = api_with(entra, assignment_required=True)
    assert application_token(asking)["roles"] == ["Task.Write"]
    form = {"grant_type": "client_credentials", "client_id": seeds.WEB_APP, "client_secret": SECRETS[seeds.WEB_APP]}
    with asking.http_client() as http:
        assert codes_of(ask(http, **form, scope=f"api://{seeds.API}/.default")) == [501051]


@pytest.mark.parametrize(
    ("name", "owned"), [("mia@birch.example", True), ("mallory@nettle.example", False)], ids=["hers", "claimed"]
)
def test_a_claimed_mail_address_is_marked(entra: Entra, name: str, *, owned: bool) -> None:
    """The hostile tenant's token has Mia's address; `xms_edov` and the verified addresses tell them apart."""
    optional = ("email", "xms_edov", "verified_primary_email")
    asking = with_application(replace(entra.application(seeds.MULTI_TENANT_APP), optional_id_claims=optional))
    with asking.http_client() as http:
        person = asking.user(name)
        code = asking.code(person, client_id=seeds.MULTI_TENANT_APP)
        answer = redeem(http, asking, code, client_id=seeds.MULTI_TENANT_APP, tenant=person.tenant_id)
    claims = claims_of(answer.json()["id_token"])
    assert (claims["email"], claims["xms_edov"]) == ("mia@birch.example", owned)
    assert claims["verified_primary_email"] == (["mia@birch.example"] if owned else [])


def post(entra: Entra, path: str, token: str, body: dict[str, Any]) -> Any:
    with entra.http_client(GRAPH) as graph:
        return graph.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


def graph_token_of_an_application(entra: Entra, roles: tuple[str, ...]) -> tuple[Entra, str]:
    daemon = replace(entra.application(seeds.DAEMON), granted_app_roles={entra.world.resource(GRAPH).client_id: roles})
    asking = with_application(daemon)
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    with asking.http_client() as http:
        return asking, ask(http, **form, scope=f"{GRAPH}/.default").json()["access_token"]


def test_an_application_reads_people_and_groups_by_its_roles(entra: Entra) -> None:
    """Its own token opens `/users` and a person's groups, by object id or name; `/me` means nothing to it."""
    asking, token = graph_token_of_an_application(entra, ("User.Read.All", "GroupMember.Read.All"))
    sent = {"Authorization": f"Bearer {token}"}
    with asking.http_client(GRAPH) as graph:
        assert graph.get("/v1.0/users/mia@birch.example", headers=sent).json()["id"] == entra.user().id
        listed = graph.get("/v1.0/users?$top=3", headers=sent).json()
        assert len(listed["value"]) == 3
        assert "$top=3&$skiptoken=3" in listed["@odata.nextLink"]
        groups = graph.get(f"/v1.0/users/{entra.user().id}/memberOf", headers=sent).json()["value"]
        assert [group["displayName"] for group in groups] == ["Engineering"]
        members = graph.get(f"/v1.0/groups/{seeds.FINANCE}/members", headers=sent).json()["value"]
        assert [member["displayName"] for member in members] == ["Ada Admin"]
        assert graph.get("/v1.0/me", headers=sent).json()["error"]["code"] == "Request_BadRequest"
        assert graph.get("/v1.0/users/cleo@cedar.example", headers=sent).status_code == 404


def test_the_organisation_and_small_pictures(entra: Entra, http: TestClient) -> None:
    """A person may read whose directory they are in; a picture of a size is the picture."""
    token = {"Authorization": f"Bearer {redeem(http, entra, entra.code()).json()['access_token']}"}
    with entra.http_client(GRAPH) as graph:
        (told,) = graph.get("/v1.0/organization", headers=token).json()["value"]
        assert (told["id"], told["displayName"]) == (BIRCH, "Birch Works")
        assert told["verifiedDomains"][0]["name"] == "birch.example"
        assert graph.get("/v1.0/me/photos/48x48/$value", headers=token).content == entra.user().photo


def test_without_the_role_an_application_reads_nothing(entra: Entra) -> None:
    """403 in Graph's words for people, groups, members and questions about them."""
    asking, token = graph_token_of_an_application(entra, ())
    sent = {"Authorization": f"Bearer {token}"}
    with asking.http_client(GRAPH) as graph:
        for path in ("users", "groups", f"users/{entra.user().id}", f"groups/{seeds.FINANCE}/members"):
            refused = graph.get(f"/v1.0/{path}", headers=sent)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    asked = post(asking, f"/v1.0/users/{entra.user().id}/getMemberObjects", token, {"securityEnabledOnly": True})
    assert asked.status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("getMemberObjects", {}),
        ("checkMemberGroups", {"groupIds": []}),
        ("checkMemberGroups", {"groupIds": ["x"] * 21}),
        ("checkMemberGroups", {"groupIds": "x"}),
    ],
    ids=str,
)
def test_questions_about_groups_must_make_sense(
    entra: Entra, http: TestClient, path: str, body: dict[str, Any]
) -> None:
    """A missing switch, no id, or more than twenty are 400."""
    token = redeem(http, entra, entra.code()).json()["access_token"]
    assert post(entra, f"/v1.0/me/{path}", token, body).status_code == 400


def test_a_person_may_not_ask_about_others_with_user_read(entra: Entra, http: TestClient) -> None:
    """`User.Read` opens one's own groups, not another's."""
    token = redeem(http, entra, entra.code()).json()["access_token"]
    other = entra.user("ada@birch.example").id
    refused = post(entra, f"/v1.0/users/{other}/getMemberObjects", token, {"securityEnabledOnly": True})
    assert refused.status_code == 403


def test_an_admins_scope_needs_an_admin(entra: Entra, http: TestClient) -> None:
    """A scope that nobody agreed to is not in a token: the request is refused, 65001."""
    code = entra.code(scopes=("openid", "offline_access"))
    assert codes_of(redeem(http, entra, code, scope=f"api://{seeds.API}/Orders.Manage")) == [65001]
