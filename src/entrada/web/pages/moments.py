"""Times as people read them. All of them are UTC, and say so."""

from datetime import datetime, timedelta


def moment(at: datetime) -> str:
    """Return a time to the minute, such as `21 November 2026, 09:41 UTC`."""
    return f"{at:%-d %B %Y, %H:%M} UTC"


def ago(past: timedelta) -> str:
    """Say how long ago, as exactly as a person would."""
    minutes = int(past.total_seconds() // 60)
    for size, word in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if count := minutes // size:
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "within the last minute"
