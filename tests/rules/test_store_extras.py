"""What a store needs is loaded when a setting asks for it, and said when it is not installed."""

import re

from tests.processes import start

OPEN = """
import os, sys
from pathlib import Path
for name in sys.argv[1].split():
    sys.modules[name] = None  # what an import finds where nothing is installed
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.sessions.stores.opening import open_store
from entrada.users.database import Database

def opened(url):
    try:
        if "+" in url.partition(":")[0] and "redis" not in url:
            Database(url, data_dir=Path())
        else:
            open_store(url, data_dir=Path(), clock=system_clock)
    except SettingsRefused as refused:
        return str(refused)
    return " ".join(sorted({"redis", "asyncpg", "sqlite3"} & set(sys.modules)))

for url in sys.argv[2:]:  # each in a process that has opened nothing else
    if os.fork() == 0:
        print(opened(url), flush=True)
        os._exit(0)
    os.wait()
"""


def opened(*urls: str, missing: str = "") -> dict[str, str]:
    """Return what each prints in a Python of its own, with these modules missing."""
    with start(OPEN, missing, *urls) as process:
        return dict(zip(urls, process.communicate(timeout=60)[0].splitlines(), strict=True))


def test_only_what_the_setting_asks_for_is_loaded() -> None:
    """Neither driver is loaded for a store that does not use it."""
    found = opened(
        "memory:",
        "redis://localhost",
        "postgresql://localhost/x",
        "sqlite+aiosqlite:///x.db",
        "postgresql+asyncpg://localhost/x",
    )
    assert found["memory:"] == ""
    assert found["redis://localhost"] == "redis"
    assert found["postgresql://localhost/x"] == "asyncpg"
    assert "asyncpg" not in found["sqlite+aiosqlite:///x.db"]
    assert "asyncpg" in found["postgresql+asyncpg://localhost/x"]


def test_a_missing_redis_driver_is_said_plainly() -> None:
    """The start is refused with what to install (SEC-184)."""
    for missing in ("redis", "hiredis", "redis hiredis"):
        found = opened("redis://x", "redis+cluster://x", missing=missing)
        assert set(found) == {"redis://x", "redis+cluster://x"}
        for said in found.values():
            assert re.fullmatch(r"- store: (hi)?redis is not installed; pip install 'entrada\[redis\]'", said)


def test_a_missing_postgresql_driver_is_said_plainly() -> None:
    """The start is refused with what to install (SEC-184), for the store and for the users' database."""
    assert opened("postgres://x", "postgresql+asyncpg://x/y", missing="asyncpg") == {
        "postgres://x": "- store: asyncpg is not installed; pip install 'entrada[postgres]'",
        "postgresql+asyncpg://x/y": "- database_url: asyncpg is not installed; pip install 'entrada[postgres]'",
    }
