"""Counting for all workers together, in the Redis of the session store but over connections of its own.

So a flood of strangers waits for itself and not for those who are signed in, and when Redis does not answer, every
worker counts alone (SEC-155, REL-055).
"""

import asyncio
import struct

from entrada import store_url
from entrada.errors import StoreUnavailable
from entrada.logs import log
from entrada.rates import Rate
from entrada.sessions.circuit import Circuit
from entrada.sessions.redis_servers import RedisServers, Script
from entrada.store_url import StoreUrl
from entrada.web.address_limits import Verdict, verdict_on

PATIENCE = 0.25  # seconds; a stranger waits no longer for being counted
FAILURES = 3  # one after the other; then Redis is tried twice a second
WINDOW = struct.Struct(">III")

SPEND = Script("""
local time, cost, n = redis.call('TIME'), tonumber(ARGV[1]), (#ARGV - 1) / 2
local now, held, let = time[1] + time[2] / 1e6, redis.call('GET', KEYS[1]), 1
local counts, longest = {}, 0
for i = 0, n - 1 do
  local quota, seconds = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  local number, came, before = math.floor(now / seconds), 0, 0
  if held and #held == 12 * n then
    local then_, c, b = struct.unpack('>I4I4I4', held, 1 + 12 * i)
    if then_ == number then came, before = c, b elseif then_ == number - 1 then before = c end
  end
  local used = came + before * (1 - now % seconds / seconds)
  if cost > 0 and used + cost > quota then let = 0 end
  counts[i + 1] = {number, came, before}
  longest = math.max(longest, seconds)
end
local packed = {}
for i = 1, n do
  local c = counts[i]
  if let == 1 then c[2] = math.max(0, c[2] + cost) end
  packed[i] = struct.pack('>I4I4I4', c[1], c[2], c[3])
end
local value = table.concat(packed)
if let == 1 then redis.call('SET', KEYS[1], value, 'EX', 2 * longest) end
return {let, time[1], value}
""")


class SharedLimits:
    """Counts in Redis."""

    def __init__(self, url: StoreUrl) -> None:
        self._servers = RedisServers(url)
        self._prefix = url.options.get("prefix", "entrada").encode() + b":limit:"
        self._circuit = Circuit(failures=FAILURES)
        self._alone = False

    async def spend(self, name: str, client: bytes, limit: tuple[Rate, ...], cost: int) -> Verdict | None:
        """Count, and return what that says; None while Redis does not answer."""
        key = self._prefix + name.encode() + b":" + client.hex().encode()
        values = [number for rate in limit for number in (rate.quota, rate.seconds)]
        try:
            self._circuit.enter()
        except StoreUnavailable:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                let, now, packed = await self._servers.script(SPEND, key, cost, *values)
        except (StoreUnavailable, TimeoutError):
            self._circuit.failed()
            self._tell(alone=True)
            return None
        self._circuit.answered()
        self._tell(alone=False)
        counts = [number for window in WINDOW.iter_unpack(packed) for number in window]
        return verdict_on(counts, limit, now=float(now), let=bool(let))

    async def close(self) -> None:
        """Close the connections."""
        await self._servers.close()

    def _tell(self, *, alone: bool) -> None:
        if alone != self._alone:
            self._alone = alone
            log.warning("limits_local" if alone else "limits_shared")


def open_shared(store: str) -> SharedLimits | None:
    """Return what counts for all workers of this store; None where it is no Redis."""
    url = store_url.parse(store)
    return SharedLimits(url) if url.kind in {"redis", "sentinel", "cluster"} else None
