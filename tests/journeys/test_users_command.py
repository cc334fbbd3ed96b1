"""`entrada users` and `entrada audit` on the data of a running application, as an operator uses them (ADM-3, AUD-1)."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from entrada_emulator.pytest_plugin import Entra
from typer.testing import CliRunner

from entrada.cli import commands
from tests import command
from tests.browser import Browser
from tests.front_door import BASE, FrontDoor, running
from tests.journeys.test_people_change import house_of, status, with_editors

SETTINGS = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "portal"}


class Desk:
    """A running application, and a shell beside it."""

    def __init__(self, door: FrontDoor, directory: Path, *, store: str = "sqlite:") -> None:
        self.door, self.directory, self.store = door, directory, store

    async def run(self, *arguments: str, code: int = 0, errors: bool = False) -> str:
        """Run `entrada …`; return what it printed to stdout, or to both ends when it was to fail or they are wanted."""
        environment = {**SETTINGS, "ENTRADA_DATA_DIR": str(self.directory), "ENTRADA_STORE": self.store}
        done = await anyio.to_thread.run_sync(lambda: CliRunner(env=environment).invoke(commands(), arguments))
        said = done.output if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
        assert done.exit_code == code, said
        return said if code or errors else done.stdout


@pytest.fixture
async def desk(entra: Entra, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running(entra, tmp_path, build=with_editors, store="sqlite:") as door:
        yield Desk(door, tmp_path)


async def test_the_first_administrator_is_made_by_command(desk: Desk) -> None:
    """Nobody is one by signing in first; the command makes one, and the last one stays (SEC-138, SEC-141)."""
    assert await desk.run("users", "list", errors=True) == "Nobody has signed in here yet.\n"
    await desk.door.signed_in()
    assert await desk.run("users", "list", "--admins", errors=True) == "Nobody here is as asked for.\n"
    people = house_of(desk.door.app).administration.people
    assert not [person for person in (await people.page()).people if person.is_admin]
    assert "is an administrator" in await desk.run("users", "promote", await id_of(desk))
    assert "admin" in await desk.run("users", "list", "--admins")
    for act in ("demote", "deactivate"):
        assert "last administrator" in await desk.run("users", act, await id_of(desk), code=1)
    assert "last administrator" in await desk.run("users", "erase", await id_of(desk), "--yes", code=1)
    shown = json.loads(await desk.run("users", "show", await id_of(desk)))
    assert (shown["is_admin"], shown["is_active"]) == (True, True)


async def test_who_is_deactivated_by_command_is_out(desk: Desk) -> None:
    """The session in another process ends with the command, and the person comes in again when they are let (USR-3)."""
    browser = await desk.door.signed_in()
    who = await id_of(desk)
    await desk.run("users", "deactivate", who)
    assert await status(browser, "/private") == 401
    await desk.run("users", "reactivate", who)
    again = Browser(desk.door.internet)
    await again.open(f"{BASE}/private")
    exported = json.loads(await desk.run("users", "export", who))
    assert {row["action"] for row in exported["audit"]} >= {"sign_in", "user_deactivated", "user_exported"}
    await desk.run("users", "erase", who, "--yes")
    assert "nobody" in await desk.run("users", "show", who, code=1)
    assert json.loads(await desk.run("audit", "verify", "--json"))["intact"]


async def test_who_is_erased_by_command_is_out_where_sessions_are_in_memory(entra: Entra, tmp_path: Path) -> None:
    """The command sees no session of another process's memory; that process ends them, and nobody else's (USR-3)."""
    async with running(entra, tmp_path, store="memory:") as door:
        desk = Desk(door, tmp_path, store="memory:")
        mia = await door.signed_in()
        who = await id_of(desk)
        ada = await door.signed_in("ada@birch.example")
        await desk.run("users", "erase", who, "--yes")
        with anyio.fail_after(30):
            while await status(mia, "/private") == 200:
                await anyio.sleep(0.05)
        assert (await status(mia, "/private"), await status(ada, "/private")) == (401, 200)


async def test_a_changed_row_is_found_by_command(desk: Desk) -> None:
    """`verify` says that all is well with status 0, and which row is not with status 1, as text and JSON (SEC-148)."""
    await desk.door.signed_in()
    said = await desk.run("audit", "verify")
    assert "all as they were written" in said
    anchor = next(line for line in said.splitlines() if line.startswith("activity:"))
    await desk.run("audit", "verify", "--anchor", anchor)
    assert "not an anchor" in await desk.run("audit", "verify", "--anchor", "x", code=1)
    async with house_of(desk.door.app).database.unit_of_work() as connection:
        await connection.exec_driver_sql("DROP TRIGGER entrada_audit_no_update")
        await connection.exec_driver_sql("UPDATE entrada_audit SET address = 'x' WHERE action = 'sign_in'")
    assert "was edited" in await desk.run("audit", "verify", code=1)
    report = json.loads(await desk.run("audit", "verify", "--json", code=1))
    assert [fault["stream"] for fault in report["faults"]] == ["activity"]


async def test_the_log_is_taken_elsewhere(desk: Desk) -> None:
    """CSV and JSON lines have every row; no cell is a formula; that it was done is written down (SEC-142)."""
    await desk.door.signed_in()
    evil = Browser(desk.door.internet)
    await evil.fetch(f"{BASE}/api/auth/callback?state=x&code=y", headers={"user-agent": '=HYPERLINK("http://evil")'})
    rows = list(csv.DictReader(io.StringIO(await desk.run("audit", "export"))))
    assert {"sign_in", "sign_in_failed", "audit_exported"} <= {row["action"] for row in rows}
    agents = [row["user_agent"] for row in rows if row["action"] == "sign_in_failed"]
    assert agents == ['\'=HYPERLINK("http://evil")']
    lines = (await desk.run("audit", "export", "--format", "jsonl", "--action", "sign_in")).splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["sign_in"]
    file = desk.directory / "log.csv"
    await desk.run("audit", "export", "--output", str(file), "--outcome", "failure")
    assert len(await anyio.Path(file).read_text()) > 100
    assert "File exists" in await desk.run("audit", "export", "--output", str(file), code=1)
    for option, value in (("--action", "x"), ("--outcome", "x"), ("--since", "x")):
        assert option in await desk.run("audit", "export", option, value, code=1)


async def test_old_rows_go_by_command(desk: Desk) -> None:
    """`prune` lets go of what is older, never of what is to come, and the rest can be checked (AUD-1)."""
    await desk.door.signed_in()
    assert "in the past" in await desk.run("audit", "prune", "--before", "2999-01-01", code=1)
    assert "0 rows" in await desk.run("audit", "prune", "--before", "2020-01-01")
    assert json.loads(await desk.run("audit", "verify", "--json"))["intact"]


async def test_without_data_the_commands_say_so(tmp_path: Path) -> None:
    """Where the application has never run nothing is made, and the mend is said (SEC-184)."""
    done = await command.run("users", "list", cwd=tmp_path, **SETTINGS)
    assert done.code == 1
    assert "start the application once" in done.said
    assert not (tmp_path / ".entrada").exists()


async def id_of(desk: Desk) -> str:
    """Return by what the one person here is named on the command line."""
    (person,) = (await house_of(desk.door.app).administration.people.page()).people
    return str(person.id)
