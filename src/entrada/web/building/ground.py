"""What the house stands on: the settings, the keys, what is kept of people and sessions, and the ways out."""

from dataclasses import dataclass, field

from entrada.audit.office import Audit
from entrada.clock import Clock, Corrected
from entrada.events import Events
from entrada.keyring import KeyRing
from entrada.provider.authority import TEMPLATE
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import KeyFile, load_or_create_ring, ring_file
from entrada.sessions.leases import Leases
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.lifetimes import Lifetimes
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import may_forget, open_store
from entrada.sessions.stores.store import SessionStore
from entrada.sessions.stores.traced import traced_store
from entrada.settings import Settings
from entrada.store_url import parse
from entrada.users.database import Database
from entrada.users.ended_sessions import EndedSessionLedger
from entrada.web.building.ways_out import WaysOut


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts that every other part is built on."""

    settings: Settings
    clock: Clock
    events: Events
    outside: WaysOut
    key_file: KeyFile | None
    """The file of the key ring, if there is one."""
    ring: KeyRing = field(repr=False)
    sealer: Sealer = field(repr=False)
    database: Database
    """The users' database."""
    ended: EndedSessions | None
    """What is remembered of ended sessions beside the store, where the store may forget."""
    store: SessionStore
    leases: Leases
    audit: Audit
    sessions: Sessions


def lay_ground(settings: Settings, outside: WaysOut, *, clock: Clock, events: Events) -> Ground:
    """Return the parts; no database is opened yet."""
    key_file = KeyFile(path) if (path := ring_file(settings)) else None  # before it is read: no change is missed
    ring = load_or_create_ring(settings)
    sealer, database = Sealer(ring), Database(settings.database_url, data_dir=settings.data_dir)
    ended = EndedSessions(EndedSessionLedger(database), clock=clock) if may_forget(settings.store) else None
    store = _store(settings, ended, clock)
    leases = Leases(store)
    return Ground(
        settings=settings,
        clock=clock,
        events=events,
        outside=outside,
        key_file=key_file,
        ring=ring,
        sealer=sealer,
        database=database,
        ended=ended,
        store=store,
        leases=leases,
        audit=Audit(settings, database, ring, leases=leases, clock=clock, events=events),
        sessions=Sessions(
            store,
            sealer=sealer,
            ring=ring,
            clock=Corrected(clock),
            lifetimes=_lifetimes(settings),
            sids_under=TEMPLATE if outside.discovery.authority.many else None,
        ),
    )


def _store(settings: Settings, ended: EndedSessions | None, clock: Clock) -> SessionStore:
    store = open_store(settings.store, data_dir=settings.data_dir, clock=clock, ended=ended)
    if settings.traces and (kind := parse(settings.store).kind) not in {"memory", "sqlite"}:
        return traced_store(store, kind=kind)
    return store


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        idle=settings.session_idle, absolute=settings.session_absolute, remembered=settings.session_remembered
    )
