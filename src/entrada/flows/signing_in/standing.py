"""Whether those who call by token may still come in: asked of directory and tenants once a minute for each."""

from collections import OrderedDict
from datetime import timedelta
from typing import NamedTuple

from entrada.clock import Clock, in_seconds
from entrada.flows.signing_in.provisioning import Provisioning
from entrada.principal import Principal

SURE_FOR = timedelta(seconds=60)  # the longest that a person who was made inactive may go on by a token (SEC-134)
MOST_PEOPLE = 20_000  # whose standing is remembered; of others it is asked more often


class Stands(NamedTuple):
    """That a caller is let in."""

    sure_until: float
    """Until when that is sure, in seconds since 1970."""
    granted: frozenset[str]
    """The roles granted to them here."""


class Standing:
    """Knows how each caller stands; NotAdmitted or TenantRefused says that one is not let in."""

    def __init__(self, provisioning: Provisioning, clock: Clock) -> None:
        self._provisioning = provisioning
        self._now = in_seconds(clock)
        self._known: OrderedDict[str, Stands] = OrderedDict()
        self._forgotten = 0

    async def of(self, caller: Principal) -> Stands:
        """Return how the caller stands; StoreUnavailable when it cannot be told."""
        now, key = self._now(), caller.key
        known = self._known.get(key)
        if known is not None and now < known.sure_until:
            return known
        self._known.pop(key, None)
        forgotten = self._forgotten
        found = Stands(now + SURE_FOR.total_seconds(), await self._provisioning.standing(caller))
        if forgotten == self._forgotten:  # else somebody was shut out meanwhile, and this may be from before
            self._known[key] = found
        if len(self._known) > MOST_PEOPLE:
            self._known.popitem(last=False)
        return found

    def forget(self, user_key: str | None = None) -> None:
        """Ask anew of this person; of everybody, when nobody is named."""
        self._forgotten += 1
        if user_key is None:
            self._known.clear()
            return
        self._known.pop(user_key, None)
