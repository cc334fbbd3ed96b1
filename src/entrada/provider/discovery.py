"""The authority's metadata and keys over HTTP: cached, fetched once for all who wait, kept while the authority is down.

    age of a document    what a caller gets                                     what is fetched
    fresh, to an hour    it                                                     nothing
    stale, grace more    it                                                     a new one, in the background
    old, to 24 h         a new one; it, when the authority does not answer      a new one, waited for once
    older, or none       a new one, or AuthorityUnavailable                     a new one, waited for

So a withdrawn key is refused within the hour and its grace while the authority answers, and within 24 h whatever
happens (SEC-060, SEC-062, REL-005 to REL-007).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, NotVerifiableYet
from entrada.logs import log
from entrada.provider import metadata as metadata_rules
from entrada.provider.aadsts import operator_hint
from entrada.provider.authority import Authority
from entrada.provider.egress import Answer, Egress
from entrada.provider.keys import KeySet, VerificationKey
from entrada.provider.metadata import Metadata

LIFE = timedelta(hours=24)  # the longest that a document is believed; what Microsoft asks of clients
KEYS_REFRESH = timedelta(hours=1)
METADATA_REFRESH = timedelta(hours=12)
GRACE = timedelta(minutes=15)  # stale answers are given for so long before a caller waits for a new one
JITTER = 0.1  # of the refresh period, so that workers do not all fetch at once
RETRY_FLOOR = timedelta(minutes=1)  # between attempts while a good document is at hand
COLD_RETRY_FLOOR = timedelta(seconds=2)  # between attempts with none at hand: service is back within seconds
UNKNOWN_KID_FLOOR = timedelta(minutes=5)  # a stranger may invent kids; one fetch per floor is all that buys (SEC-061)
MOST_SEEKING = 1000  # tokens that wait for an unknown kid at the same time; the queue has an end (REL-009)
DOCUMENT_LIMIT = 256 * 1024  # bytes, SEC-067
OK = 200
GONE = frozenset({404, 410})  # from where the keys were: newer metadata may say where they are now
NEVER = float("-inf")

T = TypeVar("T")


class Discovery:
    """What one authority publishes; `ready` once both documents are at hand. Close it with `aclose`.

    `on_metadata` hears of each document that was fetched and believed.
    The floors hold within this process: N workers make at most N fetches where one makes one.
    """

    def __init__(
        self,
        authority: Authority,
        egress: Egress,
        clock: Clock,
        *,
        production: bool,
        jitter: Callable[[], float] = random.random,
        on_metadata: Callable[[Metadata], None] = lambda _: None,
    ) -> None:
        self.authority = authority
        self._on_metadata = on_metadata
        self._on_keys: Callable[[KeySet], None] = lambda _: None
        self._egress = egress
        self._clock = clock
        self._production = production
        self._issuer: str | None = None
        self._unknown_kid_at: dict[bool, datetime] = {}
        self._seeking = 0
        self._metadata = Document("metadata", self._fetch_metadata, clock, refresh=METADATA_REFRESH, jitter=jitter)
        self._keys = Document("keys", self._fetch_keys, clock, refresh=KEYS_REFRESH, jitter=jitter)

    @property
    def ready(self) -> bool:
        """Whether metadata and keys are at hand and not older than a day."""
        return self._metadata.usable and self._keys.usable

    @property
    def known(self) -> Metadata | None:
        """The authority's metadata as they were last believed, without asking for them; None before the first."""
        return self._metadata.last

    @property
    def keys_age(self) -> timedelta | None:
        """How long ago the keys were fetched; None before the first time."""
        return self._keys.age

    def tell_of_keys(self, listener: Callable[[KeySet], None]) -> None:
        """Have `listener` hear of each key set from now on: what rests on a key that is gone is believed no more."""
        self._on_keys = listener

    def fresh_key(self, kid: str, now: float) -> VerificationKey | None:
        """Return the key of this id when the keys are at hand and need no look at their age; `key` has the rules.

        `now` is in seconds since 1970.
        """
        keys = self._keys.fresh(now)
        return keys.keys.get(kid) if keys is not None else None

    def fresh_issuer(self, now: float) -> str | None:
        """Return the issuer when the metadata are at hand and need no look at their age; `metadata` has the rules.

        `now` is in seconds since 1970.
        """
        metadata = self._metadata.fresh(now)
        return metadata.issuer if metadata is not None else None

    def has_key(self, kid: str) -> bool:
        """Tell whether a key of this id is at hand, without asking for it."""
        keys = self._keys.last
        return keys is not None and self._keys.usable and keys.get(kid) is not None

    async def prepare(self) -> bool:
        """Fetch what is missing; tell whether everything is at hand. Never raises for the authority's sake."""
        try:
            await self._keys.get()
            await self._metadata.get()  # fetched before the keys: a machine may have slept between both
        except AuthorityUnavailable:
            return False
        return self.ready

    async def keep_fresh(self) -> None:
        """Fetch anew what has grown old, as a request would: a chore, for warm requests ask for no keys (SEC-062).

        What was never wanted is left alone. AuthorityUnavailable when there is nothing usable and none to be had.
        """
        if self._keys.last is not None:
            await self._keys.get()
            await self._metadata.get()

    async def metadata(self) -> Metadata:
        """Return the authority's metadata; AuthorityUnavailable when there is none to be had."""
        return await self._metadata.get()

    async def keys(self) -> KeySet:
        """Return the authority's keys; AuthorityUnavailable when there are none to be had."""
        return await self._keys.get()

    async def key(self, kid: str, *, vouched: bool = False) -> VerificationKey:
        """Return the key of this id; `vouched`: the authority itself has just given us the token that names it.

        One that is unknown costs one fetch per five minutes for everybody together, and one for those vouched for: a
        kid that a stranger invented must not hide a new key. NotVerifiableYet when it stays unknown,
        AuthorityUnavailable when that could not be found out.
        """
        if key := (await self._keys.get()).get(kid):
            return key
        if self._seeking >= MOST_SEEKING:
            raise AuthorityUnavailable("too many tokens wait for the authority's keys")
        self._seeking += 1
        try:
            return await self._seek(kid, vouched=vouched)
        finally:
            self._seeking -= 1

    async def aclose(self) -> None:
        """Stop what is being fetched."""
        await self._metadata.aclose()
        await self._keys.aclose()

    async def _seek(self, kid: str, *, vouched: bool) -> VerificationKey:
        """Return a key that was unknown a moment ago, from the fetch under way or one for its sake."""
        await self._keys.in_flight()
        key = (await self._keys.get()).get(kid) or (await self._after_unknown_kid(vouched=vouched)).get(kid)
        if key is None:
            raise NotVerifiableYet("kid: no key of the authority")
        return key

    async def _after_unknown_kid(self, *, vouched: bool) -> KeySet:
        """Return the keys, new ones when the floor allows a fetch; callers meanwhile share the one under way."""
        now, before = self._clock(), self._unknown_kid_at.get(vouched)
        if before is None or abs(now - before) >= UNKNOWN_KID_FLOOR:
            self._unknown_kid_at[vouched] = now
            return await self._keys.fetch()
        if self._keys.failing:
            raise AuthorityUnavailable("an unknown kid, and the authority's keys cannot be fetched")
        return await self._keys.get()

    async def _fetch_metadata(self) -> Metadata:
        answer = await self._egress.get(self.authority.metadata_url, purpose="metadata", limit=DOCUMENT_LIMIT)
        found = metadata_rules.parse(_document(answer), self.authority, production=self._production)
        if self._issuer not in (None, found.issuer):
            raise AuthorityUnavailable("the authority's issuer has changed since the start; restart if that is right")
        self._issuer = found.issuer
        self._on_metadata(found)
        return found

    async def _fetch_keys(self) -> KeySet:
        address = (await self._metadata.get()).jwks_uri
        answer = await self._egress.get(address, purpose="keys", limit=DOCUMENT_LIMIT)
        if answer.status in GONE and (moved := (await self._metadata.fetch()).jwks_uri) != address:
            answer = await self._egress.get(moved, purpose="keys", limit=DOCUMENT_LIMIT)
        keys = KeySet.parse(_document(answer), production=self._production)
        if keys.skipped:
            log.warning("keys_skipped", reasons=keys.skipped[:10], number=len(keys.skipped))
        self._on_keys(keys)
        return keys


def _document(answer: Answer) -> dict[str, Any]:
    """Return the JSON of a good answer; AuthorityUnavailable says what a bad one was."""
    if answer.status != OK:
        hint = operator_hint(answer.body)
        raise AuthorityUnavailable(f"the authority answered {answer.status}{hint}", retry_after=answer.retry_after)
    return answer.json_object()


class Document(Generic[T]):
    """One thing that is fetched now and then, with the rules of age at the top of this file."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Awaitable[T]],
        clock: Clock,
        *,
        refresh: timedelta,
        jitter: Callable[[], float],
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._refresh = refresh
        self._jitter = jitter
        self._value: T | None = None
        self._fetched_at: datetime | None = None
        self._refresh_after = refresh
        self._fresh_from, self._fresh_until = NEVER, NEVER
        self._failed_at: datetime | None = None
        self._failure = AuthorityUnavailable()
        self._flight: asyncio.Task[T] | None = None

    @property
    def last(self) -> T | None:
        """The value, however old."""
        return self._value

    @property
    def usable(self) -> bool:
        """Whether there is a value that may still be believed."""
        return self._value is not None and self._age() < LIFE

    @property
    def age(self) -> timedelta | None:
        """How old the value is, by the clock; None before there is one."""
        return self._clock() - self._fetched_at if self._fetched_at else None

    def fresh(self, now: float) -> T | None:
        """Return the value while it is too young to be asked about; `now` is in seconds since 1970."""
        return self._value if self._fresh_from <= now < self._fresh_until else None

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failed_at is not None

    async def get(self) -> T:
        """Return the value by the rules of age; AuthorityUnavailable when there is none."""
        age = self._age()
        if self._value is None or age >= LIFE:
            if self._failed_within(COLD_RETRY_FLOOR):
                raise AuthorityUnavailable(str(self._failure), retry_after=self._failure.retry_after)
            return await self.fetch()
        if age < self._refresh_after or self._failed_within(RETRY_FLOOR):
            return self._value
        if age < self._refresh_after + GRACE or self.failing:
            self._start()
            return self._value
        return await self._fetch_or(self._value)

    async def fetch(self) -> T:
        """Fetch now, or wait for the fetch that is under way; one caller's leaving does not end it for the others."""
        return await asyncio.shield(self._start())

    async def in_flight(self) -> None:
        """Wait for the fetch that is under way, if there is one, whatever becomes of it."""
        if self._flight:
            await asyncio.wait({self._flight})

    async def aclose(self) -> None:
        """Stop the fetch that is under way."""
        if self._flight:
            self._flight.cancel()
            await self.in_flight()

    async def _fetch_or(self, value: T) -> T:
        try:
            return await self.fetch()
        except AuthorityUnavailable:
            return value

    def _start(self) -> "asyncio.Task[T]":
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._run())
            self._flight.add_done_callback(self._landed)
        return self._flight

    def _landed(self, flight: "asyncio.Task[T]") -> None:
        self._flight = None
        failure = None if flight.cancelled() else flight.exception()  # nobody may be waiting for it any more
        if failure and not isinstance(failure, AuthorityUnavailable):
            log.error("authority_document_failed", document=self._name, exc_info=failure)

    async def _run(self) -> T:
        try:
            value = await self._fetch()
        except AuthorityUnavailable as failure:
            if not self.failing:
                log.error("authority_document_not_fetched", document=self._name, cause=str(failure))
            self._failed_at, self._failure = self._clock(), failure
            raise
        if self.failing:
            log.info("authority_document_fetched_again", document=self._name)
        fetched_at = self._clock()
        self._value, self._fetched_at, self._failed_at = value, fetched_at, None
        self._refresh_after = self._refresh * (1 - JITTER + 2 * JITTER * self._jitter())
        self._fresh_from = fetched_at.timestamp()
        self._fresh_until = self._fresh_from + self._refresh_after.total_seconds()
        return value

    def _age(self) -> timedelta:
        """Return how old the value is; one from the future counts as just too old, for the clock was moved."""
        if self._fetched_at is None:
            return LIFE
        age = self._clock() - self._fetched_at
        return age if age >= timedelta(0) else self._refresh_after + GRACE

    def _failed_within(self, floor: timedelta) -> bool:
        return self._failed_at is not None and abs(self._clock() - self._failed_at) < floor
