"""An application with Entrada on it, an emulated tenant beside it, browsers for people: the real parts, no sockets."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from entrada import (
    ApiClient,
    CsrfToken,
    CurrentUser,
    Entrada,
    Event,
    OptionalUser,
    Settings,
    api_client,
)
from entrada.users.database import FILE_NAME, Database
from tests.browser import Browser
from tests.internet import Internet
from tests.page import Page

BASE = "https://portal.birch.example"
EVIL = "https://evil.example"
AUTHORITY = "https://login.microsoftonline.com"
AUTH = f"{BASE}/api/auth"
SESSION = "__Host-entrada"
SECRET = "emulator-secret-birch-portal"

Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]

_ran_before = tempfile.TemporaryDirectory()

NOTICED_WITHIN = 0.5  # seconds; what Redis has said before is believed for 0.4


@dataclass(slots=True)
class FrontDoor:
    """One running application and the world around it."""

    app: FastAPI
    entrada: Entrada
    entra: Entra
    internet: Internet
    events: list[Event] = field(default_factory=list)

    def browser(self, **options: Any) -> Browser:
        """Return another person's browser."""
        return Browser(self.internet, **options)

    def calls(self, endpoint: str) -> int:
        """Return how often the authority's endpoint was called by us or by people."""
        return sum(1 for _, url in self.internet.calls if url.startswith(AUTHORITY) and endpoint in url)

    async def raw(
        self, method: str, url: str, *, headers: Any = (), content: str | bytes = "", own_host: bool = True
    ) -> httpx2.Response:
        """Send one request as any program could: with these headers and no others."""
        body = content.encode() if isinstance(content, str) else content
        request = httpx2.Request(method, url, headers=headers, content=body)
        if not own_host:
            request.headers = httpx2.Headers(headers)
        answer = await self.internet.handle_async_request(request)
        await answer.aread()
        return answer

    async def reuse(self, session_id: str) -> int:
        """Return how `me` answers whoever presents this session id."""
        answer = await self.browser().fetch(f"{AUTH}/me", headers={"cookie": f"{SESSION}={session_id}"})
        return answer.status_code

    async def out_of_reach(self, session_id: str) -> None:
        """Wait until the store's loss is noticed; no request that begins half a second after it is served any more."""
        lost = began = time.monotonic()
        while (status := await self.reuse(session_id)) == 200:
            assert began - lost < NOTICED_WITHIN
            await asyncio.sleep(0)
            began = time.monotonic()
        assert status == 503

    async def signed_in(self, upn: str = "mia@birch.example", *, page: str = "/private") -> Browser:
        """Return the browser of a person who has signed in."""
        browser = self.browser()
        await browser.open(BASE + page)
        await walk_through(browser, upn)
        return browser

    async def admitted(self, upn: str = "mia@birch.example") -> str:
        """Sign a person in without the authority's pages, which take longer than all else; return the session id."""
        async with httpx2.AsyncClient(transport=self.internet, base_url=BASE) as client:
            started = await client.get(f"{AUTH}/login", headers={"accept": "text/html"})
            address = urlsplit(started.headers["location"])
            asked = dict(parse_qsl(address.query)) | {"path_tenant": address.path.split("/")[1]}
            names = ("client_id", "path_tenant", "redirect_uri", "nonce", "code_challenge", "code_challenge_method")
            code = self.entra.code(self.entra.user(upn), **{name: asked[name] for name in names})
            await client.get(f"{AUTH}/callback", params={"code": code, "state": asked["state"]})
            return str(client.cookies[SESSION])


async def walk_through(browser: Browser, upn: str = "mia@birch.example") -> Page:
    """Go through the authority's pages: pick the person, do not stay signed in, agree to what is asked."""
    await browser.press(upn)
    while browser.page.url.startswith(AUTHORITY):
        button = next((each for each in ("No", "Accept", "Continue") if browser.page.has_button(each)), None)
        assert button, f"not known here: {browser.page.title!r}\n{browser.page.text}"
        await browser.press(button)
    return browser.page


def settings(data_dir: Path, **values: Any) -> Settings:
    """Return the settings of the portal, with some of them otherwise."""
    given = {
        "base_url": BASE,
        "tenant_id": seeds.BIRCH.id,
        "client_id": seeds.WEB_APP,
        "client_secret": SECRET,
        "data_dir": data_dir,
        "store": "memory:",
    }
    return Settings.load(**(given | values))


PORTAL = APIRouter()
"""The pages of a small application, made once: that takes a fifth of the time that a door takes."""


@PORTAL.get("/")
async def home(user: OptionalUser) -> dict[str, str]:
    return {"hello": user.name if user else "stranger"}


@PORTAL.get("/private")
async def private(user: CurrentUser, csrf_token: CsrfToken) -> HTMLResponse:
    return HTMLResponse(
        f"<title>Private</title><p>Hello {user.name}</p>"
        '<form method="post" action="/api/auth/logout">'
        f'<input type="hidden" name="csrf_token" value="{csrf_token}"><button>Sign out</button></form>'
        '<form method="post" action="/note">'
        f'<input type="hidden" name="csrf_token" value="{csrf_token}"><input name="text">'
        "<button>Save</button></form>"
    )


@PORTAL.post("/note")
async def note(user: CurrentUser) -> dict[str, str]:
    return {"saved by": user.name}


@PORTAL.get("/graph")
async def graph(client: Graph) -> dict[str, str]:
    answer = await client.get("/me")
    return {"name": answer.json()["displayName"], "source": client.token_source}


@PORTAL.get("/elsewhere")
async def elsewhere(client: Graph) -> dict[str, int]:
    return {"status": (await client.get("https://evil.example/collect")).status_code}


@PORTAL.post("/hook")
async def hook() -> dict[str, str]:
    return {"heard": "yes"}


@PORTAL.post("/length")
async def length(request: Request, user: CurrentUser) -> dict[str, int]:
    return {"length": len(await request.body())}


@PORTAL.get("/broken")
async def broken() -> None:
    raise ValueError("the words of the exception")


def routes(app: FastAPI) -> None:
    """Add the pages of a small application; made anew where the application demands something of all its routes."""
    if app.router.dependencies:
        app.include_router(PORTAL)
    else:
        app.router.routes.extend(PORTAL.routes)


@asynccontextmanager
async def running(
    entra: Entra,
    data_dir: Path,
    *,
    build: Callable[[FastAPI], None] = routes,
    app: FastAPI | None = None,
    options: dict[str, Any] | None = None,
    hosts: dict[str, Any] | None = None,
    **values: Any,
) -> AsyncIterator[FrontDoor]:
    """Run the application: `values` are settings, `options` arguments of Entrada, `hosts` further sites."""
    app = app or FastAPI()
    if "database_url" not in values:
        await leave_database(data_dir)
    internet = Internet({"login.microsoftonline.com": entra.app, "graph.microsoft.com": entra.app, **(hosts or {})})
    wanted = settings(data_dir, **values)
    given = {"clock": entra.state.clock.now, "transport": internet, **(options or {})}
    entrada = Entrada(wanted, **given)
    door = FrontDoor(app, entrada, entra, internet)
    for name in ("sign_in", "sign_in_failed", "sign_out", "session_ended", "renewal_failed"):
        entrada.on(name)(door.events.append)
    entrada.install(app)
    build(app)
    internet.hosts[wanted.base_url.partition("://")[2]] = app
    async with app.router.lifespan_context(app):
        yield door


async def leave_database(data_dir: Path) -> None:
    """Leave the users' database as an application does that ran before: most of a first start is making its tables."""
    folder = Path(_ran_before.name)
    if not any(folder.iterdir()):
        database = Database(None, data_dir=folder)
        await database.bring_up()
        await database.close()
    if not any(data_dir.glob(f"{FILE_NAME}*")):
        shutil.copytree(folder, data_dir, dirs_exist_ok=True)
