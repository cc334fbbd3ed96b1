"""Two hundred megabytes go through in either direction, and the process that passes them on stays small (BEY-11)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.proxied import fronted, respond

SIZE, PIECE = 200 * 2**20, b"x" * 65536
MOST_GROWTH = 64 * 2**20  # bytes; the portal, the API and the client are all in this one process


def resident() -> int:
    """Return the bytes of memory that this process holds now."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(0, SIZE, len(PIECE)):
        yield PIECE


async def both_ways(_scope: Any, receive: Any, send: Any) -> None:
    """Count what comes without keeping it, then send as much."""
    got, more = 0, True
    while more:
        message = await receive()
        got, more = got + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-got", str(got).encode())]})
    async for piece in pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.long
async def test_memory_stays_small(entra: Entra, tmp_path: Path) -> None:
    """REL-052: what passes through is never held whole, whoever sends it."""
    async with fronted(entra, tmp_path, most_body_bytes=2 * SIZE) as site, site.client() as browser:
        with site.api.answering(respond_small):
            await browser.post("/api/orders", content=PIECE)
        before, peak, got = resident(), 0, 0
        with site.api.answering(both_ways):
            async with browser.stream("POST", "/api/orders", content=pieces()) as answer:
                assert answer.headers["x-got"] == str(SIZE)
                peak = max(peak, resident())
                async for each in answer.aiter_raw():
                    got += len(each)
                    peak = max(peak, resident()) if got % (1 << 20) < len(each) else peak
        assert got == SIZE
        assert peak - before < MOST_GROWTH


async def respond_small(_scope: Any, _receive: Any, send: Any) -> None:
    await respond(send, b"")
