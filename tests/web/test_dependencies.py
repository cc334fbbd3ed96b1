"""Who is calling: what dependencies give and how they refuse, on pages, APIs, WebSockets and mounted applications."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import Depends, FastAPI, Request, WebSocket

from entrada import CurrentUser, OptionalUser, SessionUser, User, current_user, requires, role
from tests.front_door import AUTH, BASE, EVIL, SESSION, FrontDoor, routes, running

HOST = "portal.birch.example"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def build(app: FastAPI) -> None:
    """Add to the small application: one of each way to ask who it is, a WebSocket, and two mounted applications."""
    routes(app)

    @app.get("/session")
    async def session(user: SessionUser) -> str:
        return user.name

    @app.get("/asked-inside")
    async def asked_inside(request: Request) -> str:
        return (await current_user(request)).name

    @app.post("/page")
    async def page(user: CurrentUser) -> str:
        return user.name

    @app.websocket("/socket")
    async def socket(socket: WebSocket, user: CurrentUser) -> None:
        await socket.accept()
        await socket.send_text(user.name)
        await socket.close()

    @app.websocket("/open-socket")
    async def open_socket(socket: WebSocket, user: OptionalUser) -> None:
        await socket.accept()
        await socket.send_text(user.name if user else "stranger")
        await socket.close()

    @app.websocket("/reader")
    async def reader(socket: WebSocket, user: Annotated[User, requires(role("Reader"))]) -> None: ...

    mounted = FastAPI()

    @mounted.get("/reader")
    async def page_of_reader(user: Annotated[User, requires(role("Reader"))]) -> None: ...

    @mounted.get("/inside")
    async def inside(user: CurrentUser) -> str:
        return user.name

    app.mount("/mounted", mounted)


@pytest.fixture
async def rich(entra: Entra, tmp_path: Path) -> Any:
    """The application above."""
    async with running(entra, tmp_path, build=build) as door:
        yield door


@pytest.mark.parametrize("path", ["/private", "/session", "/mounted/inside", "/asked-inside"])
async def test_page_without_a_session(rich: FrontDoor, path: str) -> None:
    """LOG-3: a page that is being opened is sent to sign in and remembers where it was going, also when mounted."""
    answer = await rich.raw("GET", f"{BASE}{path}?a=1", headers=PAGE)
    assert answer.status_code == 302
    login = urlsplit(answer.headers["location"])
    assert login.path == "/api/auth/login"
    assert parse_qs(login.query) == {"return_to": [f"{path}?a=1"]}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": "application/json"},
        {"accept": "*/*"},
        {"accept": "text/html", "sec-fetch-mode": "cors"},
        {"accept": "text/html", "sec-fetch-mode": "no-cors"},
    ],
)
async def test_api_call_without_a_session(rich: FrontDoor, headers: dict[str, str]) -> None:
    """LOG-3, SEC-181: anything but a page gets 401 problem+json with a stable code."""
    answer = await rich.raw("GET", f"{BASE}/private", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"]
    document = answer.json()
    assert document["code"] == "login_required"
    assert document["correlation_id"] == answer.headers["x-correlation-id"]


async def test_mounted_application_refuses_an_api_call(rich: FrontDoor) -> None:
    """A mounted application that knows nothing of us answers with the right status and headers."""
    answer = await rich.raw("GET", f"{BASE}/mounted/inside")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"]


async def test_form_without_a_session(rich: FrontDoor) -> None:
    """REL-065: a form that is sent too late is refused with a page; it is not repeated for whoever signs in next."""
    answer = await rich.raw("POST", f"{BASE}/page", headers=PAGE)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")


async def test_signed_in(rich: FrontDoor) -> None:
    """Each dependency gives the user of the session."""
    browser = await rich.signed_in()
    for path in ("/session", "/mounted/inside", "/asked-inside"):
        assert (await browser.fetch(f"{BASE}{path}")).json() == "Mia Member"
    assert (await browser.fetch(f"{BASE}/")).json() == {"hello": "Mia Member"}


async def test_stranger(rich: FrontDoor) -> None:
    """OptionalUser is None for a stranger."""
    assert (await rich.raw("GET", f"{BASE}/")).json() == {"hello": "stranger"}


async def test_whole_application_guarded(entra: Entra, tmp_path: Path) -> None:
    """An application-wide dependency guards the application's routes, never ours: no redirect loop."""
    app = FastAPI(dependencies=[Depends(current_user)])
    async with running(entra, tmp_path, app=app) as door:
        assert (await door.raw("POST", f"{BASE}/hook")).status_code == 401
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        assert (await door.raw("GET", f"{BASE}/signed-out")).status_code == 200
        browser = await door.signed_in()
        assert "Hello Mia Member" in browser.page.text


async def test_catch_all_route(entra: Entra, tmp_path: Path) -> None:
    """A catch-all of the application does not hide our routes."""

    def catch_all(app: FastAPI) -> None:
        @app.get("/{path:path}")
        async def everything(path: str, user: CurrentUser) -> str:
            return f"{user.name} at {path}"

    async with running(entra, tmp_path, build=catch_all) as door:
        browser = await door.signed_in(page="/some/where")
        assert browser.page.text == '"Mia Member at some/where"'


def test_user_code_is_what_the_readme_shows() -> None:
    """The public names are importable from the package."""
    assert User.__module__ == "entrada.principal"


class Sockets:
    """WebSocket clients on the application, with chosen headers."""

    def __init__(self, door: FrontDoor, *, host: str = HOST) -> None:
        self._door = door
        self._host = host

    async def says(self, path: str, **headers: str) -> str:
        """Return the first message, or the close code of a refusal."""
        lines = [(name.encode(), value.encode()) for name, value in {"host": self._host, **headers}.items()]
        scope = {"type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "wss", "path": path,
                 "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": lines,
                 "client": ("192.0.2.1", 5), "server": (self._host, 443), "subprotocols": []}  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._door.app(scope, receive, send)
        said = next(message for message in sent if message["type"] != "websocket.accept")
        return str(said["text"]) if said["type"] == "websocket.send" else f"refused {said['code']}"


async def test_websocket(rich: FrontDoor) -> None:
    """SEC-093: a WebSocket of ours has the user; without a session it is closed with 1008."""
    session = (await rich.signed_in()).jar.of(HOST)[SESSION]
    sockets = Sockets(rich)
    assert await sockets.says("/socket", cookie=f"{SESSION}={session}", origin=BASE) == "Mia Member"
    assert await sockets.says("/socket", origin=BASE) == "refused 1008"
    assert await sockets.says("/open-socket", origin=BASE) == "stranger"


@pytest.mark.parametrize("origin", [EVIL, "null", f"{BASE}.evil.example", "http://portal.birch.example", None])
async def test_websocket_of_another_site(rich: FrontDoor, origin: str | None) -> None:
    """SEC-093: with the session cookie and another origin, or none, it is refused before the application sees it."""
    session = (await rich.signed_in()).jar.of(HOST)[SESSION]
    headers = {"cookie": f"{SESSION}={session}"} | ({"origin": origin} if origin else {})
    for path in ("/socket", "/open-socket"):
        assert await Sockets(rich).says(path, **headers) == "refused 1008"


async def test_what_is_refused_is_told(rich: FrontDoor, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-145, SEC-181: of a WebSocket, at the gate and in a dependency, and below a mount, as of any request."""
    browser, told = await rich.signed_in(), []
    rich.entrada.on("access_denied")(told.append)
    cookie, sockets = f"{SESSION}={browser.jar.of(HOST)[SESSION]}", Sockets(rich)
    await sockets.says("/socket", cookie=cookie, origin=EVIL)
    await sockets.says("/reader", cookie=cookie, origin=BASE)
    answer = await browser.fetch("/mounted/reader")
    await Sockets(rich, host="testserver").says("/socket")
    assert answer.json()["detail"] == "This needs the role Reader."
    assert [event.resource for event in told] == ["WEBSOCKET /socket", "WEBSOCKET /reader", "GET /mounted/reader"]
    lines = [line for record in caplog.records if (line := record.getMessage()).startswith("refused ")]
    said = ("own pages", "role Reader", "role Reader", "the Host header")
    assert [word in line for word, line in zip(said, lines, strict=True)] == [True] * 4


async def test_websocket_with_a_bearer_token(rich: FrontDoor) -> None:
    """SEC-095: a bearer token on the handshake refuses it, whatever cookie comes along."""
    session = (await rich.signed_in()).jar.of(HOST)[SESSION]
    headers = {"cookie": f"{SESSION}={session}", "origin": BASE, "authorization": "Bearer x"}
    assert await Sockets(rich).says("/socket", **headers) == "refused 1008"


async def test_somebody_without_a_sign_in(entra: Entra, tmp_path: Path) -> None:
    """An application's own tests name somebody by FastAPI's means (docs/testing.md)."""
    app = FastAPI()
    app.dependency_overrides[current_user] = lambda: User(issuer="i", subject="s", name="Mia")
    async with running(entra, tmp_path, app=app, build=build) as door:
        assert (await door.raw("POST", f"{BASE}/page")).json() == "Mia"


async def test_not_installed() -> None:
    """A dependency without Entrada says how to install it."""
    app = FastAPI()
    routes(app)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=AUTH) as client:
        with pytest.raises(RuntimeError, match=r"Entrada\(\)\.install\(app\)"):
            await client.get(f"{BASE}/private")
