"""The application's OpenAPI document: who may call what, by which way, with which scopes (API-7)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.directory.seeds import BIRCH, WEB_APP
from entrada_emulator.pytest_plugin import Entra
from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.models import OpenAPI
from fastapi.security import APIKeyHeader

from entrada import (
    ApiClient,
    App,
    BearerUser,
    CurrentApp,
    CurrentUser,
    Entrada,
    OptionalUser,
    Rule,
    SessionUser,
    User,
    all_of,
    any_of,
    api_client,
    app_role,
    in_session,
    mfa,
    requires,
    role,
    scope,
    tenant,
)
from tests.front_door import BASE, FrontDoor, running, settings

URI = f"api://{WEB_APP}"
TOKEN, SESSION, APPLICATION = {"AccessToken": []}, {"Session": []}, {"ApplicationToken": []}
Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]
Partner = Annotated[str, Depends(APIKeyHeader(name="x-partner"))]


def reads(*names: str) -> dict[str, list[str]]:
    return {"AccessToken": [f"{URI}/{name}" for name in names]}


RULES: dict[str, tuple[Rule, list[Any]]] = {
    "role": (role("Admin"), [TOKEN, SESSION]),
    "scope": (scope("Orders.Read"), [reads("Orders.Read")]),
    "two-scopes": (all_of(scope("Orders.Write"), scope("Orders.Read")), [reads("Orders.Read", "Orders.Write")]),
    "either-scope": (any_of(scope("A"), scope("B")), [reads("A"), reads("B")]),
    "needless-scope": (any_of(role("Admin"), scope("Orders.Read")), [TOKEN, SESSION]),
    "session-or-scope": (any_of(in_session(), scope("Orders.Read")), [reads("Orders.Read"), SESSION]),
    "role-and-scope": (all_of(role("Admin"), scope("Orders.Read")), [reads("Orders.Read")]),
    "session-only": (in_session(), [SESSION]),
    "proof": (mfa(), [TOKEN, SESSION]),
    "app": (app_role("Task.Write"), [APPLICATION]),
    "app-of-a-tenant": (all_of(tenant(BIRCH.id), app_role("Task.Write")), [APPLICATION]),
    "tenant": (tenant(BIRCH.id), [TOKEN, SESSION]),
    "app-or-person": (any_of(role("Admin"), app_role("Task.Write")), [TOKEN, SESSION, APPLICATION]),
    "nobody": (all_of(in_session(), scope("Orders.Read")), [{"AccessToken": [], "Session": []}]),
}


def routes(app: FastAPI) -> None:
    """One route for each way of asking who calls."""

    @app.get("/open")
    async def nobody_is_asked() -> None: ...

    @app.get("/current")
    async def current(user: CurrentUser) -> None: ...

    @app.get("/session")
    async def session(user: SessionUser) -> None: ...

    @app.get("/bearer")
    async def bearer(user: BearerUser) -> None: ...

    @app.get("/app")
    async def application(caller: CurrentApp) -> None: ...

    @app.get("/optional")
    async def optional(user: OptionalUser) -> None: ...

    @app.get("/graph")
    async def graph(client: Graph) -> None: ...

    @app.get("/both", dependencies=[requires(scope("Orders.Read"))])
    async def both(user: CurrentUser) -> None: ...

    @app.get("/partner", responses={401: {"description": "the application's own words"}})
    async def partner(user: SessionUser, key: Partner) -> None: ...

    for name, (rule, _) in RULES.items():

        @app.post(f"/rules/{name}")
        async def ruled(caller: Annotated[User | App, requires(rule)]) -> None: ...

    inner = APIRouter(prefix="/inner")

    @inner.get("/{number}")
    async def below(number: int, user: BearerUser) -> None: ...

    app.include_router(inner, prefix="/outer", dependencies=[requires(scope("Orders.Read"))])


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=routes) as door:
        yield door


async def document(door: FrontDoor) -> dict[str, Any]:
    answer = await door.raw("GET", f"{BASE}/openapi.json")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_alias_names_its_ways_in(door: FrontDoor) -> None:
    """Either way where either is taken, as alternatives; one where one is; none where nobody is asked."""
    paths = (await document(door))["paths"]
    said = {path: item["get"].get("security") for path, item in paths.items() if "get" in item}
    assert said == {
        "/open": None,
        "/current": [TOKEN, SESSION],
        "/session": [SESSION],
        "/bearer": [TOKEN],
        "/app": [APPLICATION],
        "/optional": [TOKEN, SESSION, {}],
        "/graph": [TOKEN, SESSION],
        "/both": [reads("Orders.Read")],
        "/partner": [{"APIKeyHeader": [], "Session": []}],
        "/outer/inner/{number}": [reads("Orders.Read")],
    }


@pytest.mark.parametrize("name", RULES)
async def test_rules_name_ways_and_scopes(door: FrontDoor, name: str) -> None:
    """What `requires` demands is on the operation, with the scopes as the authority knows them."""
    paths = (await document(door))["paths"]
    assert paths[f"/rules/{name}"]["post"]["security"] == RULES[name][1]


async def test_the_schemes(door: FrontDoor) -> None:
    """Authorization code at the authority's own addresses with the scopes of this API; bearer; the session's cookie."""
    schemes = (await document(door))["components"]["securitySchemes"]
    flow = schemes["AccessToken"]["flows"]["authorizationCode"]
    authority = f"https://login.microsoftonline.com/{BIRCH.id}/oauth2/v2.0"
    assert schemes["AccessToken"]["type"] == "oauth2"
    assert flow["authorizationUrl"] == f"{authority}/authorize"
    assert flow["tokenUrl"] == f"{authority}/token"
    assert list(flow["scopes"]) == [f"{URI}/{name}" for name in ("A", "B", "Orders.Read", "Orders.Write")]
    assert schemes["Session"].items() >= {"type": "apiKey", "in": "cookie", "name": "__Host-entrada"}.items()
    assert schemes["ApplicationToken"].items() >= {"type": "http", "scheme": "bearer"}.items()
    assert schemes["APIKeyHeader"]["name"] == "x-partner"


async def test_refusals_are_documented(door: FrontDoor) -> None:
    """401 and 403 stand where somebody is asked, as they are really answered; the application's own words stay."""
    found = await document(door)
    assert found["paths"]["/open"]["get"]["responses"].keys() == {"200"}
    assert found["paths"]["/current"]["get"]["responses"].keys() == {"200", "401", "403"}
    assert found["paths"]["/partner"]["get"]["responses"]["401"]["description"] == "the application's own words"
    answer = await door.raw("GET", f"{BASE}/bearer")
    said = found["paths"]["/bearer"]["get"]["responses"][str(answer.status_code)]
    assert (
        said["headers"].keys()
        == {"WWW-Authenticate"}
        <= {name.title().replace("Www", "WWW") for name in answer.headers}
    )
    ((kind, content),) = said["content"].items()
    assert kind == answer.headers["content-type"]
    schema = found["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    assert set(schema["required"]) == answer.json().keys()


async def test_it_is_a_sound_document(door: FrontDoor) -> None:
    """What was added has the form that OpenAPI gives it, and each scheme and schema that is named is there."""
    found = await document(door)
    OpenAPI.model_validate(found)
    components = found["components"]
    named = {
        name
        for item in found["paths"].values()
        for operation in item.values()
        for alternative in operation.get("security", ())
        for name in alternative
    }
    assert named == components["securitySchemes"].keys()
    assert "EntradaRefusal" in components["schemas"]


async def test_nothing_is_added_where_nobody_is_asked(entra: Entra, tmp_path: Path) -> None:
    """An application without protected routes keeps its document as it is."""

    def build(app: FastAPI) -> None:
        @app.get("/open")
        async def nobody_is_asked() -> None: ...

    async with running(entra, tmp_path, build=build) as door:
        found = await document(door)
    assert "components" not in found
    assert "security" not in found["paths"]["/open"]["get"]


async def test_the_document_follows_the_routes(door: FrontDoor) -> None:
    """A route that comes later is described too, and an unchanged document is not worked out twice."""
    first = door.app.openapi()
    assert door.app.openapi() is first

    @door.app.get("/later")
    async def later(user: BearerUser) -> None: ...

    assert door.app.openapi()["paths"]["/later"]["get"]["security"] == [TOKEN]


def test_before_the_authority_has_answered(tmp_path: Path) -> None:
    """A document written without a running application says where the authority publishes the rest."""
    app = FastAPI()
    Entrada(settings(tmp_path)).install(app)
    routes(app)
    scheme = app.openapi()["components"]["securitySchemes"]["AccessToken"]
    address = f"https://login.microsoftonline.com/{BIRCH.id}/v2.0/.well-known/openid-configuration"
    assert (scheme["type"], scheme["openIdConnectUrl"]) == ("openIdConnect", address)


SCOPES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, [f"{URI}/.default"]),
    ({"swagger_scopes": (f"{URI}/access_as_user",)}, [f"{URI}/access_as_user"]),
    ({"api_audiences": ("https://orders.birch.example/",)}, ["https://orders.birch.example/.default"]),
    ({"tenant_id": None, "b2c_tenant": "contoso.onmicrosoft.com", "b2c_policy": "B2C_1_susi",
      "scopes": ("https://contoso.onmicrosoft.com/api/use",)}, ["https://contoso.onmicrosoft.com/api/use"]),
    ({"tenant_id": None, "issuer": "https://id.example", "scopes": ("orders",)}, ["orders"]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "expected"), SCOPES, ids=["entra", "chosen", "uri", "b2c", "other"])
async def test_scopes_that_bring_a_token_at_all(values: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    """Where no rule demands one, a client still has to ask for something."""
    from entrada.web.openapi import api_scopes

    assert list(api_scopes(settings(tmp_path, **values), [])) == expected


async def test_no_document_where_the_application_wants_none(entra: Entra, tmp_path: Path) -> None:
    """`openapi_url=None` stays a wish for no document, and for no page about it."""
    async with running(entra, tmp_path, app=FastAPI(openapi_url=None)) as door:
        for path in ("/openapi.json", "/docs", "/docs/oauth2-redirect"):
            assert (await door.raw("GET", f"{BASE}{path}")).status_code == 404
