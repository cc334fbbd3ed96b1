"""What one worker counts while it works, carried to the users' database now and then."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from entrada.clock import Clock
from entrada.users.tallies import Tallies, TallyName

EVERY = timedelta(seconds=30)  # one short write, and none when nothing has happened


class Tally:
    """Carries numbers that only grow; what could not be written goes with the next."""

    def __init__(self, tallies: Tallies, sources: Mapping[TallyName, Callable[[], int]], *, clock: Clock) -> None:
        self._tallies = tallies
        self._sources = sources
        self._carried: dict[TallyName, int] = dict.fromkeys(sources, 0)
        self._clock = clock

    async def once(self) -> None:
        """Add what has happened since the last time; StoreUnavailable when that must wait."""
        present = {name: count() for name, count in self._sources.items()}
        grown = {name: count - self._carried[name] for name, count in present.items() if count > self._carried[name]}
        if grown:
            await self._tallies.add(grown, at=self._clock())
            self._carried = present
