"""Counting for all workers together, in the Redis of the session store but over connections of its own.

So a flood of strangers waits for itself and not for those who are signed in, and when Redis does not answer, every
worker counts alone (SEC-155, REL-055).
"""

import struct

from entrada import store_url
from entrada.errors import StoreUnavailable
from entrada.logs import log
from entrada.rates import Rate
from entrada.sessions.stores.redis_servers import RedisServers, Script
from entrada.store_url import StoreUrl
from entrada.web.guards.address_limits import Verdict, verdict_on

PATIENCE = 0.25  # seconds; a stranger waits no longer for being counted
WINDOW = struct.Struct(">III")

SPEND = """
local rates = {%s}
local time, cost, n = redis.call('TIME'), tonumber(ARGV[1]), #rates
local now, held, let = time[1] + time[2] / 1e6, redis.call('GET', KEYS[1]), 1
local counts, longest = {}, 0
for i = 1, n do
  local quota, seconds = rates[i][1], rates[i][2]
  local number, came, before = math.floor(now / seconds), 0, 0
  if held and #held == 12 * n then
    local then_, c, b = struct.unpack('>I4I4I4', held, 12 * i - 11)
    if then_ == number then came, before = c, b elseif then_ == number - 1 then before = c end
  end
  if cost > 0 and came + before * (1 - now %% seconds / seconds) + cost > quota then let = 0 end
  counts[i] = {number, came, before}
  longest = math.max(longest, seconds)
end
local packed = ''
for i = 1, n do
  local c = counts[i]
  packed = packed .. struct.pack('>I4I4I4', c[1], let == 1 and math.max(0, c[2] + cost) or c[2], c[3])
end
if let == 1 then redis.call('SET', KEYS[1], packed, 'EX', 2 * longest) end
return {let, time[1], packed}
"""


class SharedLimits:
    """Counts in Redis."""

    def __init__(self, url: StoreUrl, *, patience: float) -> None:
        self._servers = RedisServers(url, patience=patience)
        self._scripts: dict[tuple[Rate, ...], Script] = {}
        self._prefix = url.options.get("prefix", "entrada").encode() + b":limit:"
        self._alone = False

    async def spend(self, name: str, client: bytes, limit: tuple[Rate, ...], cost: int) -> Verdict | None:
        """Count, and return what that says; None while Redis does not answer."""
        key = self._prefix + name.encode() + b":" + client.hex().encode()
        try:
            let, now, packed = await self._servers.script(self._script(limit), key, cost)
        except StoreUnavailable:
            self._tell(alone=True)
            return None
        self._tell(alone=False)
        counts = [number for window in WINDOW.iter_unpack(packed) for number in window]
        return verdict_on(counts, limit, now=float(now), let=bool(let))

    def _script(self, limit: tuple[Rate, ...]) -> Script:
        """Return the script for these rates, which are part of it: fewer words on the way, and to read in Redis."""
        script = self._scripts.get(limit)
        if script is None:
            rates = ", ".join(f"{{{rate.quota}, {rate.seconds}}}" for rate in limit)
            script = self._scripts[limit] = Script(SPEND % rates)
        return script

    async def close(self) -> None:
        """Close the connections."""
        await self._servers.close()

    def _tell(self, *, alone: bool) -> None:
        if alone != self._alone:
            self._alone = alone
            log.warning("limits_local" if alone else "limits_shared")


def open_shared(store: str, *, patience: float = PATIENCE) -> SharedLimits | None:
    """Return what counts for all workers of this store; None where it is no Redis."""
    url = store_url.parse(store)
    return SharedLimits(url, patience=patience) if url.kind in {"redis", "sentinel", "cluster"} else None
