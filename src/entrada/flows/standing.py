"""Whether those who call by token may still come in: asked of directory and tenants once a minute for each."""

from collections import OrderedDict
from datetime import timedelta

from entrada.clock import Clock
from entrada.flows.provisioning import Provisioning
from entrada.principal import Principal

SURE_FOR = timedelta(seconds=60)  # the longest that a person who was made inactive may go on by a token (SEC-134)
MOST_PEOPLE = 20_000  # whose standing is remembered; of others it is asked more often


class Standing:
    """Knows until when each caller is sure to be let in; NotAdmitted or TenantRefused says that one is not."""

    def __init__(self, provisioning: Provisioning, clock: Clock) -> None:
        self._provisioning = provisioning
        self._clock = clock
        self._sure_until: OrderedDict[str, float] = OrderedDict()

    async def sure_until(self, caller: Principal) -> float:
        """Return until when, in seconds since 1970; StoreUnavailable when it cannot be told."""
        now = self._clock()
        until = self._sure_until.get(caller.key)
        if until is not None and now.timestamp() < until:
            return until
        self._sure_until.pop(caller.key, None)
        await self._provisioning.check_active(caller)
        until = (now + SURE_FOR).timestamp()
        self._sure_until[caller.key] = until
        if len(self._sure_until) > MOST_PEOPLE:
            self._sure_until.popitem(last=False)
        return until

    def forget(self, user_key: str | None = None) -> None:
        """Ask anew of this person; of everybody, when nobody is named."""
        if user_key is None:
            self._sure_until.clear()
            return
        self._sure_until.pop(user_key, None)
