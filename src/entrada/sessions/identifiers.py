"""What a session is called: the stem by which it is found, and the suffix that it has at the time."""

from hmac import compare_digest

from entrada.sessions.names import SUFFIX, Names
from entrada.sessions.record import SessionRecord
from entrada.sessions.suffixes import NONE, STEM, Suffixes

MOST_DIGITS = 9


def goes_by(record: SessionRecord, session_id: str, *, names: Names, now: float) -> bool:
    """Say whether the session of this stem goes by this suffix now."""
    if record.suffixes is None and len(session_id) <= STEM:
        return True
    number = _number(record, session_id, names)
    return number is not None and (record.suffixes or NONE).takes(number, now)


def after(record: SessionRecord, session_id: str | None, *, names: Names, now: float) -> Suffixes | None:
    """Return the suffixes after it was called so: the same, unless that takes up the one that is coming."""
    if session_id is None or len(session_id) <= STEM:
        return record.suffixes
    number, suffixes = _number(record, session_id, names), record.suffixes or NONE
    if number is None or number <= suffixes.present:
        return record.suffixes
    return suffixes.after(number, now)


def successor(record: SessionRecord, session_id: str, *, names: Names) -> str | None:
    """Return the identifier that is coming; None when there is none, or the session was called so."""
    suffixes = record.suffixes
    if suffixes is None or not suffixes.coming:
        return None
    stem, number = session_id[:STEM], suffixes.present + 1
    following = stem + names.suffix(stem, number, found_by=record.found_by)
    return None if compare_digest(following.encode(), session_id.encode("utf-8", "replace")) else following


def _number(record: SessionRecord, session_id: str, names: Names) -> int | None:
    """Return the number of the suffix; None when we have not made it for this session."""
    stem, digits = session_id[:STEM], session_id[STEM + SUFFIX :]
    if len(session_id) <= STEM:
        return 0
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        return None
    ours = names.suffix(stem, int(digits), found_by=record.found_by)
    return int(digits) if compare_digest(session_id[STEM:].encode("utf-8", "replace"), ours.encode()) else None
