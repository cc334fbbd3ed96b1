"""What a store needs is loaded when a setting asks for it, and said when it is not installed."""

import pytest

from tests.processes import start

OPEN = """
import sys
from pathlib import Path
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
for name in sys.argv[2:]:
    sys.modules[name] = None  # what an import finds where nothing is installed
from entrada.sessions.stores.opening import open_store
from entrada.users.database import Database
try:
    if "+" in sys.argv[1].partition(":")[0] and "redis" not in sys.argv[1]:
        Database(sys.argv[1], data_dir=Path())
    else:
        open_store(sys.argv[1], data_dir=Path(), clock=system_clock)
except SettingsRefused as refused:
    print(refused)
else:
    print(*sorted({"redis", "asyncpg", "sqlite3"} & set(sys.modules)))
"""


def opened(*arguments: str) -> str:
    with start(OPEN, *arguments) as process:
        return process.communicate(timeout=60)[0].strip()


def test_only_what_the_setting_asks_for_is_loaded() -> None:
    """Neither driver is loaded for a store that does not use it."""
    assert opened("memory:") == ""
    assert opened("redis://localhost") == "redis"
    assert opened("postgresql://localhost/x") == "asyncpg"
    assert "asyncpg" not in opened("sqlite+aiosqlite:///x.db")
    assert "asyncpg" in opened("postgresql+asyncpg://localhost/x")


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [("redis://x", "redis", "redis"), ("redis+cluster://x", "redis", "redis"), ("postgres://x", "asyncpg", "postgres")],
)
def test_a_missing_driver_is_said_plainly(url: str, module: str, extra: str) -> None:
    """The start is refused with what to install (SEC-184)."""
    assert opened(url, module) == f"- store: {module} is not installed; pip install entrada[{extra}]"


def test_a_missing_driver_of_the_users_database_is_said_plainly() -> None:
    """The start is refused with what to install (SEC-184)."""
    said = opened("postgresql+asyncpg://x/y", "asyncpg")
    assert said == "- database_url: asyncpg is not installed; pip install entrada[postgres]"
