"""What happened, in words: how the names of events read, and which of them is good news."""

from collections.abc import Mapping

from entrada.audit.recorded import Recorded
from entrada.events import EVENT_NAMES, EventName

WORDS: Mapping[EventName, str] = {
    "sign_in": "Signed in",
    "new_device": "Signed in on a new device",
    "session_refused": "Session refused",
    "sign_in_failed": "Sign-in failed",
    "sign_out": "Signed out",
    "session_ended": "Session ended",
    "renewal_failed": "Renewal failed",
    "credential_expiring": "Credential about to end",
    "tenant_onboarded": "Tenant on-boarded",
    "tenant_approved": "Tenant approved",
    "tenant_suspended": "Tenant suspended",
    "step_up": "Gave more proof",
    "access_denied": "Access denied",
    "user_changed": "Profile changed",
    "user_deactivated": "Deactivated",
    "user_reactivated": "Reactivated",
    "user_deleted": "Deleted",
    "user_exported": "Data exported",
    "user_erased": "Data erased",
    "role_granted": "Role granted",
    "role_revoked": "Role revoked",
    "configuration_changed": "Configuration changed",
    "keys_changed": "Keys changed",
    "audit_pruned": "Audit log pruned",
    "audit_exported": "Audit log exported",
    "audit_gap": "Gap in the audit log",
    "alert": "Alert",
}
FACTS = (
    ("Reason", "reason"),
    ("Done to", "resource"),
    ("Address", "address"),
    ("Browser", "user_agent"),
    ("Tenant", "tenant_id"),
    ("Correlation id", "correlation_id"),
    ("Token id (uti)", "uti"),
)


def grouped(number: int) -> str:
    """Return a number in groups of three digits."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def told(name: str) -> str:
    """Return the words for an event; its own name where a release to come has written it."""
    return WORDS.get(name, name.replace("_", " ").capitalize())  # type: ignore[call-overload, no-any-return]


def choices() -> list[tuple[str, str]]:
    """Return every event with its words, in the order of these."""
    return sorted(((name, told(name)) for name in EVENT_NAMES), key=lambda choice: choice[1])


def facts(row: Recorded) -> list[tuple[str, str]]:
    """Return what else a row of the log says, each with a name."""
    said = [(name, value) for name, field in FACTS if (value := getattr(row, field))]
    for name, value in row.details.items():
        said += _changes(value) if name == "changed" and isinstance(value, Mapping) else [(_title(name), _plain(value))]
    return said


def _changes(changed: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return what was before and what is since, of each thing that was changed."""
    found = []
    for name, pair in changed.items():
        match pair:
            case [before, now]:
                found.append((_title(name), f"{_plain(before)} → {_plain(now)}"))
            case _:
                found.append((_title(name), _plain(pair)))
    return found


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(value: object) -> str:
    """Return a value of a row's details on one line: what was before and what is now, where it says both."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name.replace('_', ' ')}: {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return _one(value)


def _one(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
