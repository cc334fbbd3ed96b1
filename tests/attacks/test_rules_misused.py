"""A guard that its author has written wrongly opens nothing: it is refused where it is written, or at the start."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.security import SecurityScopes
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles

from entrada import (
    CurrentApp,
    CurrentUser,
    OptionalUser,
    User,
    all_of,
    any_of,
    current_user,
    in_session,
    mfa,
    requires,
    role,
    scope,
)
from entrada.keyring import generate
from entrada.requirements import signed_in_within
from tests.front_door import BASE, running
from tests.standard_provider import ISSUER


@pytest.mark.parametrize(
    "written",
    [
        lambda: requires(role("Admin") and scope("Orders.Read")),
        lambda: requires(role("Admin") or scope("Orders.Read")),
        lambda: requires(not role("Admin")),
        lambda: all_of(role("Admin") and role("Reader"), scope("Orders.Read")),
        lambda: requires("Admin"),
        lambda: requires(role),
        lambda: requires([role("Admin")]),
        lambda: any_of(role("Admin"), "Reader"),
        lambda: requires(None),
        lambda: role(["Admin"]),  # type: ignore[arg-type]
        lambda: mfa(within=5),  # type: ignore[arg-type]
        lambda: mfa(within=timedelta(0)),
        lambda: signed_in_within(300),  # type: ignore[arg-type]
    ],
    ids=["and", "or", "not", "and within", "a name", "a function", "a list", "a name within", "none", "names",
         "a number", "no time", "seconds"],
)  # fmt: skip
def test_rules_that_are_none(written: Callable[[], Any]) -> None:
    """API-5: `and` would let the second rule decide alone; what is no rule is told at once, with the right word."""
    with pytest.raises((TypeError, ValueError), match=r"all_of|write role|takes (one name|a time)"):
        written()


Scoped = Annotated[User, Security(current_user, scopes=["Orders.Read"])]


async def _looked_at(scopes: SecurityScopes, user: CurrentUser) -> User:
    assert set(scopes.scopes) <= user.scopes
    return user


async def _passed_on(user: CurrentUser) -> User:
    return user


def _scopes(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user: Scoped) -> str:
        return user.name


def _scopes_of_rules(app: FastAPI) -> None:
    admin = requires(role("Admin")).dependency

    @app.get("/orders")
    async def orders(user: Annotated[User, Security(admin, scopes=["Orders.Read"])]) -> str:
        return user.name


def _scopes_above(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user: Annotated[User, Security(_passed_on, scopes=["Orders.Read"])]) -> str:
        return user.name


def _scopes_of_a_router(app: FastAPI) -> None:
    router = APIRouter(dependencies=[Security(current_user, scopes=["Orders.Read"])])

    @router.websocket("/orders")
    async def orders() -> None: ...

    app.include_router(router)


def _default(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user=CurrentUser) -> str:  # type: ignore[no-untyped-def]
        return "everybody's"


def _called(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user: Annotated[User, Depends(CurrentUser)]) -> str:
        return user.name


def _called_below(app: FastAPI) -> None:
    async def loaded(user: Annotated[User, Security(CurrentUser)]) -> User:
        return user

    @app.get("/orders", dependencies=[Depends(loaded)])
    async def orders() -> str:
        return "nobody's"


def _called_by_a_router(app: FastAPI) -> None:
    router = APIRouter(dependencies=[Depends(CurrentUser)])

    @router.get("/orders")
    async def orders() -> str:
        return "nobody's"

    app.include_router(router)


def _not_known(app: FastAPI) -> None:
    Reader = Annotated[User, requires(role("Reader"))]  # noqa: N806 - an alias, which FastAPI does not see here
    assert Reader

    @app.get("/orders")
    async def orders(user: "Reader" = None) -> str:  # type: ignore[assignment]
        return "everybody's"


def _not_known_below(app: FastAPI) -> None:
    from entrada import CurrentUser as Here

    async def loaded(user: "Here") -> User:
        return user

    @app.get("/orders", dependencies=[Depends(loaded)])
    async def orders() -> str:
        return "nobody's"


def _noted(app: FastAPI) -> None:
    @app.get("/{user}/orders")
    async def orders(user: Annotated[str, requires]) -> str:
        return "everybody's"


def _noted_rule(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user: Annotated[str, role("Reader")] = "") -> str:
        return "everybody's"


def _noted_below(app: FastAPI) -> None:
    async def loaded(user: Annotated[str, current_user]) -> str:
        return user

    @app.get("/orders", dependencies=[Depends(loaded)])
    async def orders() -> str:
        return "everybody's"


def _rule(app: FastAPI) -> None:
    @app.get("/orders", dependencies=[Depends(in_session)])
    async def orders() -> str:
        return "everybody's"


def _rule_with_defaults(app: FastAPI) -> None:
    @app.get("/orders")
    async def orders(user: Annotated[User, Depends(mfa)]) -> str:
        return "everybody's"


def _rule_of_a_router(app: FastAPI) -> None:
    router = APIRouter(dependencies=[Depends(role)])

    @router.get("/orders")
    async def orders() -> str:
        return "everybody's, who says a name"

    app.include_router(router)


def _mounted(app: FastAPI) -> None:
    below = FastAPI()
    _scopes(below)
    app.mount("/below", below)


@pytest.mark.parametrize(
    "build", [_scopes, _scopes_of_rules, _scopes_above, _scopes_of_a_router, _default, _mounted,
              _called, _called_below, _called_by_a_router, _not_known, _not_known_below,
              _noted, _noted_rule, _noted_below, _rule, _rule_with_defaults, _rule_of_a_router],
    ids=lambda build: build.__name__,
)  # fmt: skip
async def test_what_nobody_would_look_at(entra: Entra, tmp_path: Path, build: Callable[..., Any]) -> None:
    """SEC-129: the application does not start, and the sentence names the route and what to write instead (0376)."""
    mend = r"requires\(scope\('Orders|write `user: CurrentUser`|`user: (Reader|Here)` is a text|for a note|makes a rule"
    with pytest.raises(TypeError, match=rf"/orders: .*({mend})"):
        async with running(entra, tmp_path, build=build):
            pass


@pytest.mark.parametrize(("alias", "mend"), [(CurrentUser, "current_user"), (CurrentApp, "current_app")])
@pytest.mark.parametrize(
    "write",
    [
        lambda app, alias: app.get("/orders", dependencies=[alias])(_nobody),
        lambda app, alias: app.add_api_websocket_route("/orders", _nobody, dependencies=[alias]),
        lambda app, alias: APIRouter(dependencies=[alias]).get("/orders")(_nobody),
        lambda app, alias: FastAPI(dependencies=[alias]).get("/orders")(_nobody),
        lambda app, alias: app.include_router(_router(), dependencies=[alias]),
    ],
    ids=["a route", "a socket", "a router", "an application", "an included router"],
)
async def test_an_alias_in_a_list(entra: Entra, tmp_path: Path, write: Any, alias: Any, mend: str) -> None:
    """SEC-129: an alias where a dependency goes is refused before anybody is served, with what goes there."""
    with pytest.raises(AttributeError, match=rf"in a list of dependencies write Depends\({mend}\) or requires"):
        async with running(entra, tmp_path, build=lambda app: write(app, alias)):
            pass


async def _nobody() -> None: ...


def _router() -> APIRouter:
    router = APIRouter()
    router.add_api_route("/orders", _nobody)
    return router


async def test_scopes_that_somebody_looks_at(entra: Entra, tmp_path: Path) -> None:
    """Whoever reads `SecurityScopes` beside us is believed, and so are defaults that are nobody."""

    def build(app: FastAPI) -> None:
        @app.get("/orders")
        async def orders(
            user: Annotated[User, Security(_looked_at, scopes=["Orders.Read"])],
            again: User = Depends(current_user),
            page: int = 1,
        ) -> str:
            return user.name

    async with running(entra, tmp_path, build=build) as door:
        assert (await door.raw("GET", f"{BASE}/orders", headers={"accept": "application/json"})).status_code == 401


def _shop(app: FastAPI) -> None:
    orders, below = APIRouter(prefix="/orders", dependencies=[Depends(current_user)]), FastAPI()

    @orders.get("/all")
    async def everything() -> str:
        return "yours"

    @app.get("/about")
    async def about() -> str:
        return "everybody's"

    @app.get("/maybe")
    async def maybe(user: OptionalUser) -> str:
        return user.name if user else ""

    @below.get("/admin")
    async def admin(user: Annotated[User, requires(role("Admin"))]) -> str:
        return user.name

    @below.get("/forgotten")
    async def forgotten() -> str:
        return "an oversight"

    app.include_router(orders)
    app.mount("/below", below)
    app.mount("/static", StaticFiles(directory="/nowhere", check_dir=False))
    app.add_route("/raw", lambda _: PlainTextResponse("everybody's"))


OPEN = ("/about", "/below/", "/static/", "/raw")
SAFE = {"tenant_id": None, "issuer": ISSUER, "store": "sqlite:", "client_secret": "k8Q~real-looking-value"}


async def test_sec_129_what_asks_nobody_is_not_served(entra: Entra, tmp_path: Path) -> None:
    """SEC-129: with `deny_by_default` the start names each route that asks nobody who calls and is not open."""
    with pytest.raises(TypeError) as refused:
        async with running(entra, tmp_path, build=_shop, deny_by_default=True, open_paths=("/",)):
            pass
    named = [line.partition(": asks nobody who calls; ")[0] for line in str(refused.value).splitlines()]
    docs = ["/below/openapi.json", "/below/docs", "/below/docs/oauth2-redirect", "/below/redoc"]
    assert sorted(named) == sorted(["/about", "/below/forgotten", *docs, "/static/", "/raw"])
    async with running(entra, tmp_path, build=_shop, deny_by_default=True, open_paths=OPEN) as door:
        assert (await door.raw("GET", f"{BASE}/about")).status_code == 200
        assert (await door.raw("GET", f"{BASE}/orders/all", headers={"accept": "application/json"})).status_code == 401


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"profile": "production"}, "/about /below/forgotten /static/ /raw"),
        ({"profile": "production", "deny_by_default": True, "open_paths": OPEN}, None),
        ({}, None),
    ],
    ids=["production", "denied by default", "development"],
)
async def test_what_asks_nobody_is_told(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture, values: dict[str, Any], paths: str | None
) -> None:
    """SEC-129, SEC-186: in production the log names what everybody may call; documents of what is mounted are gone."""
    caplog.set_level(logging.INFO, logger="entrada")
    async with running(entra, tmp_path, build=_shop, keys=generate(), **(SAFE | values)) as door:
        status = (await door.raw("GET", f"{BASE}/below/openapi.json")).status_code
    told = [record.getMessage() for record in caplog.records if "routes_ask_nobody" in record.getMessage()]
    assert len(told) == (paths is not None)
    assert all(f'paths="{paths}"' in line for line in told)
    assert status == (404 if "profile" in values else 200)
