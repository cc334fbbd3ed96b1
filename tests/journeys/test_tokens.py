"""Calling an API as the person who is signed in."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from entrada_emulator.directory import seeds
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, api_client
from tests.front_door import AUTHORITY, BASE, SESSION, FrontDoor, routes, running

HOST = "portal.birch.example"


async def graph(door: FrontDoor, session: str) -> tuple[int, dict[str, str]]:
    """Call the application's Graph route with a session."""
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    answer = await door.raw("GET", f"{BASE}/graph", headers=headers)
    return answer.status_code, answer.json()


async def near_expiry(door: FrontDoor, session: str) -> None:
    """Let the access token grow old while the session is in use."""
    for _ in range(3):
        door.entra.state.clock.move(timedelta(minutes=40))
        await door.reuse(session)


async def test_from_the_cache(door: FrontDoor) -> None:
    """TOK-2, TOK-5, TOK-6: Graph answers with the person's own token, which came from the session's cache."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    asked = door.calls("/token")
    assert await graph(door, session) == (200, {"name": "Mia Member", "source": "cache"})
    assert door.calls("/token") == asked


async def test_renewed(door: FrontDoor) -> None:
    """TOK-2: an expired token is renewed once, kept, and then comes from the cache again."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    assert await graph(door, session) == (200, {"name": "Mia Member", "source": "identity_provider"})
    assert await graph(door, session) == (200, {"name": "Mia Member", "source": "cache"})


async def test_many_requests_one_renewal(door: FrontDoor) -> None:
    """TOK-4, SEC-106: thirty requests meet one expired token; one renewal is sent and all succeed."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    asked = door.calls("/token")
    answers = await asyncio.gather(*[graph(door, session) for _ in range(30)])
    assert {status for status, _ in answers} == {200}
    assert sorted(body["source"] for _, body in answers) == ["cache"] * 29 + ["identity_provider"]
    assert door.calls("/token") == asked + 1


async def test_renewal_refused(door: FrontDoor) -> None:
    """TOK-2, REL-044: when the authority will not renew, the session ends cleanly and the person signs in again."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    door.entra.state.faults.add(Fault(endpoint="token", kind="error", code=50173))
    answer = await browser.fetch(f"{BASE}/graph")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert SESSION not in browser.jar.of(HOST)
    assert await door.reuse(session) == 401
    assert [event.name for event in door.events] == ["sign_in", "renewal_failed", "session_ended"]


async def test_renewal_refused_on_a_page(door: FrontDoor) -> None:
    """TOK-2: on a page the person is sent to sign in, and comes back to it with a fresh token."""
    browser = await door.signed_in()
    await near_expiry(door, browser.jar.of(HOST)[SESSION])
    door.entra.state.faults.add(Fault(endpoint="token", kind="error", code=50173))
    await browser.open(f"{BASE}/graph")
    assert any(url.startswith(AUTHORITY) for url in browser.visited)
    assert browser.page.url == f"{BASE}/graph"
    assert "Mia Member" in browser.page.text


async def test_authority_down_while_the_token_is_good(door: FrontDoor) -> None:
    """SEC-110, REL-001: a token that is still good is handed out while the authority is down; else 503."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    authority = door.internet.hosts.pop("login.microsoftonline.com")
    assert (await graph(door, session))[0] == 200
    await near_expiry(door, session)
    answer = await door.raw("GET", f"{BASE}/graph", headers={"cookie": f"{SESSION}={session}"})
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert await door.reuse(session) == 200
    door.internet.hosts["login.microsoftonline.com"] = authority


async def test_the_token_stays_at_its_api(door: FrontDoor) -> None:
    """SEC-078: the caller's token goes to the API's origin only, not to another address given to the client."""
    seen: list[tuple[bytes, bytes]] = []

    async def evil(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        seen.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    door.internet.hosts["evil.example"] = evil
    browser = await door.signed_in()
    answer = await browser.fetch(f"{BASE}/elsewhere")
    assert answer.json() == {"status": 200}
    assert seen
    assert not [name for name, _ in seen if name == b"authorization"]


Mail = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "Mail.Read")]


def with_mail(app: FastAPI) -> None:
    """The usual small application, and a route that wants a permission which sign-in does not ask for."""
    routes(app)

    @app.get("/mail")
    async def mail(client: Mail) -> dict[str, str]:
        return {"source": client.token_source}


async def test_a_scope_that_sign_in_never_asks_for(entra: Entra, tmp_path: Path) -> None:
    """TOK-6: it is the operator's to mend: 403 says how, nobody is signed out, nobody is sent round in a circle."""
    async with running(entra, tmp_path, build=with_mail) as door:
        browser = await door.signed_in()
        session = browser.jar.of(HOST)[SESSION]
        answer = await browser.fetch(f"{BASE}/mail")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        page = await browser.open(f"{BASE}/mail")
        assert (page.status, page.url) == (403, f"{BASE}/mail")
        assert "add Mail.Read to ENTRADA_SCOPES" in page.text
        assert not [url for url in browser.visited if url.startswith(AUTHORITY)]
        assert await door.reuse(session) == 200
        assert [event.name for event in door.events] == ["sign_in"]


Claims = Annotated[ApiClient, api_client("https://graph.microsoft.com/oidc", "openid", "profile")]


def with_claims(app: FastAPI) -> None:
    """The usual small application, and a route that asks Graph's userinfo endpoint."""
    routes(app)

    @app.get("/claims")
    async def claims(client: Claims) -> dict[str, object]:
        return {"status": (await client.get("/userinfo")).status_code, "source": client.token_source}


async def test_a_token_for_the_scopes_of_openid(entra: Entra, tmp_path: Path) -> None:
    """TOK-2, SEC-114: `openid` is Graph's, whose token serves it from the cache; no other API's token ever does."""
    async with running(entra, tmp_path, build=with_claims) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        headers, asked = {"cookie": f"{SESSION}={session}"}, door.calls("/token")
        answers = [(await door.raw("GET", f"{BASE}/claims", headers=headers)).json() for _ in range(2)]
        assert answers == [{"status": 200, "source": "cache"}] * 2
        assert door.calls("/token") == asked
    other = (f"api://{seeds.API}/access_as_user",)
    async with running(entra, tmp_path / "other", build=with_claims, scopes=other) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        headers, asked = {"cookie": f"{SESSION}={session}"}, door.calls("/token")
        answers = [(await door.raw("GET", f"{BASE}/claims", headers=headers)).json() for _ in range(2)]
        assert answers == [{"status": 200, "source": "identity_provider"}, {"status": 200, "source": "cache"}]
        assert door.calls("/token") == asked + 1
