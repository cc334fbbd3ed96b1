"""One rate-limit decision: of a caller who is known, of a stranger, and of a stranger in Redis beside one GET."""

import asyncio
import shutil
import tempfile
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from redis.asyncio import Redis

from bench.timing import Row, micros, micros_of
from entrada.rates import Rate
from entrada.web.guards.address_limits import AddressLimit
from entrada.web.guards.callers import Callers
from entrada.web.guards.shared_limits import open_shared
from tests.servers import RedisServer

RATES = (Rate.parse("900000000/hour"), Rate.parse("900000000/day"))


def decisions() -> list[Row]:
    """Measure all of them; those in Redis only where it is installed."""
    return [*_known(), *asyncio.run(_strangers()), *(asyncio.run(_in_redis()) if shutil.which("redis-server") else ())]


def _known() -> list[Row]:
    callers = Callers(Rate.parse("900000000/minute"))
    request = SimpleNamespace(session_id="s" * 43)
    callers.add(hash(request.session_id))

    def lets() -> bool:
        known = callers.find(hash(request.session_id))
        if known is None:
            return False
        known.left -= 1
        return known.left >= 0

    return [("rate limit, a caller who is known", f"{micros(lets, calls=3000):.2f}", "")]


async def _strangers() -> list[Row]:
    limit = AddressLimit("strangers", RATES, now=time.time)
    same = await micros_of(lambda: limit.spend(b"addr"))
    numbers = count()
    new = await micros_of(lambda: limit.spend(next(numbers).to_bytes(8, "big")))
    headers = micros(lambda: limit.headers(verdict)) if (verdict := await limit.spend(b"addr")) else 0.0
    return [
        ("rate limit, a stranger, two rates", f"{same:.2f}", ""),
        ("rate limit, a new stranger each time, two rates", f"{new:.2f}", ""),
        ("the RateLimit fields of an answer", f"{headers:.2f}", ""),
    ]


async def _in_redis() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder) / "redis").start()
        shared, client = open_shared(server.url, patience=10), Redis(port=server.port)
        if shared is None:
            raise RuntimeError("this is Redis")
        try:
            await client.set("key", b"v" * 24)
            get, script = [], []
            for _ in range(9):  # in turn: what else the machine does falls on both
                get.append(await micros_of(lambda: client.get("key"), rounds=1))
                script.append(await micros_of(lambda: shared.spend("strangers", b"addr", RATES, 1), rounds=1))
        finally:
            await shared.close()
            await client.aclose()
            server.kill()
    floor, spent = sorted(get)[4], sorted(script)[4]
    return [
        ("rate limit, a stranger in Redis, two rates", f"{spent:.0f}", f"{spent / floor:.2f} × one GET"),
        ("one GET by redis-py", f"{floor:.0f}", "1.00 × one GET"),
    ]
