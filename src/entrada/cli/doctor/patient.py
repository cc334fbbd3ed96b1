"""What is looked at: one application's settings, and what they lead to."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from entrada import store_url
from entrada.cli.findings import Finding
from entrada.clock import Clock
from entrada.sessions.stores.opening import SQLITE_FILE
from entrada.settings import Settings
from entrada.users.database import FILE_NAME
from entrada.web.building.ways_out import WaysOut


@dataclass(frozen=True, slots=True)
class Patient:
    """An application that is looked at without being started."""

    settings: Settings
    outside: WaysOut
    clock: Clock

    @property
    def now(self) -> datetime:
        """This machine's time."""
        return self.clock()

    @property
    def session_file(self) -> Path | None:
        """The SQLite file of the sessions; None where they are elsewhere."""
        address = store_url.parse(self.settings.store)
        if address.kind != "sqlite":
            return None
        return Path(address.path) if address.path else self.settings.data_dir / SQLITE_FILE

    @property
    def users_file(self) -> Path | None:
        """The SQLite file of the users; None where they are on a server."""
        if self.settings.database_url is None:
            return self.settings.data_dir / FILE_NAME
        address = store_url.parse_database(self.settings.database_url)
        return Path(address.path) if address.kind == "sqlite" else None


Check = Callable[[Patient], Awaitable[Iterable[Finding]]]
"""One named rule: what it finds, each finding with its mend where something is to be mended."""
