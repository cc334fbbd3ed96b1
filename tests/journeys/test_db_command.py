"""One command says how far the tables of the users' database are and brings them to this release, on both databases."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import anyio
import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from entrada.cli import commands
from tests.servers import PostgresServer, postgres_server

SETTINGS = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "portal"}
AS_0008 = "UPDATE entrada_schema SET version_num = '0008'; DROP INDEX entrada_audit_by_tenant; DROP TABLE entrada_photo"
FILE = Path(".entrada") / "entrada.db"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


def db(*arguments: str, code: int, **environment: str) -> str:
    """Run `entrada db …` and return what it printed to both ends; never a traceback."""
    done: Result = CliRunner(env=SETTINGS | environment).invoke(commands(), ["db", *arguments])
    said = done.output if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
    assert done.exit_code == code, said
    return said


def in_sqlite(statement: str) -> None:
    with sqlite3.connect(FILE) as connection:
        connection.execute(statement)
    connection.close()


def in_postgres(server: PostgresServer, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(server.url)
        await connection.execute(statement)
        await connection.close()

    anyio.run(run)


def test_from_nothing_to_this_release() -> None:
    """Status changes nothing; upgrade tells of each step and is done once; then nothing is pending."""
    assert "pending  0001  The users." in db("status", code=1)
    assert list(Path().iterdir()) == []
    said = db("upgrade", code=0).splitlines()
    steps = len(said) - 1
    assert [line.partition(":")[0] for line in said[:-1]] == [f"{n} of {steps}" for n in range(1, steps + 1)]
    assert said[-1].startswith("Done: ")
    assert db("upgrade", code=0).startswith("Nothing to do: ")
    last = said[-2].split()[3]
    assert json.loads(db("status", "--json", code=0)) == {"current": last, "pending": [], "newer": False}


def test_a_newer_schema_is_refused_and_left_alone() -> None:
    """A database that a newer release has changed is not touched, and the refusal says what to run (SEC-184)."""
    db("upgrade", code=0)
    in_sqlite("UPDATE entrada_schema SET version_num = '9999'")
    assert "a newer release of Entrada wrote it (9999)" in db("status", code=1)
    before = FILE.read_bytes()
    assert "run that one, or restore the backup" in db("upgrade", code=1)
    assert FILE.read_bytes() == before


def test_a_lost_file_is_not_made_anew() -> None:
    """REL-026: where the file was and is gone, neither command makes an empty one."""
    db("upgrade", code=0)
    FILE.unlink()
    for command in ("status", "upgrade"):
        assert "is missing; restore it from a backup" in db(command, code=1)
    assert not FILE.exists()


def test_the_same_on_postgresql(server: PostgresServer) -> None:
    """PostgreSQL: pending, upgraded, refused when newer, the last steps alone when it is of an earlier release."""
    at = {"ENTRADA_DATABASE_URL": server.url}
    assert "nothing is there yet" in db("status", code=1, **at)
    assert "Done: " in db("upgrade", code=0, **at)
    assert "Nothing is pending." in db("status", code=0, **at)
    in_postgres(server, AS_0008)
    said = db("upgrade", code=0, **at).splitlines()
    assert said[0].startswith("Indexes to make: entrada_audit_by_tenant, ")
    assert [line[:12] for line in said[1:3]] == ["1 of 2: 0009", "2 of 2: 0010"]
    in_postgres(server, "UPDATE entrada_schema SET version_num = '0003'; DROP TABLE entrada_tenant")
    said = db("status", code=1, **at)
    assert "current  0003" in said
    assert "pending  0004" in said
    in_postgres(server, "UPDATE entrada_schema SET version_num = '9999'")
    assert "a newer release of Entrada wrote it (9999)" in db("upgrade", code=1, **at)


def test_a_server_that_does_not_answer(free_tcp_port: int) -> None:
    """Nobody can tell: exit status 2, and the reason without the password."""
    url = f"postgresql://entrada:hunter2@127.0.0.1:{free_tcp_port}/x"
    for command in ("status", "upgrade"):
        said = db(command, code=2, ENTRADA_DATABASE_URL=url)
        assert "does not answer" in said
        assert "hunter2" not in said
