"""What is wrong with a proxy stops the start, all of it at once (SEC-183, BEY-11)."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import APIRouter, FastAPI

from entrada import Rule, proxy, role
from entrada.keyring import generate
from entrada.web.route_faults import refuse_faults
from tests.attacks.test_production import PRODUCTION
from tests.docs.blocks import python_blocks
from tests.front_door import BASE, routes, running, settings
from tests.proxied import SCOPE

GOOD: dict[str, Any] = {"to": "https://orders.birch.example/v1", "scopes": [SCOPE]}

WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no scheme": ("/api/x", {"to": "orders.birch.example"}, "`to` is the address of the upstream"),
    "another scheme": ("/api/x", {"to": "ftp://orders.birch.example"}, "https, a host, and nothing beside a path"),
    "a name in it": ("/api/x", {"to": "https://me:secret@orders.birch.example"}, "https, a host"),
    "a query": ("/api/x", {"to": "https://orders.birch.example/?a=1"}, "nothing beside a path"),
    "a fragment": ("/api/x", {"to": "https://orders.birch.example/#a"}, "nothing beside a path"),
    "a port that is none": ("/api/x", {"to": "https://orders.birch.example:99999"}, "`to` is the address"),
    "a step": ("/api/x", {"to": "https://orders.birch.example/v1/../v2"}, "its path has a step"),
    "no text": ("/api/x", {"to": None}, "`to` is the address"),
    "no scopes": ("/api/x", {"scopes": []}, "`scopes` is a list"),
    "scopes as a text": ("/api/x", {"scopes": "User.Read"}, "`scopes` is a list"),
    "an unknown method": ("/api/x", {"methods": ["GET", "TRACE"]}, "`methods` has TRACE: there are DELETE, GET"),
    "a method in small letters": ("/api/x", {"methods": ["get"]}, "`methods` has get"),
    "no methods": ("/api/x", {"methods": []}, "nothing would be passed on"),
    "a cookie of ours": ("/api/x", {"cookies": ["__Host-entrada"]}, "a cookie of ours"),
    "another cookie of ours": ("/api/x", {"cookies": ["__Host-entrada-device"]}, "a cookie of ours"),
    "no cookie": ("/api/x", {"cookies": ["a=b"]}, "is no name of a cookie"),
    "no patience": ("/api/x", {"patience": timedelta()}, "`patience` is a timedelta"),
    "a number": ("/api/x", {"patience": 30}, "`patience` is a timedelta"),
    "a final slash": ("/api/x/", {}, "the prefix is a plain path"),
    "a parameter": ("/api/{x}", {}, "the prefix is a plain path"),
    "a step in the prefix": ("/api/../x", {}, "the prefix is a plain path"),
    "above ours": ("/api", {}, "is ours: choose a prefix"),
    "ours": ("/api/auth/login", {}, "is ours: choose a prefix"),
    "below ours": ("/health/x", {}, "/health is ours"),
}


async def test_all_at_once(entra: Entra, tmp_path: Path) -> None:
    """Each fault is named with its prefix and how to mend it, and one start names them all."""

    def build(app: FastAPI) -> None:
        for prefix, given, _ in WRONG.values():
            proxy(app, prefix, **{**GOOD, **given})

    with pytest.raises(TypeError) as refused:
        async with running(entra, tmp_path, build=build):
            pass
    lines = str(refused.value).splitlines()
    missing = {name for name, (prefix, _, said) in WRONG.items()
               if not any(line.startswith(f"{prefix}: ") and said in line for line in lines)}  # fmt: skip
    assert not missing
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("one", ["/api/orders", "/api/orders/old", "/api"], ids=str)
async def test_overlapping(entra: Entra, tmp_path: Path, one: str) -> None:
    """One prefix within another, with a method in common, would depend on who comes first: the start is refused."""

    def build(app: FastAPI) -> None:
        proxy(app, "/x/api/orders", **GOOD)
        proxy(app, f"/x{one}", to="https://other.birch.example", scopes=[SCOPE])

    with pytest.raises(TypeError, match="overlaps the proxy at"):
        async with running(entra, tmp_path, build=build):
            pass


async def test_in_production(entra: Entra, tmp_path: Path) -> None:
    """SEC-024: in production a token goes over no line in clear, not even on this machine."""

    def build(app: FastAPI) -> None:
        proxy(app, "/api/x", to="http://orders.birch.example", scopes=[SCOPE])
        proxy(app, "/api/y", to="http://127.0.0.1:8001", scopes=[SCOPE])
        proxy(app, "/api/z", **GOOD)

    with pytest.raises(TypeError) as refused:
        async with running(entra, tmp_path, build=build, keys=generate(), **PRODUCTION):
            pass
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == ["/api/x", "/api/y"]


async def test_without_the_package(entra: Entra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package for WebSockets is missing, whoever wants them is told so, and others are not."""
    monkeypatch.setitem(sys.modules, "websockets", None)

    def build(app: FastAPI) -> None:
        proxy(app, "/x/live", **GOOD, websockets=True)
        proxy(app, "/x/still", **GOOD)

    with pytest.raises(TypeError) as refused:
        async with running(entra, tmp_path, build=build):
            pass
    assert str(refused.value) == "/x/live: WebSockets need the package websockets: pip install 'entrada[websockets]'"


def test_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block of docs/proxy.md makes an application that has nothing wrong with it, in production too."""
    (block,) = [each for each in python_blocks() if each.page.name == "proxy.md"]
    monkeypatch.chdir(tmp_path)
    for name, value in {"TENANT_ID": PRODUCTION["tenant_id"], "CLIENT_ID": "x", "CLIENT_SECRET": "y"}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    written: dict[str, Any] = {"__name__": "written"}
    exec(compile(block.code, str(block), "exec"), written)
    refuse_faults(written["app"], settings(tmp_path, keys=generate(), **PRODUCTION))


def test_no_rule() -> None:
    """What is no rule is refused where it is written, as by `requires`."""
    wrong: Any = "Orders.Read"
    with pytest.raises(TypeError, match="rule"):
        proxy(FastAPI(), "/api/x", **GOOD, rule=wrong)
    rule: Rule = role("Buyer")
    proxy(FastAPI(), "/api/x", **GOOD, rule=rule)


async def test_many_of_them(entra: Entra, tmp_path: Path) -> None:
    """Many upstreams, some in routers, some for other methods of one prefix: the application starts, and documents
    only what is its own."""

    def build(app: FastAPI) -> None:
        routes(app)
        router = APIRouter(prefix="/api")
        proxy(router, "/orders", **GOOD, methods=["GET", "HEAD"])
        proxy(router, "/orders", **GOOD, methods=["POST"], websockets=True)
        app.include_router(router)
        proxy(app, "/api/orders-of-others", **GOOD)
        proxy(app, "/api/graph", to="https://graph.microsoft.com/v1.0", scopes=["User.Read"])

    async with running(entra, tmp_path, build=build) as door:
        assert not [path for path in door.app.openapi()["paths"] if path.startswith("/api")]
        session = await door.admitted()
        answer = await door.raw("GET", f"{BASE}/api/graph/me", headers={"cookie": f"__Host-entrada={session}"})
        assert (answer.status_code, answer.json()["displayName"]) == (200, "Mia Member")
