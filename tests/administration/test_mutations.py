"""Requests that nobody means: whatever is in a path, a query, a header or a body, the answer is a refusal (SEC-177)."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
from entrada_emulator.issuing.keys import SigningKey
from starlette.routing import Route

from entrada.web.console.places import ADMIN as CONSOLE
from entrada.web.routes.admin.table import ROOT as API
from entrada.web.routes.table import routes
from tests.administration.conftest import new_schema
from tests.administration.mutations import SCRIPT, Request, mutated
from tests.administration.site import ADA, MIA, AdminSite, administered, promote, somebody
from tests.visitor import Answer, visit

SEED = 20260105
ANEW = 100  # requests; then they are about somebody else, and by a session that nothing has ended yet
ROUNDS = [8, pytest.param(10_000, marks=pytest.mark.long)]
OF: dict[str, tuple[str, ...]] = {"API": (API,), "console": (CONSOLE, "/account"), "own": ("/",)}
SEEN = {"API": {200, 400, 404, 405}, "console": {200, 303, 400, 404, 405}, "own": {200, 302, 403, 404, 405}}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def every_route(
    request: pytest.FixtureRequest, entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with every route that it can have beside Entra; no limit keeps a request from them."""
    on_server = request.param == "postgresql"
    values = {"database_url": new_schema(request.getfixturevalue("postgresql"))} if on_server else {}
    values |= {"console": True, "onboarding": "approval", "metrics_token": "a" * 40, "limits": False}
    async with administered(entra_keys, tmp_path_factory.mktemp("mutations"), **values) as found:
        await promote(found, ADA)
        yield found


def prefetched(request: Request, answer: Answer) -> bool:
    """Say whether a browser was told to ask again once somebody has clicked: no failure of ours (REL-061)."""
    return (
        answer.status == 503 and answer.headers["retry-after"] == "0" and ("sec-purpose", "prefetch") in request.headers
    )


def routes_of(site: AdminSite, part: str) -> Iterator[Route]:
    """Yield the routes of this part; what reads much comes first, while there is little to read."""
    known = sorted(
        routes(site.site.entrada.settings),
        key=lambda route: ("GET" not in (route.methods or ()), not route.path.endswith("/export")),
    )
    for route in known:
        owner = next(name for name, beginnings in OF.items() if route.path.startswith(beginnings))
        if owner == part:
            yield route


async def caller(site: AdminSite, part: str) -> list[tuple[str, str]]:
    """Return what a caller sends who may do what these routes do."""
    who = MIA if part == "own" else ADA
    client = await site.of(who)
    if (await client.get("/private")).status_code != 200:  # what was asked before has signed them out
        client = site.clients[who] = await site.anew(who)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    return [("cookie", cookies), ("x-csrf", "1"), ("sec-fetch-site", "same-origin"), ("accept", "text/html")]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("part", list(OF))
async def test_no_request_breaks_anything(
    every_route: AdminSite, part: str, rounds: int, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-177: each route, asked in ways that are nearly right, answers below 500, logs no error, runs no script."""
    site = every_route
    caplog.set_level(logging.ERROR, logger="entrada")
    chance, found = Random(SEED), Counter[int]()
    for route in routes_of(site, part):
        methods, known, by = sorted((route.methods or set()) - {"HEAD"}), "", []
        for number in range(rounds):
            if number % ANEW == 0:
                known, by = str((await somebody(site)).id), await caller(site, part)
            request = mutated(route.path, methods, chance, known=known, caller=by)
            answer = await visit(
                site.site.app, request.path, method=request.method, headers=request.headers, query=request.query,
                parts=[request.content] if request.content else [], host="localhost",
            )  # fmt: skip
            assert 200 <= answer.status < 500 or prefetched(request, answer), (request, answer.body[:500])
            assert SCRIPT.encode() not in answer.body or not answer.headers["content-type"].startswith("text/html")
            assert b"Traceback" not in answer.body
            found[answer.status] += 1
    assert found.keys() >= SEEN[part], found
    assert caplog.records == []
    print(f"{part}: {found.total()} requests, {dict(found)}")
