"""What came of requests that are passed on is there as numbers, by upstream (AUD-2)."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import proxy
from tests.journeys.test_people_change import house_of
from tests.proxied import PATIENCE, SCOPE, Site, fronted, respond
from tests.proxy.test_streams import PIECE, _until_gone, begin, piece

LINE = re.compile(r'entrada_upstream_requests_total\{outcome="([a-z_]+)",upstream="([^"]*)"\} ([0-9]+)')


async def counted(site: Site) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for outcome, upstream, number in LINE.findall(await house_of(site.door.app).numbers.page()):
        found.setdefault(upstream.rpartition("/")[2], Counter())[outcome] = int(number)
    return {upstream: +outcomes for upstream, outcomes in found.items()}


async def test_each_end_is_counted_by_its_upstream(entra: Entra, tmp_path: Path) -> None:
    """An answer, a fault of the upstream's, one that breaks off, is slow or not there, and a browser that goes."""

    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/orders", to=f"{to}/v1", scopes=[SCOPE])
        proxy(app, "/api/slow", to=f"{to}/slow", scopes=[SCOPE], patience=timedelta(seconds=0.3))
        proxy(app, "/api/gone", to="http://127.0.0.1:9/gone", scopes=[SCOPE])

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        what = scope["path"].rpartition("/")[2]
        if what == "nothing":
            begun.set()
            await _until_gone(receive)
            site.api.gone.set()
        elif what == "half":
            await begin(send, ("content-type", "text/plain"))
            await piece(send, PIECE)
            raise ConnectionResetError
        else:
            await respond(send, b"", status=int(what))

    begun = asyncio.Event()
    async with fronted(entra, tmp_path, build) as site:
        with site.api.answering(answer):
            async with site.client() as browser:
                for path in ("orders/200", "orders/200", "orders/404", "orders/503", "slow/nothing", "gone/200"):
                    await browser.get(f"/api/{path}")
                with pytest.raises(httpx2.RemoteProtocolError):
                    await browser.get("/api/orders/half")
                begun.clear()
                site.api.gone.clear()
                leaving = asyncio.create_task(browser.get("/api/orders/nothing"))
                await begun.wait()
                leaving.cancel()
            async with asyncio.timeout(PATIENCE):
                await site.api.gone.wait()
        assert await counted(site) == {
            "v1": Counter(answered=3, failed=1, broke_off=1, left=1),
            "slow": Counter(too_slow=1),
            "gone": Counter(unreachable=1),
        }
        numbers = await house_of(site.door.app).numbers.page()
        assert re.search(r'entrada_upstream_wait_seconds_count\{upstream="[^"]*/v1"\} 5', numbers)
