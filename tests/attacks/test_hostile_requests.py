"""Whatever a stranger sends, we answer with less than 500, and without a word of the inside."""

import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.front_door import SESSION, FrontDoor

PATHS = [
    "/api/auth/login",
    "/api/auth/callback",
    "/api/auth/logout",
    "/api/auth/me",
    "/signed-out",
    "/health",
    "/ready",
    "/private",
    "/",
    "/graph",
    "/entrada/static/x/entrada.css",
    "/entrada/static/../../etc/passwd",
    "//evil.example",
    "/nowhere",
]
NAMES = [
    "state",
    "code",
    "error",
    "error_description",
    "error_subcode",
    "iss",
    "return_to",
    "login_hint",
    "csrf_token",
    "again",
    "session_state",
]
HEADERS = [
    "accept",
    "content-type",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "x-csrf",
    "authorization",
    "user-agent",
    "content-length",
]
COOKIES = (SESSION, f"{SESSION}-signin-{'x' * 16}", f"{SESSION}-visits", f"{SESSION}-leaving", "", "a")
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "PROPFIND"]
PLAUSIBLE = [
    "text/html",
    "application/json",
    "application/x-www-form-urlencoded",
    "same-origin",
    "none",
    "navigate",
    "1",
    "Bearer",
    "multipart/form-data;boundary=b",
    "multipart/form-data",
    "https://portal.birch.example",
]
NASTY = [
    *("", "\x00", "é", "\r\nSet-Cookie: a=b", "<script>alert(1)</script>", "' OR 1=1 --", "../../etc/passwd", "%00"),
    *("%", "%ff", "A" * 3000, "A" * 43, "//evil.example", "{{7*7}}", "\U0001f600", "-1", "null", "[]", "a&state=b"),
    *("\u202e", "${jndi:ldap://x}", "; ;=;,", '"', "\xff\xfe", "9" * 5000),
]
ROUNDS = 500


class Stranger:
    """Makes hostile requests from dice and keeps what came back."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.body = self._bytes()
        self.status = 0
        self.answered: dict[str, str] = {}
        self.text = b""

    def scope(self) -> dict[str, Any]:
        """Return one request."""
        dice = self._dice
        headers = [(b"host", b"portal.birch.example")]
        headers += [(name.encode(), self._bytes()) for name in HEADERS if dice.random() < 0.3]
        headers += [(b"cookie", f"{dice.choice(COOKIES)}=".encode() + self._bytes()) for _ in range(dice.randint(0, 3))]
        pairs = [f"{dice.choice(NAMES)}=".encode() + self._bytes() for _ in range(dice.randint(0, 4))]
        path = dice.choice(PATHS)
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": dice.choice(METHODS),
            "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": b"&".join(pairs),
            "root_path": "", "headers": headers, "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 443),
        }  # fmt: skip

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.answered = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        self.text += message.get("body", b"")

    def _bytes(self) -> bytes:
        text = self._dice.choice(NASTY + PLAUSIBLE)
        return quote(text).encode() if self._dice.random() < 0.5 else text.encode()


@pytest.mark.parametrize("seed", range(4))
async def test_no_error_of_ours(door: FrontDoor, seed: int) -> None:
    """SEC-182, SEC-177, SEC-119: thousands of mangled requests: no 5xx, no traceback, no markup or header of theirs."""
    for number in range(ROUNDS):
        stranger = Stranger(seed * ROUNDS + number)
        scope = stranger.scope()
        await door.app(scope, stranger.receive, stranger.send)
        assert 200 <= stranger.status < 500, (scope, stranger.text)
        for inside in (b"Traceback", b"<script>alert", b"site-packages"):
            assert inside not in stranger.text, scope
        for name, value in stranger.answered.items():
            assert value.isascii(), (name, value)
            assert "\r" not in value, (name, value)
            assert "\n" not in value, (name, value)
        location = stranger.answered.get("location", "/")
        assert location.startswith(("/", "https://login.microsoftonline.com/")), scope
        assert not location.startswith("//"), scope
