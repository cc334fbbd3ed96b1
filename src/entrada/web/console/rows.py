"""Rows of the audit log as a page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from entrada.audit.recorded import Recorded
from entrada.web.console.places import ADMIN
from entrada.web.console.way_in import Visit
from entrada.web.console.words import facts, told
from entrada.web.pages.devices import device

NOBODY = "Nobody known"


@dataclass(frozen=True, slots=True)
class RowShown:
    """One row."""

    id: int
    at: str
    """ISO 8601, for machines."""
    day: str
    time: str
    told: str
    """What happened, in words."""
    action: str
    outcome: str
    reason: str | None
    who: str
    address: str | None
    person: str | None
    """The page of whoever did it, while they are in the directory."""
    done_to: tuple[str, str] | None
    """The page of the person to whom it was done, and what they are called now."""
    device: str | None
    facts: list[tuple[str, str]]


async def shown_rows(visit: Visit, rows: Sequence[Recorded]) -> list[RowShown]:
    """Return what a page shows of these rows, with the names of those to whom something was done."""
    return (await shown_rows_and_name(visit, rows, None))[0]


async def shown_rows_and_name(
    visit: Visit, rows: Sequence[Recorded], person: UUID | None
) -> tuple[list[RowShown], str | None]:
    """Return what `shown_rows` does, and what that person is called, None when they are not in the directory."""
    about = {row.id: found for row in rows if (found := _person_in(row.resource)) and found != row.person}
    names = await visit.desk.names({*about.values(), *([person] if person else [])})
    return [shown(row, about.get(row.id), names) for row in rows], names.get(person) if person else None


def shown(row: Recorded, about: UUID | None = None, names: Mapping[UUID, str] = MappingProxyType({})) -> RowShown:
    """Return what a page shows of a row."""
    return RowShown(
        id=row.id,
        at=row.at.isoformat(),
        day=f"{row.at:%-d %b %Y}",
        time=f"{row.at:%H:%M:%S}",
        told=told(row.action),
        action=row.action,
        outcome=row.outcome,
        reason=row.reason,
        who=(row.user.name.strip() if row.user else "") or row.label or NOBODY,
        address=row.address,
        person=f"{ADMIN}/users/{row.user.id}" if row.user else None,
        done_to=(f"{ADMIN}/users/{about}", names[about]) if about and about in names else None,
        device=device(row.user_agent) if row.user_agent else None,
        facts=facts(row),
    )


def _person_in(resource: str | None) -> UUID | None:
    kind, _, name = (resource or "").partition(":")
    try:
        return UUID(name) if kind == "user" else None
    except ValueError:
        return None
