"""The peers that install from the registry, each set up as its own documentation shows, with one person signed in."""

import asyncio
import json
import secrets
import shutil
import socket
import sqlite3
import subprocess
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from itsdangerous import TimestampSigner
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware

from bench.contender import PATH, Prepared

SECRET = secrets.token_urlsafe(32)
SID = "a" * 32
CLAIMS = {"name": "Ada", "oid": "9c1b9a9e-0000-4000-8000-000000000001", "tid": "9c1b9a9e-0000-4000-8000-000000000002"}


def _signed(session: dict[str, Any]) -> str:
    """Return the value of a cookie as Starlette's SessionMiddleware signs it."""
    return TimestampSigner(SECRET).sign(b64encode(json.dumps(session).encode())).decode()


async def signed_cookie(_folder: str) -> Prepared:
    """Starlette's SessionMiddleware with the user in the cookie: nothing to look up, nothing to revoke."""
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key=SECRET)

    @app.get(PATH)
    async def hello(request: Request) -> dict[str, str]:
        return {"hello": request.session["user"]["name"]}

    return Prepared(app, [{"cookie": f"session={_signed({'user': CLAIMS})}"}])


def _starsessions(store: Any) -> FastAPI:
    from starsessions import SessionAutoloadMiddleware
    from starsessions import SessionMiddleware as StarMiddleware

    app = FastAPI()
    app.add_middleware(SessionAutoloadMiddleware)
    app.add_middleware(StarMiddleware, store=store, lifetime=3600, rolling=True)

    @app.get(PATH)
    async def hello(request: Request) -> dict[str, str]:
        if "user" not in request.session:
            raise HTTPException(401)
        return {"hello": request.session["user"]["name"]}

    return app


async def starsessions_memory(_folder: str) -> Prepared:
    """Prepare starsessions with its store in memory."""
    from starsessions.stores.memory import InMemoryStore

    store = InMemoryStore()
    await store.write(SID, json.dumps({"user": CLAIMS}).encode(), 3600, 3600)
    return Prepared(_starsessions(store), [{"cookie": f"session={SID}"}])


async def starsessions_redis(folder: str) -> Prepared:
    """Prepare starsessions on a Redis that is started here on a free port."""
    from redis.asyncio import Redis
    from redis.exceptions import ConnectionError as NotThere
    from starsessions.stores.redis import RedisStore

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = shutil.which("redis-server") or "redis-server"
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)  # noqa: ASYNC220
    client = Redis(port=port)
    for _ in range(200):
        try:
            await client.ping()
            break
        except NotThere:
            await asyncio.sleep(0.02)
    store = RedisStore(connection=client)
    await store.write(SID, json.dumps({"user": CLAIMS}).encode(), 3600, 3600)

    async def close() -> None:
        await client.aclose()
        server.terminate()
        server.wait()

    return Prepared(_starsessions(store), [{"cookie": f"session={SID}"}], close)


async def axmp_memory(_folder: str) -> Prepared:
    """Prepare axmp-oidc-bff-provider with its store in memory and its middleware in its order."""
    from axmp_oidc_bff_provider.app import install_bff
    from axmp_oidc_bff_provider.config import BFFConfig
    from axmp_oidc_bff_provider.dependencies import SID_KEY, get_current_user

    config = BFFConfig(session_secret_key=SECRET, session_backend="memory")
    now = time.time()
    bundle = {"provider": "azure", "access_token": "a", "refresh_token": "r", "id_token": "i", "csrf_token": "c"}
    bundle |= {"expires_at": now + 3000, "userinfo": CLAIMS, "last_touched_at": now, "created_at": now}

    @asynccontextmanager
    async def signed_in(app: FastAPI) -> AsyncIterator[None]:
        await app.state.bff_session_store.set(SID, bundle, ttl=3600)
        yield

    app = FastAPI(lifespan=signed_in)
    install_bff(app, config)

    @app.get(PATH)
    async def hello(user: Annotated[dict[str, Any], Depends(get_current_user)]) -> dict[str, str]:
        return {"hello": user["name"]}

    return Prepared(app, [{"cookie": f"{config.session_cookie_name}={_signed({SID_KEY: SID})}"}])


def _look_up(database: str, sid: str | None) -> dict[str, Any]:
    connection = sqlite3.connect(database)
    query = "SELECT user FROM sessions WHERE id = ? AND expires > ?"
    row = connection.execute(query, (sid, time.time())).fetchone()
    connection.close()
    if row is None:
        raise HTTPException(401)
    found: dict[str, Any] = json.loads(row[0])
    return found


async def documents_stack(folder: str) -> Prepared:
    """Prepare what the source documents build by hand: signed cookie, SlowAPI, header middleware, a connection each."""
    from slowapi import Limiter
    from slowapi.middleware import SlowAPIMiddleware
    from slowapi.util import get_remote_address

    database = str(Path(folder) / "sessions.db")
    with closing(sqlite3.connect(database)) as setup, setup:
        setup.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, user TEXT, expires REAL)")
        setup.execute("INSERT INTO sessions VALUES (?, ?, ?)", (SID, json.dumps(CLAIMS), time.time() + 3600))

    class Headers(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["X-Frame-Options"] = "DENY"
            return response

    def current_user(request: Request) -> dict[str, Any]:
        return _look_up(database, request.session.get("sid"))

    app = FastAPI()
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["10000000/day"])
    app.add_middleware(SlowAPIMiddleware)
    app.add_middleware(Headers)
    app.add_middleware(SessionMiddleware, secret_key=SECRET)

    @app.get(PATH)
    async def hello(user: Annotated[dict[str, Any], Depends(current_user)]) -> dict[str, str]:
        return {"hello": user["name"]}

    return Prepared(app, [{"cookie": f"session={_signed({'sid': SID})}"}])
