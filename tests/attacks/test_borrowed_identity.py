"""Who somebody is comes from the verified ID token: never from an access token, userinfo, or Graph."""

import ast
import base64
import json
from pathlib import Path
from typing import Any

from entrada_emulator.pytest_plugin import Entra

import entrada
from tests.front_door import AUTH, BASE, running
from tests.internet import Application, Message

LIBRARY = Path(entrada.__file__).parent
ADMIN = {"oid": "00000000-0000-4000-8000-00000000000a", "name": "Admin", "preferred_username": "admin@birch.example"}


def segment(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


FORGED = f"{segment({'typ': 'JWT', 'alg': 'none'})}.{segment(ADMIN | {'roles': ['Admin'], 'aud': 'x'})}."


def with_access_token(authority: Application, value: str) -> Application:
    """Return the authority with another access token in its token answers; the ID token stays as it is."""

    async def changed(scope: Any, receive: Any, send: Any) -> None:
        held: list[Message] = []

        async def change(message: Message) -> None:
            if not scope["path"].endswith("/token"):
                await send(message)
                return
            held.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                await answer()

        async def answer() -> None:
            document = json.loads(b"".join(each.get("body", b"") for each in held))
            body = json.dumps(document | {"access_token": value}).encode()
            kept = [pair for pair in held[0]["headers"] if pair[0] != b"content-length"]
            await send({**held[0], "headers": kept})
            await send({"type": "http.response.body", "body": body})

        await authority(scope, receive, change)

    return changed


async def test_access_token_is_opaque(entra: Entra, tmp_path: Path) -> None:
    """SEC-031: an access token that claims to be an administrator's, or is no JWT at all, changes nobody's identity."""
    for value in (FORGED, "opaque-and-not-a-jwt", "EwB~opaque+with/more="):
        hosts = {"login.microsoftonline.com": with_access_token(entra.app, value)}
        async with running(entra, tmp_path / str(len(value)), hosts=hosts) as door:
            browser = await door.signed_in()
            me = (await browser.fetch(f"{AUTH}/me")).json()
        assert (me["name"], me["username"], me["roles"]) == ("Mia Member", "mia@birch.example", [])


async def test_access_token_goes_out_as_it_came(entra: Entra, tmp_path: Path) -> None:
    """SEC-031: it is handed to its API unread."""
    heard: list[str] = []

    async def graph(scope: Any, receive: Any, send: Any) -> None:
        heard.append(dict(scope["headers"])[b"authorization"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"displayName": "Admin", "id": "another"}'})

    hosts = {"login.microsoftonline.com": with_access_token(entra.app, FORGED), "graph.microsoft.com": graph}
    async with running(entra, tmp_path, hosts=hosts, graph_profile=False) as door:
        browser = await door.signed_in()
        assert (await browser.fetch(f"{BASE}/graph")).json()["name"] == "Admin"
        assert heard == [f"Bearer {FORGED}"]
        assert (await browser.fetch(f"{AUTH}/me")).json()["name"] == "Mia Member"


async def test_nobody_else_is_asked_who_it_is(entra: Entra, tmp_path: Path) -> None:
    """SEC-032: a sign-in asks neither userinfo nor Graph, so no answer of theirs can become an identity.

    What `graph_profile` asks afterwards is for display, and is taken for the person's own object id only.
    """
    async with running(entra, tmp_path, graph_profile=False) as door:
        await door.signed_in()
        asked = [url for _, url in door.internet.calls if "userinfo" in url or "graph.microsoft.com" in url]
    assert asked == []


def test_no_way_to_userinfo() -> None:
    """SEC-032: the address of userinfo is checked with the metadata and read by nobody."""
    readers = {
        path.name
        for path in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "userinfo_endpoint"
    }
    assert readers == set()
