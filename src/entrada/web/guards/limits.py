"""How often somebody may come: strangers by their address, whoever is known by themselves (SEC-152, SEC-R).

A request that brings a session or a token which this worker has not seen is looked at first, and counted afterwards:
so an address that has used up its limit shuts nobody out who is signed in, whoever else shares it.
"""

from collections import Counter
from typing import TYPE_CHECKING

from starlette.types import Scope

from entrada.clock import Clock, Steady
from entrada.errors import EntradaError, StoreUnavailable
from entrada.guard_errors import LimitReached
from entrada.logs import log
from entrada.settings import Settings
from entrada.settings.guards import LimitClass
from entrada.web import bearer
from entrada.web.context import Context
from entrada.web.guards.address_limits import AddressLimit
from entrada.web.guards.callers import Allowance, Callers
from entrada.web.guards.client_address import client_key

if TYPE_CHECKING:
    from entrada.web.guards.shared_limits import SharedLimits

BY_ADDRESS: tuple[LimitClass, ...] = ("strangers", "sign_in", "failures")
SIGN_IN = ("login", "callback", "step-up", "resume", "logout")
UNLIMITED = ("frontchannel-logout", "backchannel-logout")  # they have a pace of their own, for the authority's word
STEPS = 2  # of a sign-in: it is begun, and answered
TOLD_EVERY = 60.0  # seconds between two lines about the same limit


class Limits:
    """All limits of one application."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        shared: "SharedLimits | None",
        exempt: frozenset[str],
        exempt_trees: tuple[str, ...],
        own_token: frozenset[str],
    ) -> None:
        """Count requests; those of the paths `own_token` bring a token that nobody but these paths may see."""
        self._now = Steady(clock).seconds
        self.shared = shared
        self._strangers, self._sign_in, self._failures = (
            AddressLimit(name.replace("_", "-"), settings.rates_of(name), now=self._now, shared=shared)
            for name in BY_ADDRESS
        )
        self.people = Callers(settings.rates_of("people")[0], now=self._now)
        self.clients = Callers(settings.rates_of("clients")[0], now=self._now)
        self._find_person = self.people.find
        self._find_client = self.clients.find
        self._ipv6_prefix = settings.limit_ipv6_prefix
        self._sign_in_paths = frozenset(f"{settings.prefix}/{name}" for name in SIGN_IN)
        self._exempt = exempt | {f"{settings.prefix}/{name}" for name in UNLIMITED}
        self._exempt_trees = exempt_trees
        self._own_token = own_token
        self.refused: Counter[str] = Counter()
        """How many requests each limit has refused since the start."""
        self._told: dict[str, float] = {}

    def lets(self, context: Context) -> bool:
        """Say whether this is a known caller with something left, and take one of it; the whole of it for most."""
        if context.session_id is not None:
            known = self._find_person(hash(context.session_id))
        elif context.bearer:
            known = self._known_client(context)
        else:
            return False
        if known is None:
            return False
        known.left -= 1
        return known.left >= 0

    async def admit(self, scope: Scope, context: Context) -> None:
        """Find out who comes, and count them; LimitReached when they came too often."""
        if scope["path"] in self._own_token:
            return
        if context.session_id is not None and (known := await self._person(context, context.session_id)):
            self._take(known, "people", self.people)
        elif context.bearer:
            await self._admit_client(context)
        elif not self._is_exempt(scope["path"]):
            limit = self._sign_in if scope["path"] in self._sign_in_paths else self._strangers
            await self._spend(limit, context)

    async def sign_in_finished(self, context: Context) -> None:
        """Give the steps of a sign-in back that led to somebody: an office behind one address is no flood."""
        await self._sign_in.give_back(self._client(context), STEPS)

    async def own_token_refused(self, context: Context) -> None:
        """Count a token that the page of numbers has refused, as one that an API has."""
        await self._spend(self._failures, context)

    def forget_session(self, session_id: str) -> None:
        """Let go of a session that has ended: its cookie is a stranger's from now on."""
        self.people.forget(hash(session_id))

    async def close(self) -> None:
        """Close what was opened."""
        if self.shared is not None:
            await self.shared.close()

    def _known_client(self, context: Context) -> Allowance | None:
        if len(context.authorization) != 1:
            return None
        known = context.house.bearers.known(context.authorization[0])
        if known is None:
            return None
        context.caller = known
        return self._find_client(known.key)

    async def _person(self, context: Context, session_id: str) -> Allowance | None:
        """Return the allowance of the session; None for a cookie that is nobody's, or while that is unknown."""
        known = self.people.find(hash(session_id))
        if known is None:
            try:
                if await context.house.sessions.load(session_id) is None:
                    return None
            except StoreUnavailable:
                return None
            known = self.people.add(hash(session_id))
            known.left -= 1
        return known

    async def _admit_client(self, context: Context) -> None:
        """Verify a token that is not known; one that is refused counts against the address, never against others."""
        if context.caller is None:
            headers, bearers = context.authorization, context.house.bearers
            if len(headers) == 1 and bearers.asks_about(headers[0]) and self._failures.exhausted(self._client(context)):
                await self._spend(self._failures, context)  # or anybody could have the provider called again and again
            try:
                context.caller = await bearer.admitted(context)
            except EntradaError:
                await self._spend(self._failures, context)
                return
        known = self.clients.find(context.caller.key)
        if known is None:
            known = self.clients.add(context.caller.key)
            known.left -= 1
        self._take(known, "clients", self.clients)

    def _take(self, allowance: Allowance, name: LimitClass, callers: Callers) -> None:
        """Refuse, or begin a new time, when nothing is left."""
        if allowance.left < 0 and (wait := callers.wait(allowance)):
            raise self._reached(name, wait)

    async def _spend(self, limit: AddressLimit, context: Context) -> None:
        verdict = await limit.spend(self._client(context))
        context.limit_headers = limit.headers(verdict)
        if not verdict.let:
            raise self._reached(limit.name, verdict.wait)

    def _reached(self, name: str, wait: int) -> LimitReached:
        self.refused[name] += 1
        now = self._now()
        if now - self._told.get(name, -TOLD_EVERY) >= TOLD_EVERY:
            self._told[name] = now
            log.warning("limit_reached", limit=name, refused=self.refused[name])
        return LimitReached(f"limit of {name}", retry_after=wait)

    def _client(self, context: Context) -> bytes:
        return client_key(context.address or "", ipv6_prefix=self._ipv6_prefix)

    def _is_exempt(self, path: str) -> bool:
        return path in self._exempt or path.startswith(self._exempt_trees)
