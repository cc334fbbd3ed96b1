"""Bodies without end, and forms of many fields: read to their cap and no further, before anything is parsed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from starlette.types import Message

from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running

HOST = "portal.birch.example"
FORM = "application/x-www-form-urlencoded"
KIB = 1024


@pytest.fixture
async def posting(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application with form_post."""
    async with running(entra, tmp_path, response_mode="form_post") as door:
        yield door


class Endless:
    """A request whose body never ends; `taken` is how many bytes of it were read."""

    def __init__(self, door: FrontDoor, *, first: bytes = b"a=", piece: bytes = b"b" * 4 * KIB) -> None:
        self._app = door.app
        self._pieces = self._body(first, piece)
        self.taken = 0
        self.status = 0

    @staticmethod
    def _body(first: bytes, piece: bytes) -> Iterator[bytes]:
        yield first
        while True:
            yield piece

    async def post(self, path: str, **headers: str) -> "Endless":
        """Send it, and note how it is answered."""
        given = {"host": HOST, "accept": "application/json"} | headers
        scope = {
            "type": "http", "asgi": {"spec_version": "2.4"}, "http_version": "1.1", "method": "POST", "path": path,
            "root_path": "", "query_string": b"", "scheme": "https", "client": ("127.0.0.1", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip
        await self._app(scope, self._receive, self._send)
        return self

    async def _receive(self) -> Message:
        piece = next(self._pieces)
        self.taken += len(piece)
        assert self.taken < 1024 * KIB, "it is still being read"
        return {"type": "http.request", "body": piece, "more_body": True}

    async def _send(self, message: Message) -> None:
        self.status = self.status or message["status"]


async def test_callback(posting: FrontDoor) -> None:
    """SEC-157, REL-052: the posted answer is read to 64 KiB."""
    sent = await Endless(posting, first=b"state=a&code=").post("/api/auth/callback", content_type=FORM)
    assert sent.status == 413
    assert sent.taken <= 72 * KIB


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("path", ["/api/auth/logout", "/note"])
async def test_looking_for_the_token(door: FrontDoor, path: str, kind: str) -> None:
    """SEC-157, SEC-090: the form field is looked for in the first 64 KiB; routes of ours take no more."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    headers = {"cookie": f"{SESSION}={session}", "sec_fetch_site": "same-origin", "content_type": kind}
    sent = await Endless(door).post(path, **headers)
    assert sent.status == (403 if path == "/note" else 413)
    assert sent.taken <= 72 * KIB


async def test_token_behind_the_cap(door: FrontDoor) -> None:
    """SEC-090: a token that comes later than that is not found; nor is one that the cap cuts."""
    browser = await door.signed_in()
    token = browser.page.forms[0].fields["csrf_token"]
    headers = {"cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}", "sec-fetch-site": "same-origin",
               "content-type": FORM, "accept": "application/json"}  # fmt: skip
    for size, status in ((100, 200), (64 * KIB - 20, 403), (80 * KIB, 403)):
        content = f"text={'x' * size}&csrf_token={token}"
        assert (await door.raw("POST", f"{BASE}/note", headers=headers, content=content)).status_code == status


async def test_token_hidden_in_a_multipart_value(door: FrontDoor) -> None:
    """SEC-090: two fields of that name are none, in a multipart form too, whichever is the right one."""
    browser = await door.signed_in()
    token = browser.page.forms[0].fields["csrf_token"]
    headers = {"cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}", "sec-fetch-site": "same-origin",
               "content-type": "multipart/form-data; boundary=b", "accept": "application/json"}  # fmt: skip
    for values, status in (([token], 200), ([token, token], 403), ([token, "A" * 43], 403), (["A" * 43, token], 403)):
        parts = [f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{value}\r\n' for value in values]
        answer = await door.raw("POST", f"{BASE}/note", headers=headers, content="".join(parts) + "--b--\r\n")
        assert answer.status_code == status


async def test_too_many_parameters(door: FrontDoor) -> None:
    """SEC-157: an answer with more parameters than any honest one is not looked at."""
    problem = {"accept": "application/json"}
    few, many = ("&".join(f"a{n}=b" for n in range(number)) for number in (40, 60))
    assert (await door.raw("GET", f"{AUTH}/callback?{few}", headers=problem)).json()["code"] == "invalid_state"
    assert (await door.raw("GET", f"{AUTH}/callback?{many}", headers=problem)).json()["code"] == "invalid_request"


async def test_only_the_callback_itself_is_exempt(posting: FrontDoor) -> None:
    """SEC-092: with form_post, the callback's own path takes cross-site posts, and no path that begins like it."""
    session = "A" * 43
    headers = {"cookie": f"{SESSION}={session}", "sec-fetch-site": "cross-site", "content-type": FORM}
    for path, status in (("/api/auth/callback", 400), ("/api/auth/callbacks", 403), ("/api/auth/callback/", 403)):
        answer = await posting.raw("POST", f"{BASE}{path}", headers=headers, content="state=a&code=b")
        assert answer.status_code == status
