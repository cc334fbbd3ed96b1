"""Users in PostgreSQL, for workers on any number of machines. asyncpg is loaded when one is made, not before."""

from collections.abc import Callable
from typing import Any, TypeVar

from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from entrada.errors import SettingsRefused
from entrada.postgres_options import connect_options
from entrada.store_url import StoreUrl
from entrada.users.connections import Connections
from entrada.users.postgres_indexes import drop_broken, make_beforehand, refuse_large
from entrada.users.upgrade import REVISION, VERSION_TABLE, Told, indexes_after, upgrade

CONNECTIONS = 5  # of one worker; sign-ins use them, requests of who is signed in do not
MORE_AT_NEED = 5
CONNECT_PATIENCE = 2.0  # seconds; a sign-in has waited for the authority already
STATEMENT_PATIENCE = 2.0
POOL_PATIENCE = 2.0
BRING_UP_PATIENCE = 30.0  # another worker may be at it
LEISURE = 86_400.0  # for whoever brings a large database up by command
LOCK = 0x656E7472616461_75  # "entrada" and "u": an advisory lock of our own, beside the session store's
READ_ONLY = "25006"  # a server that has become a replica
FORBIDDEN = "42501"
AGAIN = frozenset({"40001", "40P01", "23505", READ_ONLY})  # serialization, deadlock, somebody else was first

T = TypeVar("T")


class PostgresEngine:
    """One database on a server."""

    clock = "extract(epoch from clock_timestamp())"

    def __init__(self, address: StoreUrl) -> None:
        """Connect to nothing yet; ModuleNotFoundError when asyncpg is not installed."""
        self._address = address
        pooled = _engine(
            address,
            STATEMENT_PATIENCE,
            pool_size=CONNECTIONS,
            max_overflow=MORE_AT_NEED,
            pool_timeout=POOL_PATIENCE,
            pool_pre_ping=True,  # a connection that broke while nobody used it is nobody's trouble
        )
        self.connections = Connections(pooled)

    async def revision(self) -> str | None:
        """Return the last step that was taken; nothing is changed."""
        async with self.connections.connect() as connection:
            return await _revision(connection)

    async def bring_up(self, told: Told, *, at_leisure: bool = False) -> None:
        """Bring the tables up, all steps or none, one worker at a time."""
        patient = _engine(self._address, LEISURE if at_leisure else BRING_UP_PATIENCE, poolclass=NullPool)
        try:
            if at_leisure:
                await _indexed(patient)
            async with patient.begin() as connection:
                await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BRING_UP_PATIENCE * 1000:.0f}")
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                indexes = indexes_after(await _revision(connection))
                if not at_leisure:
                    await refuse_large(connection, indexes)
                await drop_broken(connection, indexes)
                await connection.run_sync(lambda sync: upgrade(sync, told))
        except CommandError:
            fault = "database_url: a newer release of Entrada has its tables there; run that one or name another"
            raise SettingsRefused([fault]) from None
        except ProgrammingError as error:
            if _sqlstate(error.orig) != FORBIDDEN:
                raise
            fault = "database_url: this user may not make tables there; grant CREATE on the schema for the first start"
            raise SettingsRefused([fault]) from None
        finally:
            await patient.dispose()

    async def at_once(self, work: Callable[[Connection], T], *, read_only: bool = False) -> T:
        """Do it on one connection."""
        async with self.connections.connect() as connection:
            if read_only:
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.connections.close()

    def was_undone(self, error: Exception) -> bool:
        """Say whether it was."""
        return isinstance(error, DBAPIError) and _sqlstate(error.orig) in AGAIN

    def said(self, error: Exception) -> str:
        """Return the kind of error and its SQLSTATE; its text may hold the values of a statement."""
        kind, code = type(error).__name__, _sqlstate(getattr(error, "orig", None))
        return f"{kind} {code}" if code else kind


async def _revision(connection: AsyncConnection) -> str | None:
    found = await connection.exec_driver_sql(f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL")
    revision: str | None = (await connection.exec_driver_sql(REVISION)).scalar() if found.scalar() else None
    return revision


async def _indexed(engine: AsyncEngine) -> None:
    """Make what indexes can be made while everybody goes on."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        await make_beforehand(connection, indexes_after(await _revision(connection)))


def _engine(address: StoreUrl, patience: float, **pool: Any) -> AsyncEngine:
    options = connect_options(address, connect=CONNECT_PATIENCE, statement=patience)
    if options.get("statement_cache_size") == 0:
        options |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    engine = create_async_engine("postgresql+asyncpg://", connect_args=options, hide_parameters=True, **pool)
    event.listen(engine.sync_engine, "handle_error", _leave_a_replica)
    return engine


def _leave_a_replica(context: ExceptionContext) -> None:
    """Use none of the pool's connections again: after a change of servers they lead to the old one."""
    if _sqlstate(context.original_exception) == READ_ONLY:
        context.is_disconnect = True


def _sqlstate(error: BaseException | None) -> str | None:
    return getattr(error, "sqlstate", None)
