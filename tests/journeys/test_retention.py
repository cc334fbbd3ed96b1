"""The audit log lets go of old rows by itself, each stream by its own setting, and the chain stays whole (AUD-1)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from entrada_emulator.pytest_plugin import Entra

from entrada.audit.verification import verify
from entrada.flows.admin.administration import Actor
from entrada.provider.egress import Egress
from entrada.web.context import House
from tests.front_door import running
from tests.journeys.test_people_change import house_of

DAY = timedelta(days=1)


async def chore(house: House, name: str) -> None:
    """Do what a worker does beside the requests, once."""

    def duty(called: str, _every: timedelta, once: Callable[[], Awaitable[None]]) -> tuple[str, Callable[..., object]]:
        return called, once

    egress = Egress(private_addresses_allowed=False)
    once = dict(house.audit.duties(duty, egress))[name]
    await once()  # type: ignore[misc]
    await egress.aclose()


async def actions(house: House) -> set[str]:
    rows = (await house.audit.log.page()).rows
    return {row.action for row in rows} & {"sign_in", "role_granted", "audit_pruned"}


async def test_old_rows_go_by_themselves(entra: Entra, tmp_path: Path) -> None:
    """SEC-150: what people do goes after audit_days, what administrators do after audit_admin_days; that is told."""
    async with running(entra, tmp_path, audit_days=30, audit_admin_days=60) as door:
        await door.admitted()
        house = house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        await house.administration.grant(mia.id, "Editor", by=Actor(label="root"))
        entra.state.clock.move(30 * DAY - timedelta(minutes=1))
        await chore(house, "audit")
        assert await actions(house) == {"sign_in", "role_granted"}
        entra.state.clock.move(timedelta(minutes=2))
        await chore(house, "audit")
        assert await actions(house) == {"role_granted", "audit_pruned"}
        entra.state.clock.move(30 * DAY)
        await chore(house, "audit")
        assert await actions(house) == {"audit_pruned"}
        assert (await verify(house.database, house.audit.trail.keys)).faults == []
