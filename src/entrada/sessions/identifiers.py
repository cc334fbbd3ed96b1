"""What a session is called: the stem by which it is found, and the suffix that it has at the time."""

from hmac import compare_digest

from entrada.sessions.names import Names
from entrada.sessions.record import SessionRecord
from entrada.sessions.suffixes import STEM, Suffixes


def goes_by(record: SessionRecord, session_id: str, *, names: Names, now: float) -> bool:
    """Say whether the session of this stem has this suffix now."""
    if record.suffixes is None:
        return len(session_id) <= STEM
    return any(_is_called(record, session_id, mark, names) for mark in record.suffixes.good(now))


def after(record: SessionRecord, session_id: str | None, *, names: Names, now: float) -> Suffixes | None:
    """Return the suffixes after it was called so: the same, unless that takes up the one that is coming."""
    suffixes = record.suffixes
    if suffixes is None or session_id is None or not suffixes.coming:
        return suffixes
    return suffixes.taken_up(now) if _is_called(record, session_id, suffixes.coming, names) else suffixes


def successor(record: SessionRecord, session_id: str, *, names: Names) -> str | None:
    """Return the identifier that is coming; None when there is none, or the session was called so."""
    suffixes = record.suffixes
    if suffixes is None or not suffixes.coming or _is_called(record, session_id, suffixes.coming, names):
        return None
    return _name(record, session_id[:STEM], suffixes.coming, names)


def _is_called(record: SessionRecord, session_id: str, mark: bytes, names: Names) -> bool:
    name = _name(record, session_id[:STEM], mark, names)
    return compare_digest(session_id.encode("utf-8", "replace"), name.encode("utf-8", "replace"))


def _name(record: SessionRecord, stem: str, mark: bytes, names: Names) -> str:
    return stem + names.suffix(stem, mark, found_by=record.found_by)
