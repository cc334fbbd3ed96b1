"""Whether the people who call by token are still active: asked of the directory once a minute for each."""

from collections import OrderedDict
from datetime import timedelta

from entrada.clock import Clock
from entrada.flows.provisioning import Provisioning
from entrada.principal import User

SURE_FOR = timedelta(seconds=60)  # the longest that a person who was made inactive may go on by a token (SEC-134)
MOST_PEOPLE = 20_000  # whose standing is remembered; of others it is asked more often


class Standing:
    """Knows until when each person is sure to be active; NotAdmitted says that one is not."""

    def __init__(self, provisioning: Provisioning, clock: Clock) -> None:
        self._provisioning = provisioning
        self._clock = clock
        self._sure_until: OrderedDict[str, float] = OrderedDict()

    async def sure_until(self, user: User) -> float:
        """Return until when, in seconds since 1970; NotAdmitted, or StoreUnavailable when it cannot be told."""
        now = self._clock()
        until = self._sure_until.get(user.key)
        if until is not None and now.timestamp() < until:
            return until
        self._sure_until.pop(user.key, None)
        await self._provisioning.check_active(user)
        until = (now + SURE_FOR).timestamp()
        self._sure_until[user.key] = until
        if len(self._sure_until) > MOST_PEOPLE:
            self._sure_until.popitem(last=False)
        return until

    def forget(self, user_key: str) -> None:
        """Ask anew of this person."""
        self._sure_until.pop(user_key, None)
