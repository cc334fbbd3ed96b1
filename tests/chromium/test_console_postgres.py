"""The same day's work of an administrator where users and the audit log are in PostgreSQL."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from tests.chromium.console import administrator, app, at_work, registered
from tests.chromium.visitor import Visitor
from tests.servers import PostgresServer, postgres_server

__all__ = ["administrator", "app", "registered"]

DONE = "SELECT count(DISTINCT action) FROM entrada_audit WHERE action IN ('user_deactivated', 'user_reactivated')"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def settings(server: PostgresServer) -> Mapping[str, str]:
    return {"ENTRADA_DATABASE_URL": server.url}


@pytest.mark.long
def test_an_administrator_at_work(
    administrator: Visitor, visitor: Visitor, server: PostgresServer, tmp_path: Path
) -> None:
    """Finds a person, reads their history, ends their session, grants a role, shuts them out, takes the log home."""
    at_work(administrator, visitor, tmp_path)
    assert answered(server, DONE) == 2


def answered(server: PostgresServer, query: str) -> int:
    """Return what the server itself says, asked from another thread: Playwright has this one's event loop."""

    async def ask() -> int:
        connection = await asyncpg.connect(server.url)
        found: int = await connection.fetchval(query)
        await connection.close()
        return found

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask()).result()
