"""A store that does not answer: 503 and patience, never a stranger let in, never a person half signed in or out."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import stopped_at_callback
from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running

HOST = "portal.birch.example"


@pytest.fixture
async def on_disk(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application with its sessions in SQLite."""
    async with running(entra, tmp_path, store="sqlite:") as door:
        yield door


def break_database(path: Path) -> None:
    """Take every table away from under the application."""
    connection = sqlite3.connect(path, isolation_level=None)
    ours = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = [name for (name,) in connection.execute(ours)]
    for name in tables:
        connection.execute(f'DROP TABLE "{name}"')
    connection.close()
    assert tables


async def test_pages_that_need_somebody(on_disk: FrontDoor, tmp_path: Path) -> None:
    """SEC-179, REL-010: 503 with Retry-After, distinct from 401; the cookie stays; other routes go on."""
    browser = await on_disk.signed_in()
    break_database(tmp_path / "sessions.db")
    page = await browser.open(f"{BASE}/private")
    assert page.status == 503
    assert int(page.headers["retry-after"]) > 0
    assert "set-cookie" not in page.headers
    assert SESSION in browser.jar.of(HOST)
    assert (await on_disk.raw("POST", f"{BASE}/hook")).status_code == 200
    assert (await on_disk.raw("GET", f"{BASE}/health")).status_code == 200
    assert (await on_disk.raw("GET", f"{BASE}/ready")).status_code == 503


async def test_callback(on_disk: FrontDoor, tmp_path: Path) -> None:
    """SEC-014, SEC-178: when single use cannot be recorded, the code is not redeemed."""
    browser, url = await stopped_at_callback(on_disk)
    break_database(tmp_path / "sessions.db")
    page = await browser.open(url)
    assert page.status == 503
    assert on_disk.calls("/token") == 0
    assert SESSION not in browser.jar.of(HOST)


async def test_users_database(on_disk: FrontDoor, tmp_path: Path) -> None:
    """SEC-020, REL-025: when the person cannot be recorded, nobody is signed in."""
    browser, url = await stopped_at_callback(on_disk)
    break_database(tmp_path / "entrada.db")
    page = await browser.open(url)
    assert page.status == 503
    assert SESSION not in browser.jar.of(HOST)


async def test_the_audit_log(on_disk: FrontDoor, tmp_path: Path) -> None:
    """SEC-020, SEC-149: a session that cannot be recorded is none: nobody gets its cookie, and the store has none."""
    browser, url = await stopped_at_callback(on_disk)
    with closing(sqlite3.connect(tmp_path / "entrada.db", isolation_level=None)) as users:
        users.execute("CREATE TRIGGER full BEFORE INSERT ON entrada_audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    page = await browser.open(url)
    assert page.status == 503
    assert SESSION not in browser.jar.of(HOST)
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as sessions:
        assert sessions.execute("SELECT count(*) FROM session").fetchone() == (0,)


async def test_sign_out(on_disk: FrontDoor, tmp_path: Path) -> None:
    """OUT-2, BEY-8: the cookie is cleared all the same, and the page says what did not end and how to go on."""
    browser = await on_disk.signed_in()
    break_database(tmp_path / "sessions.db")
    page = await browser.press("Sign out")
    assert page.status == 503
    assert SESSION not in browser.jar.of(HOST)
    assert "could not be ended" in page.text
    assert page.link("Sign out of Microsoft").startswith(AUTHORITY)


async def test_sign_out_by_script(on_disk: FrontDoor, tmp_path: Path) -> None:
    """OUT-2: a script reads the same in JSON."""
    browser = await on_disk.signed_in()
    break_database(tmp_path / "sessions.db")
    answer = await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
    assert answer.status_code == 503
    assert answer.json()["ended"] == {"here": False, "browser": True}
    assert SESSION not in browser.jar.of(HOST)


async def test_sign_out_while_the_authority_is_down(entra: Entra, tmp_path: Path) -> None:
    """SEC-097, REL-001: without the authority's documents, the sign-out here succeeds all the same."""
    async with running(entra, tmp_path) as door:
        browser = await door.signed_in()
        session = browser.jar.of(HOST)[SESSION]
        del door.internet.hosts["login.microsoftonline.com"]
        entra.state.clock.move(timedelta(minutes=59))
        page = await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
        assert page.status_code == 200
        assert page.json()["ended"] == {"here": True, "browser": True}
        assert await door.reuse(session) == 401


async def test_deactivated_while_signing_in(on_disk: FrontDoor, tmp_path: Path) -> None:
    """USR-3: who is deactivated after they were let in, and before their session was there, has no session."""
    with closing(sqlite3.connect(tmp_path / "entrada.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER meanwhile AFTER INSERT ON entrada_user BEGIN"
            " UPDATE entrada_user SET is_active = 0 WHERE id = new.id; END"
        )
    browser = await on_disk.signed_in()
    assert browser.page.status == 403
    assert SESSION not in browser.jar.of(HOST)
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (0,)
