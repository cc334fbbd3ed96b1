"""Entrada with everything on, as `Entrada().install(app)` leaves it, and one person signed in."""

import json
import logging
import os
from pathlib import Path

from fastapi import FastAPI, Request

from bench.contender import PATH, Prepared
from bench.crowd import CALLERS, seed
from bench.signed_in import PERSON, opened
from bench.sizes import size
from entrada import CurrentUser, Entrada, Settings, current_user, keyring
from tests.servers import RedisServer

MANY = size(1_000_000, 6)  # sessions in the large file
logging.getLogger("entrada").setLevel(logging.CRITICAL)  # the authority that nobody asks cannot be reached: no news


def _application(settings: Settings, *, inside: bool = False) -> FastAPI:
    """Build it; `inside` asks who calls in the function and not by a dependency."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    Entrada(settings).install(app)

    async def hello(user: CurrentUser) -> dict[str, str]:
        return {"hello": user.name}

    async def ask(request: Request) -> dict[str, str]:
        return {"hello": (await current_user(request)).name}

    app.get(PATH)(ask if inside else hello)
    return app


def _settings(folder: str, store: str, keys: str) -> Settings:
    return Settings.load(
        tenant_id=PERSON.tenant_id,
        authority="https://localhost:1/" + str(PERSON.tenant_id),  # nobody is asked: a session needs no authority
        client_id="9c1b9a9e-0000-4000-8000-000000000003",
        keys=keys,
        data_dir=folder,
        store=store,
    )


async def on_sqlite(folder: str) -> Prepared:
    """Prepare the default: sessions in a SQLite file."""
    return await _crowded(folder, sessions=CALLERS)


async def on_sqlite_inside(folder: str) -> Prepared:
    """Prepare the same, asked in the function."""
    return await _crowded(folder, sessions=CALLERS, inside=True)


async def on_large_sqlite(folder: str) -> Prepared:
    """Prepare a SQLite file with a million sessions; the same thousand of them call."""
    return await _crowded(folder, sessions=MANY)


async def _crowded(folder: str, *, sessions: int, inside: bool = False) -> Prepared:
    """Prepare a file with so many sessions, or take the one that an earlier round of this run left in the folder."""
    store, notes = Path(folder) / "sessions.db", Path(folder) / "notes.json"
    if not notes.exists():
        keys = keyring.generate()
        async with opened(f"sqlite:{store}", Path(folder), keys) as desk:
            ring = desk.ring  # opened to have the tables made, and closed again
        notes.write_text(json.dumps([keys, seed(store, ring=ring, sessions=sessions)]))
    keys, ids = json.loads(notes.read_text())
    app = _application(_settings(folder, f"sqlite:{store}", keys), inside=inside)
    return Prepared(app, [{"cookie": f"entrada={session_id}"} for session_id in ids])


async def on_redis(folder: str) -> Prepared:
    """Prepare a thousand sessions on a Redis that is started here, on the core of whoever calls."""
    server = RedisServer(Path(folder) / "redis").start()
    if server.process and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(server.process.pid, {(os.cpu_count() or 1) - 1})
    keys = keyring.generate()
    async with opened(server.url, Path(folder), keys) as desk:
        ids = [(await desk.sessions.begin(PERSON, tokens=b"t" * 5500))[0] for _ in range(CALLERS)]

    async def close() -> None:
        server.kill()

    app = _application(_settings(folder, server.url, keys))
    return Prepared(app, [{"cookie": f"entrada={session_id}"} for session_id in ids], close)


async def in_memory(folder: str) -> Prepared:
    """Prepare sessions in memory."""
    return await _alone(folder)


async def in_memory_inside(folder: str) -> Prepared:
    """Prepare the same, asked in the function."""
    return await _alone(folder, inside=True)


async def _alone(folder: str, *, inside: bool = False) -> Prepared:
    """Prepare one person, who is put into memory through the application's own sessions."""
    from entrada.web.middleware.gate import Gate

    app = _application(_settings(folder, "memory:", keyring.generate()), inside=inside)
    gate = next(layer for layer in app.user_middleware if layer.cls is Gate)
    session_id, _ = await gate.kwargs["house"].sessions.begin(PERSON, tokens=b"t" * 5500)
    return Prepared(app, [{"cookie": f"entrada={session_id}"}])
