"""What is dead does not stay."""

from datetime import timedelta
from functools import partial

import anyio

from entrada.background import Chore, Chores, sweep
from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.leases import Leases
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.memory import MemoryStore
from tests.moved_clock import MovedClock


async def test_expired_sessions_and_spent_attempts_are_swept() -> None:
    """SES-5, LOG-4: while the application runs, what has expired is deleted in batches; what lives stays."""
    clock, ring = MovedClock(), KeyRing.parse(generate())
    store = MemoryStore(clock=clock)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    for number in range(20):
        await sessions.begin(User(issuer="https://issuer.example", subject=str(number)), tokens=b"")
        await sessions.spend_once(str(number), lifetime=timedelta(minutes=10))
    clock.move(timedelta(hours=2))
    living, _ = await sessions.begin(User(issuer="https://issuer.example", subject="late"), tokens=b"")
    sweeping = Chore("sweeping", timedelta(milliseconds=1), partial(sweep, sessions, Leases(store)))
    async with Chores([sweeping], chance=lambda: 0.5).going_on():
        await anyio.sleep(0.05)
    assert await sessions.sweep() == 0
    assert await sessions.load(living)
