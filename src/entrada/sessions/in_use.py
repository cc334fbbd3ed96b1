"""How many sessions are in use, counted as they are: each once in an hour, and once in a day.

A session's use is noted in its record now and then, by one worker at a time. Whoever notes the first one of an hour
counts it, so nobody has to read through a million sessions to know how many there are.
"""

HOUR = 3600
DAY = 24 * HOUR


class SessionsInUse:
    """What this worker has counted since it started."""

    def __init__(self) -> None:
        self.of_hours = 0
        """How often a session was in use for the first time in an hour (UTC), good to the pause between two notes."""
        self.of_days = 0
        """The same of days."""

    def begun(self) -> None:
        """Count a session that has begun."""
        self.of_hours += 1
        self.of_days += 1

    def seen(self, now: float, *, before: float) -> None:
        """Count a use that was noted now, when the one before was noted then; both in seconds since 1970."""
        self.of_hours += now // HOUR != before // HOUR
        self.of_days += now // DAY != before // DAY
