"""The groups of a person who is in too many for a token, from Graph at the address of the settings (SEC-132, BEY-5).

The token names an address for them too; it is never called.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from weakref import WeakValueDictionary

import anyio

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, RenewalRefused, Unsupported
from entrada.logs import log
from entrada.principal import User
from entrada.provider.egress import Answer, Egress
from entrada.provider.setbacks import Setbacks
from entrada.well_known import GUID

GRAPH = "https://graph.microsoft.com"
KNOWN_FOR = timedelta(minutes=5)  # how long a change of membership may take to be seen
REFUSED_FOR = timedelta(minutes=1)  # before Graph is asked again after it would not tell
MOST_PEOPLE = 5_000  # whose groups are remembered
OK = 200
REFUSALS = range(400, 429)


def graph_scope(graph_url: str) -> str:
    """Return the scope of all that the application was granted at Graph; a national cloud's has its own name."""
    national = (graph_url.startswith("https://") and "graph.microsoft" in graph_url) or "microsoftgraph" in graph_url
    return f"{graph_url if national else GRAPH}/.default"


class Groups:
    """Asks Graph for the groups of people, for each once at a time, and remembers the answers for a while."""

    def __init__(
        self, egress: Egress, token_in: Callable[[str], Awaitable[str]], *, graph_url: str, clock: Clock
    ) -> None:
        """`token_in` gives the application's own token for Graph in one tenant, with the errors of a `TokenClient`."""
        self._egress = egress
        self._token_in = token_in
        self._graph_url = graph_url.rstrip("/")
        self._clock = clock
        self._known: OrderedDict[str, tuple[frozenset[str] | None, float]] = OrderedDict()
        self._setbacks = Setbacks(clock)
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def of(self, user: User) -> frozenset[str] | None:
        """Return the object ids of the person's groups, transitive ones too; None when Graph will not tell us.

        AuthorityUnavailable when it does not answer, or did not a moment ago.
        """
        if not user.tenant_id or not user.object_id:
            return None
        if known := self._remembered(user.key):
            return known[0]
        turn = self._turns.setdefault(user.key, anyio.Lock())
        async with turn:
            if known := self._remembered(user.key):
                return known[0]
            groups = await self._ask_again(user.key, user.tenant_id, user.object_id)
            self._remember(user.key, groups)
            return groups

    def _remembered(self, person: str) -> tuple[frozenset[str] | None, float] | None:
        known = self._known.get(person)
        left = known[1] - self._clock().timestamp() if known else 0.0
        return known if 0 < left <= KNOWN_FOR.total_seconds() else None  # more is left when the clock was set back

    def _remember(self, person: str, groups: frozenset[str] | None) -> None:
        lasting = KNOWN_FOR if groups is not None else REFUSED_FOR
        self._known[person] = groups, (self._clock() + lasting).timestamp()
        if len(self._known) > MOST_PEOPLE:
            self._known.popitem(last=False)

    async def _ask_again(self, person: str, tenant_id: str, object_id: str) -> frozenset[str] | None:
        """Ask, but not soon after it failed."""
        self._setbacks.check(person.encode())
        try:
            return await self._ask(tenant_id, object_id)
        except AuthorityUnavailable as failed:
            self._setbacks.note(person.encode(), failed)
            raise

    async def _ask(self, tenant_id: str, object_id: str) -> frozenset[str] | None:
        try:
            token = await self._token_in(tenant_id)
        except (Unsupported, RenewalRefused) as refused:
            log.error("groups_not_told", reason=str(refused))
            return None
        answer = await self._egress.post_json(
            f"{self._graph_url}/v1.0/users/{object_id}/getMemberObjects",
            {"securityEnabledOnly": False},
            purpose="graph",
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.status in REFUSALS:
            log.error("groups_not_told", status=answer.status, reason="grant GroupMember.Read.All and User.Read.All")
            return None
        return frozenset(_ids(answer))


def _ids(answer: Answer) -> Iterable[str]:
    found = answer.json_object().get("value") if answer.status == OK else None
    if not isinstance(found, list):
        raise AuthorityUnavailable(f"Graph: answer {answer.status} to a question for groups")
    return (each for each in found if isinstance(each, str) and GUID.fullmatch(each))
