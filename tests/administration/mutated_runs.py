"""Runs of requests that nobody means against one route, and what must hold of each answer and of all that is kept."""

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from starlette.routing import Route

from entrada.audit.export import FORMULA
from entrada.web.console.places import ADMIN as CONSOLE
from entrada.web.routes.admin.table import ROOT as API
from tests.administration.mutations import LOADING, SCRIPT, SECRET, Request, mutated
from tests.administration.site import ADA, MIA, AdminSite, somebody
from tests.canary import Heard, hearing_everything
from tests.visitor import Answer, visit

ANEW = 25  # requests; then they are about somebody whose history is short, by a session that nothing has ended yet
MARKUP = (SCRIPT.encode(), LOADING.encode())
REMOVING = ("/delete", "/erase")  # then nobody is there any more for the next requests
LOOKED_AFTER = 40  # beginnings, and then what was kept of them all is read
TALKATIVE = ("aiosqlite", "sqlalchemy.")  # thirty lines a request; test_no_secret_in_logs.py hears them
SHOWN = 5  # of those people, each on their page
Lines = list[tuple[str, str]]


@contextmanager
def listening() -> Iterator[Heard]:
    """Hear every logger but those that tell of each step of a connection."""
    with hearing_everything() as heard:
        for name in logging.root.manager.loggerDict:
            if name.startswith(TALKATIVE):
                logging.getLogger(name).setLevel(logging.WARNING)
        yield heard


@dataclass(slots=True)
class Run:
    """One run; `found` counts the answers by status."""

    site: AdminSite
    chance: Random
    heard: Heard
    found: Counter[int] = field(default_factory=Counter)
    known: list[str] = field(default_factory=list)
    cookies: set[str] = field(default_factory=set)
    since: str = "2000-01-01"
    begun: int = 1

    async def against(self, route: Route, *, rounds: int) -> None:
        """Ask it so often; an AssertionError shows the request that was answered wrongly."""
        methods = sorted((route.methods or set()) - {"HEAD"})
        known, by = "", Lines()
        for number in range(rounds):
            if number % ANEW == 0:
                known, by = await self.begun_anew(MIA if part_of(route) == "own" else ADA)
            request = mutated(route.path, methods, self.chance, known=known, caller=by)
            answer = await self.sent(request)
            self.check(request, answer)
            self.found[answer.status] += 1
            if answer.status in {200, 303} and (request.method == "DELETE" or route.path.endswith(REMOVING)):
                known = await self.somebody()

    async def begun_anew(self, name: str) -> tuple[str, Lines]:
        """Look after those whom requests were about, from time to time; return somebody new, and who asks."""
        if self.begun % LOOKED_AFTER == 0:
            await self.look_after()
        self.begun += 1
        return await self.somebody(), await self.caller(name)

    async def somebody(self) -> str:
        """Return the id of somebody new."""
        self.known.append(str((await somebody(self.site)).id))
        return self.known[-1]

    async def caller(self, name: str) -> Lines:
        """Return what this person sends, who is signed in anew if what was asked before has signed them out."""
        client = await self.site.of(name)
        if (await client.get("/private")).status_code != 200:
            client = self.site.clients[name] = await self.site.anew(name)
        self.cookies |= {cookie.value for cookie in client.cookies.jar if len(cookie.value or "") >= 20}
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        return [("cookie", cookies), ("x-csrf", "1"), ("sec-fetch-site", "same-origin"), ("accept", "text/html")]

    async def sent(self, request: Request) -> Answer:
        """Hand it to the application."""
        return await visit(
            self.site.site.app, request.path, method=request.method, headers=request.headers, query=request.query,
            parts=[request.content] if request.content else [], host="localhost",
        )  # fmt: skip

    def check(self, request: Request, answer: Answer) -> None:
        """Hold one answer against what holds of all."""
        said = request, answer.status, answer.body[:500]
        assert 200 <= answer.status < 500 or prefetched(request, answer), said
        assert b"Traceback" not in answer.body, said
        kind = answer.headers.get("content-type", "")
        if kind.startswith("text/html"):
            assert not any(markup in answer.body for markup in MARKUP), said
        elif kind.startswith("text/csv"):
            assert formulas_of(answer) == [], said
        assert not answer.body or answer.headers["x-content-type-options"] == "nosniff", said

    async def look_after(self) -> None:
        """Read what was kept, on the pages and in the files that show it, and what was logged; then forget it."""
        by = await self.caller(ADA)
        asked = [(f"{CONSOLE}/audit", b""), (f"{API}/audit-logs/export", b"since=" + self.since.encode())]
        asked += [(f"{CONSOLE}/users/{known}", b"") for known in self.known[-SHOWN:]]
        self.since = quote(self.site.entra.now().isoformat())
        for path, query in asked:
            request = Request("GET", path, query, by, b"")
            answer = await self.sent(request)
            self.check(request, answer)
            assert answer.status == 200 or "/users/" in path, answer
            assert SECRET.encode() not in answer.body, path
        self.listen()
        self.known.clear()

    def listen(self) -> None:
        """Hold what was logged since the last time against all that may not be: errors, and secrets of the callers."""
        told = self.heard.with_any_of(SECRET, *self.cookies)
        assert told == [], told
        errors = [line for line in self.heard.lines if "'levelname': 'ERROR'" in line or "'CRITICAL'" in line]
        assert errors == [], errors
        self.heard.lines.clear()


def part_of(route: Route) -> str:
    """Return whose route it is: the admin API's, the console's, or one of signing in and out."""
    if route.path.startswith(API):
        return "API"
    return "console" if route.path.startswith((CONSOLE, "/account")) else "own"


def prefetched(request: Request, answer: Answer) -> bool:
    """Say whether a browser was told to ask again once somebody has clicked: no failure of ours (REL-061)."""
    return (
        answer.status == 503 and answer.headers["retry-after"] == "0" and ("sec-purpose", "prefetch") in request.headers
    )


def formulas_of(answer: Answer) -> list[str]:
    """Return the cells of a file that a spreadsheet would take for formulas."""
    rows = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    return [cell for row in rows for cell in row if cell.lstrip(" ").startswith(FORMULA)]
