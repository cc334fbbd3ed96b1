"""Rows of the audit log as a page shows them."""

from dataclasses import dataclass

from entrada.audit.log import Recorded
from entrada.web.console.shell import ADMIN
from entrada.web.console.words import facts, told
from entrada.web.devices import device

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
    done_to: str | None
    """The page of the person to whom it was done."""
    device: str | None
    facts: list[tuple[str, str]]


def shown(row: Recorded) -> RowShown:
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
        who=row.user.name if row.user and row.user.name else row.label or NOBODY,
        address=row.address,
        person=f"{ADMIN}/users/{row.user.id}" if row.user else None,
        done_to=_done_to(row.resource),
        device=device(row.user_agent) if row.user_agent else None,
        facts=facts(row),
    )


def _done_to(resource: str | None) -> str | None:
    kind, _, name = (resource or "").partition(":")
    return f"{ADMIN}/users/{name}" if kind == "user" else None
