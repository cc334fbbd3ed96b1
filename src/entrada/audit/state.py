"""What the application runs with, written down when it is not what it last ran with: settings and keys (SEC-145).

Nothing secret: of a secret setting it says whether there is one, of a key its id.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.appending import locked_heads
from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.events import Event, EventName
from entrada.keyring import KeyRing
from entrada.redaction import clean_fields
from entrada.settings import Settings
from entrada.users.database import Database
from entrada.users.tables import audit

LABEL = "the application"
State = Mapping[str, Any]


def of_settings(settings: Settings) -> State:
    """Return each setting as it may be read by anybody who reads the log."""
    return {name: _shown(settings, name) for name in sorted(type(settings).model_fields)}


def of_ring(ring: KeyRing) -> State:
    """Return which keys there are and which of them seals."""
    return {"active": ring.active.id, "keys": [key.id for key in ring.keys]}


class StateNotes:
    """Writes a state down unless the log says already that it is so."""

    def __init__(self, database: Database, trail: AuditTrail, *, clock: Clock) -> None:
        self._database = database
        self._trail = trail
        self._clock = clock
        self._noted: dict[EventName, State] = {}

    async def note(self, name: EventName, present: State) -> None:
        """Write it down, and what has changed; nothing twice in one process. StoreUnavailable when that fails."""
        if self._noted.get(name) == present:
            return
        shown = json.loads(json.dumps(clean_fields(present)))

        async def work(connection: AsyncConnection) -> None:
            await connection.run_sync(locked_heads)
            before = await _last(connection, name)
            if before == shown:
                return
            changed = {} if before is None else _changed(before, shown)
            details = {"changed": changed, "now": shown}
            await self._trail.append(connection, [Event(name, at=self._clock(), label=LABEL, details=details)])

        await self._database.run(work)
        self._noted[name] = present


async def _last(connection: AsyncConnection, name: EventName) -> State | None:
    newest = select(audit.c.details).where(audit.c.action == name).order_by(audit.c.at.desc(), audit.c.id.desc())
    details = await connection.scalar(newest.limit(1))
    found: State | None = json.loads(details).get("now") if details else None
    return found


def _changed(before: State, now: State) -> dict[str, list[Any]]:
    names = sorted(before.keys() | now.keys())
    return {name: [before.get(name), now.get(name)] for name in names if before.get(name) != now.get(name)}


def _shown(settings: Settings, name: str) -> object:
    value, field = getattr(settings, name), type(settings).model_fields[name]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, SecretStr) or field.repr is False or _holds_secrets(value):
        return "set"
    return [str(each) for each in value] if isinstance(value, tuple) else str(value)


def _holds_secrets(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(each, SecretStr) for each in value)
