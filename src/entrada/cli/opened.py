"""The users' database, the log and the session store, opened for one command and let go of."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.events import Events
from entrada.flows.admin.administration import Actor, Administration
from entrada.flows.admin.suspension import TenantSessions
from entrada.flows.admin.tenancy import Tenancy
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import load_or_create_ring
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import may_forget, open_store, visible
from entrada.settings import Settings
from entrada.users.database import FILE_NAME, Database
from entrada.users.directory import Directory
from entrada.users.ended_sessions import EndedSessionLedger
from entrada.users.tenants import TenantTable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with."""

    database: Database
    trail: AuditTrail
    log: AuditLog
    administration: Administration
    tenancy: Tenancy


def with_all(work: Callable[[Opened], Awaitable[T]], *, may_be_first: bool = False) -> T:
    """Do the work on what the settings name.

    SettingsRefused where the application has never run, unless the work is one that may be done before.
    """
    settings = Settings.load()
    if not may_be_first and settings.database_url is None and not (settings.data_dir / FILE_NAME).is_file():
        raise SettingsRefused(
            [f"data_dir: {settings.data_dir} has no users' database; start the application once, or name its directory"]
        )
    return asyncio.run(_with_all(settings, work))


def actor() -> Actor:
    """Return whoever runs the command, as the log is to have it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Actor(label=f"{name}, by command")


async def _with_all(settings: Settings, work: Callable[[Opened], Awaitable[T]]) -> T:
    ring = load_or_create_ring(settings)
    database = Database(settings.database_url, data_dir=settings.data_dir)
    ended = EndedSessions(EndedSessionLedger(database), clock=system_clock) if may_forget(settings.store) else None
    seen = visible(settings.store, data_dir=settings.data_dir)
    address = settings.store if seen else "memory:"  # then the running application ends them, within a second
    store = open_store(address, data_dir=settings.data_dir, clock=system_clock, ended=ended)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=system_clock)
    trail = AuditTrail(database, ring, clock=system_clock)
    administration = Administration(database, trail, sessions, events=Events(), clock=system_clock)
    of_tenants = TenantSessions(Directory(database), sessions.end_all_of, clock=system_clock)
    tenancy = Tenancy(TenantTable(database), trail, of_tenants, None,
                      listed=settings.tenants, events=Events(), clock=system_clock)  # fmt: skip
    try:
        await database.bring_up()
        if ended is not None:
            await ended.refresh()
        await store.prepare()
        return await work(Opened(database, trail, AuditLog(database), administration, tenancy))
    finally:
        await trail.aclose()
        await store.close()
        await database.close()
