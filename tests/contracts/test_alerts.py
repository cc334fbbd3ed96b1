"""What happens too often is told, once, by one of the workers; in each database that the log may be in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from entrada.audit.alerts import Alerts
from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.recorder import AuditRecorder
from entrada.audit.trail import AuditTrail
from entrada.events import Event, EventName, Events
from entrada.keyring import KeyRing, generate
from entrada.sessions.leases import Leases
from entrada.sessions.stores.memory import MemoryStore
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.contracts.test_directory import ADA
from tests.moved_clock import MovedClock


@dataclass(frozen=True)
class Limits:
    alert_failures_per_minute: int = 2
    alert_refusals_per_minute: int = 1
    alert_denials_per_minute: int = 1
    alert_addresses_per_hour: int = 3


@dataclass
class Watch:
    database: Database
    trail: AuditTrail
    events: Events
    clock: MovedClock
    told: list[Event] = field(default_factory=list)

    def worker(self, thresholds: Limits = Limits(), **options: float) -> Alerts:
        leases = Leases(MemoryStore(clock=self.clock))
        return Alerts(self.database, leases, self.events, thresholds=thresholds, clock=self.clock, **options)

    async def happen(self, name: EventName, number: int, **facts: str) -> None:
        for _ in range(number):
            await self.trail.require(Event(name, at=self.clock(), **facts))  # type: ignore[arg-type]

    @property
    def reasons(self) -> list[str | None]:
        return [event.reason for event in self.told]


@pytest.fixture
async def watch(database: Database, clock: MovedClock) -> AsyncIterator[Watch]:
    events, trail = Events(), AuditTrail(database, KeyRing.parse(generate()), clock=clock)
    events.record_with(AuditRecorder(trail, clock=clock))
    found = Watch(database, trail, events, clock)
    events.on("alert", found.told.append)
    yield found
    await trail.aclose()


async def test_failures_above_the_threshold_are_told_once(watch: Watch) -> None:
    """AUD-2: ten failures in five minutes are two a minute; a worker that looks later does not tell it again."""
    await watch.happen("sign_in_failed", 9, reason="invalid_state")
    await watch.worker().once()
    assert watch.reasons == []
    await watch.happen("sign_in_failed", 1, reason="invalid_state")
    await watch.worker().once()
    await watch.worker().once()
    assert watch.reasons == ["sign_ins_fail"]
    assert watch.told[0].details == {"count": 10, "minutes": 5}
    rows = (await AuditLog(watch.database).page(Filter(actions=("alert",)))).rows
    assert [(row.reason, row.outcome) for row in rows] == [("sign_ins_fail", "failure")]


async def test_what_is_over_is_not_told_and_what_goes_on_is_told_again(watch: Watch) -> None:
    """AUD-2: what lies further back than five minutes counts no more; after half an hour the same is told again."""
    await watch.happen("renewal_failed", 5)
    watch.clock.move(timedelta(minutes=6))
    await watch.worker().once()
    assert watch.reasons == []
    await watch.happen("renewal_failed", 5)
    await watch.worker().once()
    watch.clock.move(timedelta(minutes=31))
    await watch.happen("renewal_failed", 5)
    await watch.worker().once()
    assert watch.reasons == ["renewals_refused", "renewals_refused"]


async def test_one_person_at_many_addresses(watch: Watch) -> None:
    """AUD-2: sign-ins of one person from more places than a person is at name them, and nobody else."""
    await Directory(watch.database).signed_in(ADA, at=watch.clock())
    for number in range(3):
        await watch.happen("sign_in", 2, user_key=ADA.key, address=f"192.0.2.{number}")
        await watch.happen("sign_in", 1, user_key="nobody:known", address=f"192.0.2.{number}")
    await watch.worker().once()
    assert watch.reasons == ["many_addresses"]
    assert (watch.told[0].resource or "").startswith("user:")
    assert watch.told[0].details == {"count": 3, "minutes": 60}


async def test_a_clock_that_was_ahead(watch: Watch) -> None:
    """AUD-2: what a clock gone astray wrote into the future neither counts now, nor keeps the same from being told."""
    await Directory(watch.database).signed_in(ADA, at=watch.clock())
    watch.clock.move(timedelta(days=365))
    for number in range(3):
        await watch.happen("sign_in", 1, user_key=ADA.key, address=f"192.0.2.{number}")
    await watch.happen("renewal_failed", 5)
    await watch.worker().once()
    assert sorted(map(str, watch.reasons)) == ["many_addresses", "renewals_refused"]
    watch.clock.move(timedelta(days=-365))
    await watch.worker().once()
    assert len(watch.reasons) == 2
    await watch.happen("renewal_failed", 5)
    await watch.worker().once()
    watch.clock.move(timedelta(seconds=-2))  # another worker's clock, two seconds behind
    await watch.worker().once()
    assert watch.reasons[2:] == ["renewals_refused"]


async def test_a_pager_that_never_answers(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    """AUD-2: whoever listens for ever holds up no other alert, and is told of in the log; nothing is told twice."""
    never = asyncio.Event()

    async def listen(_event: Event) -> None:
        await never.wait()

    watch.events.on("alert", listen)
    worker = watch.worker(listened_for=0.2)
    await watch.happen("renewal_failed", 5)
    await watch.happen("access_denied", 5)
    for _ in range(2):
        await worker.once()
    assert sorted(map(str, watch.reasons)) == ["access_denied", "renewals_refused"]
    assert caplog.text.count("alert_listener_too_slow") == 2


async def test_nothing_is_watched_that_is_switched_off(watch: Watch) -> None:
    """AUD-2: a threshold of 0 is never reached."""
    await watch.happen("access_denied", 20)
    await watch.happen("session_refused", 20)
    await watch.worker(replace(Limits(), alert_denials_per_minute=0, alert_addresses_per_hour=0)).once()
    assert watch.reasons == []
    await watch.worker(Limits(0, 0, 1, 0)).once()
    assert watch.reasons == ["access_denied"]
