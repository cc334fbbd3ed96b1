"""A person who signs in and out of workers one step at a time, each step at whichever worker the test likes."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from entrada_emulator.pytest_plugin import Entra

COOKIE = "entrada"
JSON = {"accept": "application/json"}
SCRIPT = {"x-csrf": "1", "sec-fetch-site": "same-origin", **JSON}

Admission = Callable[[str], Awaitable[str]]
"""Takes somebody through the authority's pages, whose address is given; returns the code that they get there."""


def admitted_by(entra: Entra, upn: str) -> Admission:
    """Return how this person comes through the emulator's pages."""

    async def admission(url: str) -> str:
        asked = dict(parse_qsl(urlsplit(url).query))
        return entra.code(
            entra.user(upn),
            redirect_uri=asked["redirect_uri"],
            nonce=asked["nonce"],
            code_challenge=asked["code_challenge"],
            code_challenge_method="S256",
        )

    return admission


class Person:
    """Somebody with a browser, whose way through the authority's pages is taken for granted."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._state = ""
        self._code = ""
        self.client = httpx2.AsyncClient(trust_env=False, timeout=60.0)

    @property
    def session(self) -> str | None:
        """The session that this browser was given."""
        return self.client.cookies.get(COOKIE)

    @property
    def attempts(self) -> list[str]:
        """The names of the cookies of open attempts."""
        return [name for name in self.client.cookies if name.startswith(f"{COOKIE}-signin-")]

    async def start(self, url: str) -> None:
        """Begin to sign in; TransportError when the worker dies."""
        started = await self.client.get(f"{url}/api/auth/login")
        location = started.headers["location"]
        self._state = dict(parse_qsl(urlsplit(location).query))["state"]
        self._code = await self._admission(location)

    async def come_back(self, url: str) -> httpx2.Response:
        """Bring the authority's answer; again and again the same one, as a reload does."""
        answer = {"code": self._code, "state": self._state}
        return await self.client.get(f"{url}/api/auth/callback", params=answer)

    async def sign_in(self, url: str) -> str:
        """Take all steps; return the session."""
        await self.start(url)
        await self.come_back(url)
        assert self.session
        return self.session

    async def sign_out(self, url: str) -> httpx2.Response:
        """Press the button of a script."""
        return await self.client.post(f"{url}/api/auth/logout", headers=SCRIPT)

    async def sessions(self, url: str) -> list[dict[str, Any]]:
        """Return what "my sessions" shows."""
        answer = await self.client.get(f"{url}/api/auth/sessions", headers=JSON)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["sessions"]
        return found

    async def end(self, url: str, handle: object) -> httpx2.Response:
        """End one of the sessions that are shown."""
        return await self.client.delete(f"{url}/api/auth/sessions/{handle}", headers=SCRIPT)

    async def close(self) -> None:
        """Close the browser."""
        await self.client.aclose()
