"""REL-045: ten thousand sessions began in the same minute; what their renewals do to ordinary requests.

One worker on SQLite with default settings, its event loop shared by requests and renewals as in production, and the
emulated tenant in a process of its own. Renewals are due as the schedule spreads them: over the five minutes before the
refresh buffer. `BENCH_STORM=1000` takes fewer sessions, `BENCH_SPREAD=30` another spread, in seconds.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from entrada_emulator.directory import seeds
from fastapi import FastAPI

from bench.authority_parts import cache_text
from bench.contender import PATH
from bench.population import Row, into_sqlite
from bench.table import show
from entrada import CurrentUser, Entrada, Settings, keyring
from entrada.keyring import KeyRing
from entrada.principal import User
from entrada.sessions import held
from entrada.sessions.held import HeldTokens
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.names import Names
from entrada.sessions.record import SessionRecord, encode
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index

CLIENT = seeds.WEB_APP
SECRET = "emulator-secret-birch-portal"
PAUSE = 0.01  # seconds between two requests
CALM = 15.0  # seconds without a storm, at first
EXPIRES_IN = 660  # seconds: the buffer of five minutes, the spread of five, and a minute more


class Way(httpx2.AsyncBaseTransport):
    """Leads every host to the authority on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=50))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it there; the Host header stays as it was."""
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


@dataclass(slots=True)
class Authority:
    """The process that plays the authority."""

    process: "subprocess.Popen[str]"
    port: int
    person: User
    refresh_tokens: list[str]

    def end(self) -> dict[str, int]:
        """Stop it, and return what it has counted."""
        out, _ = self.process.communicate(timeout=30)
        counted: dict[str, int] = json.loads(out.splitlines()[-1])
        return counted


@contextmanager
def authority(sessions: int) -> Iterator[Authority]:
    """Start it with so many sessions begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.storm_authority", str(sessions)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = json.loads(process.stdout.readline()) if process.stdout else {}
        yield Authority(process, said["port"], User(**said["person"]), said["refresh_tokens"])
    finally:
        process.kill()
        process.wait()


async def _fill(folder: Path, at: Authority, *, ring: KeyRing, first_due: datetime, spread: float) -> str:
    """Write all sessions, due at chance within the spread; return the id of one more, whose tokens are never due."""
    path, sealer, names = folder / "sessions.db", Sealer(ring), Names(ring)
    store = open_store(f"sqlite:{path}", data_dir=folder, clock=lambda: datetime.now(UTC))
    await store.prepare()
    sessions = Sessions(store, sealer=sealer, ring=ring, clock=lambda: datetime.now(UTC))
    bulk, now = into_sqlite(str(path)), int(time.time())
    index = names.user(at.person)[0]
    ends = datetime.now(UTC) + timedelta(hours=1)
    record = SessionRecord(
        user=at.person, created_at=now, last_seen_at=now, idle_expires_at=now + 3600, expires_at=now + 86_400,
        found_by=ring.active.id,
    )  # fmt: skip
    rows = []
    for refresh_token in at.refresh_tokens:
        key = os.urandom(32)
        cache = cache_text(at.person, client_id=CLIENT, refresh_token=refresh_token, life=EXPIRES_IN).encode()
        tokens = sealer.seal(
            held.encode(HeldTokens(cache)), purpose="session-tokens", bound_to=(key, at.person.key.encode())
        )
        due_at = first_due + timedelta(seconds=random.uniform(0, spread))
        signed = sealer.sign(encode(record), purpose="session-record", bound_to=key)
        rows.append(Row(key, signed, tokens, ends, Index(user=index, sid=None, due_at=due_at)))
    await bulk(rows)
    session_id, _ = await sessions.begin(at.person, tokens=b"")
    await store.close()
    return session_id


def _application(folder: Path, at: Authority, keys: str) -> FastAPI:
    settings = Settings.load(
        tenant_id=at.person.tenant_id, client_id=CLIENT, client_secret=SECRET, keys=keys, data_dir=folder,
        store=f"sqlite:{folder}/sessions.db",
    )  # fmt: skip
    app = FastAPI()
    Entrada(settings, transport=Way(at.port)).install(app)

    @app.get(PATH)
    async def hello(user: CurrentUser) -> dict[str, str]:
        return {"hello": user.name}

    return app


async def _ask(client: httpx2.AsyncClient, times: list[float]) -> None:
    await asyncio.sleep(PAUSE)
    started = time.perf_counter()
    answer = await client.get(PATH)
    times.append((time.perf_counter() - started) * 1000)
    if answer.status_code != httpx2.codes.OK:
        raise RuntimeError(f"answered {answer.status_code}")


async def _measured(folder: Path, at: Authority, *, spread: float) -> list[tuple[str, ...]]:
    keys = keyring.generate()
    print(f"  {len(at.refresh_tokens):,} sessions …", file=sys.stderr)
    first_due = datetime.now(UTC) + timedelta(seconds=CALM + 10 + len(at.refresh_tokens) / 1000)
    session_id = await _fill(folder, at, ring=KeyRing.parse(keys), first_due=first_due, spread=spread)
    app = _application(folder, at, keys)
    calm: list[float] = []
    storm: list[float] = []
    watching = open_store(f"sqlite:{folder}/sessions.db", data_dir=folder, clock=lambda: datetime.now(UTC))
    last_due = first_due + timedelta(seconds=spread)
    async with app.router.lifespan_context(app):
        transport: Any = httpx2.ASGITransport(app=app)
        cookie = {"cookie": f"entrada={session_id}", "accept": "application/json"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8000", headers=cookie) as client:
            while datetime.now(UTC) < first_due:
                await _ask(client, calm)
            begun = time.monotonic()
            while datetime.now(UTC) < last_due or await watching.due(before=last_due, limit=1):
                await _ask(client, storm)
                if len(storm) % 2000 == 0:
                    print(f"  {time.monotonic() - begun:.0f} s of storm", file=sys.stderr)
            lasted = time.monotonic() - begun
    await watching.close()
    return [_row("before", calm), _row("during", storm), ("the storm lasted", f"{lasted:.0f} s", "", "", "")]


def _row(name: str, times: list[float]) -> tuple[str, ...]:
    cuts = statistics.quantiles(times, n=100)
    return (
        f"requests {name} the storm",
        f"{len(times):,}",
        *(f"{each:.2f}" for each in (cuts[49], cuts[98], max(times))),
    )


def measure() -> None:
    """Print the table."""
    sessions, spread = int(os.environ.get("BENCH_STORM", "10000")), float(os.environ.get("BENCH_SPREAD", "300"))
    with tempfile.TemporaryDirectory() as folder, authority(sessions) as at:
        rows = asyncio.run(_measured(Path(folder), at, spread=spread))
        counted = at.end()
    rows.append(("token requests for sessions", f"{counted['asked']:,} for {sessions:,}", "", "", ""))
    rows.append(("at a time, at most", str(counted["at_a_time"]), "", "", ""))
    show(
        f"Renewals of {sessions:,} sessions, due over {spread:.0f} s",
        ("what", "number", "p50 ms", "p99 ms", "most ms"),
        rows,
    )
