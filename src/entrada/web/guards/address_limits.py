"""How often one client address may do something: counted here and, with Redis, by all workers together."""

from collections.abc import Callable
from typing import Protocol

from entrada import rates
from entrada.rates import Counts, Rate

MOST = 25_000  # clients in each of two halves, of about 400 bytes each: 20 MB when a million addresses come
SHARE_AFTER = 10  # who has used no more than a tenth is counted by this worker alone
SHARING_SECONDS = 24 * 3600.0


class Shared(Protocol):
    """What counts for all workers."""

    async def spend(self, name: str, client: bytes, limit: tuple[Rate, ...], cost: int) -> "Verdict | None":
        """Count, and return what that says; None when nobody answers, so that what is counted here decides."""
        ...


class Verdict:
    """Whether one more was let through, and what is left of each rate."""

    __slots__ = ("left", "let", "wait")

    def __init__(self, *, let: bool, left: list[int], wait: int) -> None:
        self.let = let
        self.left = left
        self.wait = wait
        """Seconds until one more fits; 0 when it was let through."""


class Client:
    """What is known of one client."""

    __slots__ = ("counts", "shared")

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.shared = False
        """Whether all workers together count this one."""


class Recent:
    """Clients in bounded memory: when it is full, the half of them that was longest unused is forgotten."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._young: dict[bytes, Client] = {}
        self._old: dict[bytes, Client] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def of(self, key: bytes, limit: tuple[Rate, ...]) -> Client:
        """Return what is known of a client, to be changed in place."""
        client = self._young.get(key)
        if client is not None:
            return client
        client = self._old.pop(key, None) or Client(rates.nothing(limit))
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[key] = client
        return client


class AddressLimit:
    """One limit, for each client by itself."""

    def __init__(
        self,
        name: str,
        limit: tuple[Rate, ...],
        *,
        now: Callable[[], float],
        shared: Shared | None = None,
        most: int = MOST,
    ) -> None:
        self.name = name
        self._limit = limit
        self._now = now
        self._shared = shared
        self._share_from = min(rate.quota for rate in limit) // SHARE_AFTER
        self._sharing = 0
        self._sharing_since = 0.0
        self._clients = Recent(most=most)
        self._most_shared = most
        self._named = [(f'"{name}-{rate.unit}";r=', rate.seconds) for rate in limit]
        items = [f'"{name}-{rate.unit}";q={rate.quota};w={rate.seconds}' for rate in limit]
        self._policy = (b"ratelimit-policy", ", ".join(items).encode())

    def __len__(self) -> int:
        return len(self._clients)

    def exhausted(self, key: bytes) -> bool:
        """Say whether nothing is left for a client here; nothing is counted."""
        return 0 in rates.left(self._clients.of(key, self._limit).counts, self._limit, now=self._now())

    async def spend(self, key: bytes) -> Verdict:
        """Count one more, if there is room for it."""
        client, now = self._clients.of(key, self._limit), self._now()
        let = rates.spend(client.counts, self._limit, now=now)
        here = verdict_on(client.counts, self._limit, now=now, let=let)
        if self._shared is None or not let:  # a flood that is refused here costs the others nothing
            return here
        cost = self._to_share(client, now)
        return (cost and await self._shared.spend(self.name, key, self._limit, cost)) or here

    async def give_back(self, key: bytes, number: int) -> None:
        """Take so many back, that turned out to be no burden."""
        client = self._clients.of(key, self._limit)
        rates.spend(client.counts, self._limit, now=self._now(), cost=-number)
        if self._shared is not None and client.shared:
            await self._shared.spend(self.name, key, self._limit, -number)

    def _to_share(self, client: Client, now: float) -> int:
        """Return how many to count with all workers: none for whoever comes seldom, then what has come so far."""
        if client.shared:
            return 1
        came = client.counts[1]
        if came <= self._share_from or not self._may_share_one_more(now):
            return 0
        client.shared = True
        return came

    def _may_share_one_more(self, now: float) -> bool:
        """Say whether there is room: what strangers leave in Redis must never crowd sessions out (SEC-156)."""
        if now - self._sharing_since >= SHARING_SECONDS:
            self._sharing, self._sharing_since = 0, now
        self._sharing += 1
        return self._sharing <= self._most_shared

    def headers(self, verdict: Verdict) -> tuple[tuple[bytes, bytes], ...]:
        """Return the header fields of draft-ietf-httpapi-ratelimit-headers-10 for what was decided."""
        now = int(self._now())
        items = [
            f"{named}{left};t={seconds - now % seconds}"
            for (named, seconds), left in zip(self._named, verdict.left, strict=True)
        ]
        return self._policy, (b"ratelimit", ", ".join(items).encode())


def verdict_on(counts: Counts, limit: tuple[Rate, ...], *, now: float, let: bool) -> Verdict:
    """Return what these counts mean after one more was let through or not."""
    wait = 0 if let else rates.wait(counts, limit, now=now)
    return Verdict(let=let, left=rates.left(counts, limit, now=now), wait=wait)
