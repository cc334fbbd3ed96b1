"""Who is let through to the API behind, and what is refused before anything is sent up (BEY-11)."""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from fastapi import FastAPI

from entrada import Event, proxy, role
from entrada.flows.stepping_up.challenge import claims_in
from tests.access_tokens import app_token, user_token
from tests.front_door import SESSION
from tests.journeys.test_claims_challenge import CHALLENGE, CONTEXT
from tests.journeys.test_downstream import LEDGER_SCOPE, claims_of
from tests.proxied import SCOPE, Site, fronted, respond, whole


async def test_strangers(site: Site) -> None:
    """SEC-129: a script without a session gets 401, a page is sent to sign in and back; the API hears nothing."""
    async with site.client(cookie="a=b") as stranger:
        refused = await stranger.get("/api/orders/7?x=1")
        page = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
        opened = await stranger.get("/api/orders/7?x=1", headers=page)
    assert (refused.status_code, refused.json()["code"]) == (401, "login_required")
    assert opened.status_code == 302
    assert opened.headers["location"].endswith("return_to=%2Fapi%2Forders%2F7%3Fx%3D1")
    assert site.api.seen == []


CROSS_SITE = (
    {"sec-fetch-site": "cross-site", "x-csrf": "1"},
    {"sec-fetch-site": "same-site", "x-csrf": "1"},
    {"sec-fetch-site": "same-origin"},
    {"x-csrf": "1"},
)


async def test_cross_site(site: Site) -> None:
    """SEC-089, SEC-090: what changes something needs both proofs of its source, as any route of ours does."""
    async with site.client() as browser:
        del browser.headers["x-csrf"], browser.headers["sec-fetch-site"]
        for method, headers in itertools.product(("POST", "PUT", "PATCH", "DELETE"), CROSS_SITE):
            refused = await browser.request(method, "/api/orders/7", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_request"), headers
    assert site.api.seen == []


async def test_read_by_other_sites(site: Site) -> None:
    """SEC-088, SEC-096: another site's page asks the API for nothing with the session; a link to it is followed."""
    ways = {"image": "no-cors", "script": "no-cors", "iframe": "navigate", "empty": "cors", "document": "navigate"}
    told = {}
    async with site.client(sec_fetch_site="same-site") as browser:
        for dest, mode in ways.items():
            asked = {"sec-fetch-dest": dest, "sec-fetch-mode": mode}
            told[dest] = (await browser.get("/api/orders/7", headers=asked)).status_code
    assert told == dict.fromkeys(ways, 403) | {"document": 200}
    assert len(site.api.seen) == 1


async def test_a_body_too_large(site: Site) -> None:
    """SEC-157: the limits for bodies hold: 413, whether the length is said or not."""
    async with site.client() as browser:
        for body in (b"x" * 1_100_000, _pieces(1_100_000)):
            refused = await browser.post("/api/orders", content=body)
            assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert not [each for each in site.api.seen if each.body]


async def _pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 10_000):
        yield b"x" * 10_000


@pytest.fixture
async def ruled(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> AsyncIterator[Site]:
    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/orders", to=to, scopes=[SCOPE], rule=role("Nobody.Has"))
        proxy(app, "/api/open", to=to, scopes=[SCOPE])

    limit = {"limits": True, "limit_people": "5/minute"}
    async with fronted(new_entra(keys=entra_keys), tmp_path, build, deny_by_default=True,
                       open_paths=("/", "/hook", "/length", "/broken"), **limit) as site:  # fmt: skip
        yield site


async def test_rules_and_limits(ruled: Site) -> None:
    """SEC-131, SEC-152: a rule refuses before a token is asked for, and that is told; what is passed on counts.

    With `deny_by_default` the application starts: a proxied route asks who calls.
    """
    told: list[Event] = []
    ruled.door.entrada.on("access_denied")(told.append)
    asked = ruled.door.calls("/token")
    async with ruled.client() as browser:
        refused = await browser.get("/api/orders/7")
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
        statuses = [(await browser.get("/api/open")).status_code for _ in range(5)]
    assert [(each.resource, each.user_key is None) for each in told] == [("GET /api/orders/7", False)]
    assert statuses[:3] == [200] * 3
    assert statuses[-1] == 429
    assert ruled.door.calls("/token") == asked
    assert {each.target for each in ruled.api.seen} == {"/"}


async def test_one_renewal(site: Site) -> None:
    """TOK-2, TOK-4: a token that has expired is renewed silently, once for twenty requests at the same time."""
    async with site.client() as browser:
        await browser.get("/api/orders/7")
        site.door.entra.state.clock.move(timedelta(minutes=58))
        async with site.client() as still_there:
            await still_there.get("/private")
        site.door.entra.state.clock.move(timedelta(minutes=40))
        asked = len(site.door.entra.state.recorder.requests("token"))
        answers = await asyncio.gather(*[browser.get("/api/orders/7") for _ in range(20)])
    assert {each.status_code for each in answers} == {200}
    assert len(site.door.entra.state.recorder.requests("token")) == asked + 1
    assert len({each.values("authorization")[0] for each in site.api.seen}) == 2


class Strict:
    """An API that wants authentication context c1."""

    def __init__(self) -> None:
        self.bodies: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        self.bodies.append(len(await whole(receive)))
        if "c1" in claims_of(token).get("acrs", ()):
            await respond(send, b"done", ("content-type", "text/plain"))
        else:
            await respond(send, b"{}", ("www-authenticate", CHALLENGE), status=401)


async def test_a_claims_challenge(site: Site) -> None:
    """BEY-4: a challenge of the API sends a page to the step and back, and tells a script where to go."""
    with site.api.answering(Strict()):
        async with site.client() as browser:
            script = await browser.post("/api/orders", content=b"two desks")
            page = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
            opened = await browser.get("/api/orders/7", headers=page)
    assert (script.status_code, script.json()["code"]) == (401, "interaction_required")
    assert script.json()["login"].startswith("/api/auth/")
    assert claims_in(script.headers.get_list("www-authenticate")) == CONTEXT
    assert opened.status_code == 302
    assert opened.headers["location"].startswith("/api/auth/login?return_to=%2Fapi%2Forders%2F7")


class Fresh:
    """An API that takes no token which was issued before the last revocation that it heard of."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.bodies: list[tuple[int, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        good = claims_of(token)["iat"] >= self.since
        status = 200 if good else 401
        self.bodies.append((len(await whole(receive)), status))
        wanted = json.dumps({"access_token": {"nbf": {"essential": True, "value": str(self.since)}}})
        challenge = f'Bearer error="insufficient_claims", claims="{base64.b64encode(wanted.encode()).decode()}"'
        await respond(send, b"{}", *([] if good else [("www-authenticate", challenge)]), status=status)


async def test_a_challenge_that_a_renewal_answers(site: Site) -> None:
    """BEY-4: the request is sent again with the new token if its body is still there; else who asked is told to."""
    small, large = b"x" * 60_000, b"x" * 1_000_000
    session, clock, bodies = await site.door.admitted(), site.door.entra.state.clock, []
    async with site.client(session=session) as browser:
        for body in (small, large):
            clock.move(timedelta(seconds=90))
            api = Fresh(int(clock.now().timestamp()))
            with site.api.answering(api):
                first = await browser.post("/api/orders", content=body)
                second = await browser.post("/api/orders", content=body)
            bodies.append((api.bodies, first.status_code, first.headers.get("retry-after"), second.status_code))
    again, once = (len(small), 200), (len(large), 200)
    assert bodies[0] == ([(len(small), 401), again, again], 200, None, 200)
    assert bodies[1] == ([(len(large), 401), once], 503, "1", 200)


async def test_a_refusal_is_the_apis_own(site: Site) -> None:
    """A 401 without a challenge that we could meet comes back as it is, but for words about a token of ours."""

    async def no(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, b'{"why": "closed"}', ("www-authenticate", 'Bearer error="invalid_token"'), status=401)

    with site.api.answering(no):
        async with site.client() as browser:
            answer = await browser.post("/api/orders", content=b"x" * 500_000)
    assert (answer.status_code, answer.json()) == (401, {"why": "closed"})
    assert "www-authenticate" not in answer.headers


@pytest.fixture
async def between(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> AsyncIterator[Site]:
    """An API that passes on to the next one: its callers bring bearer tokens."""

    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/ledger", to=to, scopes=[LEDGER_SCOPE])

    own = {"client_id": seeds.API, "client_secret": "emulator-secret-birch-orders", "scopes": ("User.Read",)}
    async with fronted(new_entra(keys=entra_keys), tmp_path, build, signed_in=False, **own) as site:
        yield site


async def test_bearer_callers(between: Site) -> None:
    """TOK-6, SEC-095: who calls by token is acted for, with another token; an application has nobody to act for."""
    entra: Entra = between.door.entra
    token = user_token(entra)["access_token"]
    async with between.client(cookie=f"{SESSION}=none", authorization=f"Bearer {token}") as client:
        assert (await client.get("/api/ledger/7")).status_code == 200
        refused = await client.get("/api/ledger/7", headers={"authorization": f"Bearer {app_token(entra)}"})
        assert refused.status_code == 403
        broken = await client.get("/api/ledger/7", headers={"authorization": "Bearer e30.e30.e30"})
        assert broken.status_code == 401
    (seen,) = between.api.seen
    (authorization,) = seen.values("authorization")
    claims = claims_of(authorization.removeprefix("Bearer "))
    assert (claims["aud"], claims["oid"]) == (seeds.LEDGER_URI, claims_of(token)["oid"])
    assert token not in str(seen.headers)


async def test_the_token_is_over_meanwhile(between: Site) -> None:
    """API-1, SEC-075: what a bearer token has let in ends with the token: events stop, a late answer is a 401."""
    entra: Entra = between.door.entra
    token, begun = user_token(entra)["access_token"], asyncio.Semaphore(0)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/events"):
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: 0\n\n", "more_body": True})
        begun.release()
        while (await receive())["type"] != "http.disconnect":
            pass

    with between.api.answering(answer):
        async with between.client(cookie=f"{SESSION}=none", authorization=f"Bearer {token}") as client:
            asked = [asyncio.create_task(client.get(f"/api/ledger/{each}")) for each in ("events", "late")]
            for _ in asked:
                await begun.acquire()
            entra.state.clock.move(timedelta(hours=2))
            events, late = await asyncio.gather(*asked)
    assert (events.status_code, events.text) == (200, "data: 0\n\n")
    assert (late.status_code, late.json()["code"]) == (401, "invalid_token")


async def test_no_secret_in_logs(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-146: neither the token, nor the query, nor the session is in a line, also when the API breaks."""

    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError

    caplog.set_level("DEBUG")
    async with site.client() as browser:
        await browser.get("/api/orders/7?code=canary-of-the-query")
        with site.api.answering(broken):
            assert (await browser.get("/api/orders/7?code=canary-of-the-query")).status_code == 500
    (token,) = {each.values("authorization")[0].removeprefix("Bearer ") for each in site.api.seen}
    ours = [line.getMessage() for line in caplog.records if line.name.startswith("entrada")]
    text = "\n".join(ours)
    assert not [secret for secret in (token, "canary-of-the-query", site.session) if secret in text]
