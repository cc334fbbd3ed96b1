"""Somebody tries bearer tokens that are none: it is written down with the reason, and a flood of it is counted."""

import asyncio
from datetime import timedelta
from pathlib import Path

from entrada_emulator.pytest_plugin import Entra

from entrada.audit.filters import Filter
from entrada.audit.recorder import STRANGERS_AT_ONCE
from tests.access_tokens import user_token
from tests.journeys.test_bearer import get, orders
from tests.journeys.test_people_change import house_of
from tests.moved_clock import MovedClock


async def test_sec_145_a_refused_bearer_is_written_down(entra: Entra, tmp_path: Path) -> None:
    """SEC-145: the row names what was asked for and the check that failed, and nothing of the token."""
    async with orders(entra, tmp_path) as door:
        head, payload, _ = user_token(door.entra)["access_token"].split(".")
        forged = f"{head}.{payload}.{'A' * 342}"
        assert (await get(door, "/bearer", forged)).status_code == 401
        (row,) = (await house_of(door.app).audit.log.page(Filter(actions=("access_denied",)))).rows
        assert (row.outcome, row.reason, row.resource) == ("denied", "invalid_token", "GET /bearer")
        assert row.details["check"] == "signature"
        assert not {head, payload} & set(repr(row).replace("'", ".").split("."))


async def test_sec_145_a_flood_is_counted(entra: Entra, tmp_path: Path) -> None:
    """SEC-145: a flood of refused tokens is answered, only so many rows of it are kept, and one says how many not."""
    clock = MovedClock(entra.state.clock.now())
    async with orders(entra, tmp_path, options={"clock": clock}) as door:
        audit = house_of(door.app).audit
        for _ in range(STRANGERS_AT_ONCE + 20):
            assert (await get(door, "/bearer", "not.a.token")).status_code == 401
        async with asyncio.timeout(30):
            while audit.trail.waiting:  # rows that a slow disk has put off
                await asyncio.sleep(0.05)
        now, hour = clock(), timedelta(hours=1)
        kept = await audit.log.counts(["access_denied"], since=now - hour, until=now + hour)
        assert sum(kept.values()) == STRANGERS_AT_ONCE
        clock.move(timedelta(seconds=61))
        assert (await get(door, "/bearer", "not.a.token")).status_code == 401
        (gap,) = (await audit.log.page(Filter(actions=("audit_gap",)))).rows
        assert (gap.reason, gap.details) == ("flood", {"entries": 20})
