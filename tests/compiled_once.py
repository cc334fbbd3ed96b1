"""SQL is compiled once for a process: every test has databases of its own, which are all asked the same.

An engine keeps what it compiled for itself. These dialects are SQLAlchemy's own, but for this: two of a kind count as
equal, and their engines keep what they compiled in one place (docs/decisions/0389).
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_COMPILED: LRUCache[Any, Any] = LRUCache(5000)


class _Shared:
    """A dialect whose engines share what they compiled."""

    server_version_info: tuple[int, ...]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._sort == other._sort  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._sort)

    @property
    def _sort(self) -> tuple[type, tuple[int, ...] | None]:
        return type(self), getattr(self, "server_version_info", None)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class Aiosqlite(_Shared, SQLiteDialect_aiosqlite):
    """SQLite for coroutines."""

    supports_statement_cache = True


class Pysqlite(_Shared, SQLiteDialect_pysqlite):
    """SQLite for threads."""

    supports_statement_cache = True


class Asyncpg(_Shared, PGDialect_asyncpg):
    """PostgreSQL for coroutines."""

    supports_statement_cache = True


def share() -> None:
    """Have every engine that is made from now on share what is compiled."""
    ours = {"sqlite.aiosqlite": Aiosqlite, "sqlite.pysqlite": Pysqlite, "postgresql.asyncpg": Asyncpg}
    for name, dialect in ours.items():
        registry.register(name, __name__, dialect.__name__)
