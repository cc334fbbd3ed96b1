"""One row of the log, as it is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from entrada.audit.filters import Cursor


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the log. `user` is None for nobody, and for a person who was deleted; `label` stays."""

    id: int
    stream: str
    at: datetime
    action: str
    outcome: str
    reason: str | None
    tenant_id: str | None
    person: UUID | None
    user_key: str | None
    label: str | None
    resource: str | None
    details: Mapping[str, Any]
    address: str | None
    user_agent: str | None
    correlation_id: str | None
    uti: str | None
    user: "Known | None"

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON can say it."""
        values = {name: getattr(self, name) for name in SHOWN}
        person = str(self.person) if self.person else None
        return values | {"at": self.at.isoformat(), "person": person, "details": dict(self.details)}

    @property
    def cursor(self) -> str:
        """Where the page goes on that ends with this row."""
        return str(Cursor(self.at, self.id))


SHOWN = tuple(each.name for each in fields(Recorded) if each.name != "user")
"""The columns of a row, in the order of its fields; what makes the chain is not read."""
DETAILS = SHOWN.index("details")


@dataclass(frozen=True, slots=True)
class Known:
    """A person of a row who is in the directory now, under their present name."""

    id: UUID
    name: str
    email: str | None


def recorded(row: Sequence[Any]) -> Recorded:
    """Return the row that has the values of SHOWN, then of Known."""
    *values, known_id, name, email = row
    details = values[DETAILS]
    values[DETAILS] = json.loads(details) if details else {}
    values.append(Known(known_id, name, email) if known_id else None)
    return Recorded(*values)
