"""A person who signs in and out of workers one step at a time, each step at whichever worker the test likes."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from entrada_emulator.pytest_plugin import Entra

COOKIE = "entrada"
JSON = {"accept": "application/json"}
SCRIPT = {"x-csrf": "1", "sec-fetch-site": "same-origin", **JSON}


class Person:
    """Somebody with a browser, whose way through the authority's pages is taken for granted."""

    def __init__(self, entra: Entra, upn: str) -> None:
        self._entra = entra
        self._upn = upn
        self._asked: dict[str, str] = {}
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
        location = urlsplit(started.headers["location"])
        self._asked = {name: values[0] for name, values in parse_qs(location.query).items()}
        self._code = self._entra.code(
            self._entra.user(self._upn),
            redirect_uri=self._asked["redirect_uri"],
            nonce=self._asked["nonce"],
            code_challenge=self._asked["code_challenge"],
            code_challenge_method="S256",
        )

    async def come_back(self, url: str) -> httpx2.Response:
        """Bring the authority's answer; again and again the same one, as a reload does."""
        answer = {"code": self._code, "state": self._asked["state"]}
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
