"""What `Entrada(...).install(app)` does to an application, and what it leaves alone."""

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import Depends, FastAPI, Request
from httpx2 import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.testclient import TestClient

from entrada import ApiClient, Entrada, Event, Settings, SettingsRefused, api_client, app_client, requires, role
from entrada.keyring import generate
from tests.descriptors import open_below
from tests.front_door import BASE, FrontDoor, running, settings


async def test_life_span_is_wrapped(entra: Entra, tmp_path: Path) -> None:
    """The application's own life span runs inside ours, and its state reaches the requests."""
    steps = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        steps.append("up")
        yield {"colour": "green"}
        steps.append("down")

    app = FastAPI(lifespan=lifespan)
    seen = []
    async with running(entra, tmp_path, app=app):
        steps.append("running")
        async with app.router.lifespan_context(app) as state:
            seen.append(state)
    assert seen == [{"colour": "green"}]
    assert steps[:2] == ["up", "running"]
    assert steps[-1] == "down"


async def test_listeners(entra: Entra, tmp_path: Path) -> None:
    """`on` decorates, leaves the function as it is, and one that fails changes nothing for the person."""
    heard: list[str | None] = []

    def build(app: FastAPI) -> None:
        @app.get("/who")
        async def who(request: Request) -> str:
            return request.method

    async with running(entra, tmp_path) as door:

        @door.entrada.on("sign_in")
        async def note(event: Event) -> None:
            heard.append(event.user_key)
            raise ValueError("a listener's own trouble")

        browser = await door.signed_in()
        assert "Hello Mia Member" in browser.page.text
        assert callable(note)
    person = entra.user()
    assert heard == [f"{person.tenant_id}:{person.id}"]


def test_nothing_is_open_before_the_start(tmp_path: Path) -> None:
    """SQLite wants no open file carried across a fork; and what is never started has nothing to close."""
    app = FastAPI()
    Entrada(settings(tmp_path, store="sqlite:")).install(app)
    assert open_below(tmp_path) == []


def test_twice(tmp_path: Path) -> None:
    """A second installation on one application is refused in plain words."""
    app, entrada = FastAPI(), Entrada(settings(tmp_path))
    entrada.install(app)
    with pytest.raises(RuntimeError, match="installed on this application already"):
        entrada.install(app)


GRAPH = "https://graph.microsoft.com"


def _route(default: Any) -> None:
    @FastAPI().get("/")
    async def route(given: Any = default) -> None: ...


async def _bare(graph: ApiClient) -> None: ...


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda given: Entrada(FastAPI()), r"Entrada\(\)\.install\(app\)"),
        (lambda given: Entrada(given).install(Starlette()), "the FastAPI application itself"),
        (lambda given: Entrada(given).on("login"), "no event is called 'login'; there are sign_in, "),
        (lambda given: api_client("graph.microsoft.com", "User.Read"), "begins with https://"),
        (lambda given: app_client("graph.microsoft.com"), "begins with https://"),
        (lambda given: _route(Depends(requires(role("Admin")))), r"write Annotated\[…, requires\(…\)\] at a parameter"),
        (lambda given: requires(role("Admin"))(_route), r"requires\(…\) is a dependency already, and no decorator"),
        (lambda given: _route(Depends(api_client(GRAPH, "User.Read"))), r"Annotated\[…, api_client\(…\)\]"),
        (lambda given: _route(Depends(app_client(GRAPH, f"{GRAPH}/.default"))), r"Annotated\[…, app_client\(…\)\]"),
        (lambda given: FastAPI().get("/")(_bare), r"Annotated\[ApiClient, api_client\(…\)\]"),
    ],
    ids=[
        "an-application",
        "starlette",
        "event",
        "address",
        "applications-address",
        "depends-on-rule",
        "rule-decorates",
        "depends-on-client",
        "depends-on-own-client",
        "bare-client",
    ],
)
def test_mistakes(tmp_path: Path, mistake: Callable[[Any], Any], said: str) -> None:
    """What one writes wrongly in the first hour is refused where it stands, with what to write instead."""
    with pytest.raises((TypeError, ValueError), match=said):
        mistake(settings(tmp_path))


async def test_installed_too_late(tmp_path: Path) -> None:
    """An application that has started is not guarded any more: the life span is no place for it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        Entrada(settings(tmp_path)).install(app)
        yield

    app = FastAPI(lifespan=lifespan)
    with pytest.raises(RuntimeError, match=r"call install\(\) where it is made, not in its life span"), TestClient(app):
        pass


@pytest.mark.parametrize("secret", [None, "a-long-one-from-the-portal-0"])
def test_without_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture, secret: str | None) -> None:
    """Who forgot the secret reads at the start that there is none: for PKCE alone it is right."""
    caplog.set_level(logging.INFO, logger="entrada")
    Entrada(settings(tmp_path, client_secret=secret)).install(FastAPI())
    told = [record.message for record in caplog.records if record.message.startswith("public_client ")]
    assert [("AZURE_CLIENT_SECRET" in line and "[hidden]" not in line) for line in told] == ([] if secret else [True])


def test_settings_that_nobody_has_checked(tmp_path: Path) -> None:
    """SEC-183: settings that were made without `Settings.load` are checked like any others."""
    checked = settings(tmp_path)
    unchecked = Settings(**{**checked.model_dump(), "profile": "production"})
    with pytest.raises(SettingsRefused, match="keys: production needs its own"):
        Entrada(unchecked)


async def test_what_is_said_of_a_start(entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Sessions in memory, and an application below a path, are told in the log: neither is what it seems."""
    caplog.set_level(logging.WARNING, logger="entrada")
    app = FastAPI()
    app.root_path = "/portal"  # as uvicorn --root-path, and as a mount does
    async with running(entra, tmp_path, app=app) as door:
        for _ in range(2):
            await door.raw("GET", f"{BASE}/portal/private")
    told = [record.message.partition(" ")[0] for record in caplog.records]
    assert [name for name in told if name in {"sessions_in_memory", "below_a_path"}] == [
        "sessions_in_memory",
        "below_a_path",
    ]


def test_wrong_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LOG-10: without settings the start is refused, and every fault is named with its mend."""
    monkeypatch.chdir(tmp_path)
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "ENTRADA_CLIENT_ID", "ENTRADA_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsRefused, match="client_id: missing; set AZURE_CLIENT_ID") as refused:
        Entrada()
    assert any(fault.startswith("tenant_id:") for fault in refused.value.faults)


def test_naming_a_dependency_loads_little() -> None:
    """The libraries behind sign-in, users and pages are loaded when Entrada is installed, not when it is named."""
    code = "import sys, entrada; from entrada import Entrada, CurrentUser, api_client; print(' '.join(sys.modules))"
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"],
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"msal", "requests", "sqlalchemy", "alembic", "aiosqlite", "jinja2"}


def test_a_system_without_locks_is_told_in_one_line() -> None:
    """Where there is no `fcntl`, as on Windows, the import ends with what to do, and nothing behind it."""
    paths = [path for path in sys.path if path]
    code = f"import sys; sys.path[:0] = {paths!r}; sys.modules['fcntl'] = None; import entrada"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("ImportError: Entrada runs on Linux and macOS; on Windows")
    assert "ModuleNotFoundError" not in done.stderr


async def test_openapi_is_the_applications(door: FrontDoor) -> None:
    """Our routes and dependencies add nothing to the application's OpenAPI document."""
    document = (await door.raw("GET", f"{BASE}/openapi.json")).json()
    assert not [path for path in document["paths"] if path.startswith("/api/auth")]
    assert "parameters" not in document["paths"]["/private"]["get"]


@asynccontextmanager
async def _their_own(app: FastAPI) -> AsyncIterator[None]:
    yield


def _mounted(inner: FastAPI) -> FastAPI:
    outer = FastAPI()
    outer.mount("/below", inner)
    return outer


def _replaced(app: FastAPI) -> FastAPI:
    app.router.lifespan_context = _their_own
    return app


PRODUCTION = {
    "profile": "production", "store": "sqlite:", "keys": generate(),
    "tenant_id": "11111111-1111-4111-8111-111111111111", "client_secret": "a-long-one-from-the-portal-0",
}  # fmt: skip


@pytest.mark.parametrize("lose", [_mounted, _replaced])
@pytest.mark.parametrize("given", [{}, PRODUCTION], ids=["development", "production"])
async def test_a_life_span_that_is_not_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lose: Callable[[FastAPI], FastAPI], given: dict[str, Any]
) -> None:
    """SEC-129, SEC-183: without it nothing of the start is checked; it is told once, and production lets nobody in."""
    inner = FastAPI()

    @inner.get("/hello")
    async def hello() -> str:
        return "hello"

    Entrada(settings(tmp_path, **given)).install(inner)
    app = lose(inner)
    path = "/below/hello" if app is not inner else "/hello"
    async with app.router.lifespan_context(app), AsyncClient(transport=ASGITransport(app), base_url=BASE) as client:
        answers = [(await client.get(path)).status_code for _ in range(2)]
    assert answers == ([503] * 2 if given else [200] * 2)
    said = [line.message for line in caplog.records if "life_span_not_run" in line.message]
    assert len(said) == 1
    assert "FastAPI(lifespan=…)" in said[0]
