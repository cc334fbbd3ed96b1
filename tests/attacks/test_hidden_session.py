"""What stands behind our layer never holds the session cookie: no log of headers, no error tracker can keep it."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request

from entrada import CurrentUser
from tests.front_door import BASE, SESSION, routes, running

HOST = "portal.birch.example"


def shown(app: FastAPI) -> None:
    routes(app)

    @app.get("/seen")
    async def seen(request: Request, user: CurrentUser) -> dict[str, object]:
        return {"user": user.name, "cookies": request.cookies, "lines": [str(line) for line in request.headers.raw]}


@pytest.mark.parametrize(
    ("sent", "others"),
    [
        ("{ours}", {}),
        ("theme=dark; {ours}; lang=de", {"theme": "dark", "lang": "de"}),
        ("{ours};lang=de", {"lang": "de"}),
        ("theme=dark; \t{ours} ", {"theme": "dark"}),
    ],
)
async def test_the_application_sees_its_own_cookies_only(
    entra: Entra, tmp_path: Path, sent: str, others: dict[str, str]
) -> None:
    """SEC-146: the person is known, and the application's cookies are as they came."""
    async with running(entra, tmp_path, build=shown) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        cookie = sent.format(ours=f"{SESSION}={session}")
        answer = await door.raw("GET", f"{BASE}/seen", headers={"cookie": cookie, "accept": "application/json"})
    assert answer.json()["user"].startswith("Mia ")
    assert answer.json()["cookies"] == others
    assert session not in answer.text
