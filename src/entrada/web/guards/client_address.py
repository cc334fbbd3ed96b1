"""Who the client is: the other end of the connection or, through proxies that settings name, whom those name.

What a client writes into a forwarding header itself stands to the left of what our proxies write, so the list is read
from the right, and only as far as it was written by somebody trusted (SEC-153).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from entrada.settings import Settings
from entrada.settings.guard_faults import UNIX

Address = IPv4Address | IPv6Address
REMEMBERED = 4096  # addresses, of some hundred bytes each
LONGEST = 4096  # of a forwarding header; a chain of proxies is short
FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"\\]*"|[^";\s]+)\s*(?=;|$)', re.IGNORECASE)
WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}|\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Proxies:
    """The proxies in front of the application."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    unix: bool
    hops: int
    header: bytes

    @classmethod
    def from_settings(cls, settings: Settings) -> "Proxies | None":
        """Return the proxies of the settings; None when whoever connects is the client."""
        named = settings.trusted_proxies
        if not named and not settings.proxy_hops:
            return None
        return cls(
            networks=tuple(ip_network(each) for each in named if each != UNIX),
            unix=UNIX in named,
            hops=settings.proxy_hops,
            header=settings.proxy_header.encode(),
        )

    def settle(self, scope: Scope) -> None:
        """Put the client's address in place of the proxy's, for everybody who asks the scope."""
        client = scope.get("client")
        peer = client[0] if client else ""
        said = b",".join([value for name, value in scope["headers"] if name.lower() == self.header])
        if said and (found := self._client(peer, said)) != peer:
            scope["client"] = (found, 0)

    def _client(self, peer: str, said: bytes) -> str:
        if len(said) > LONGEST:
            return peer
        chain = _chain(said, forwarded=self.header == b"forwarded")
        if self.hops:
            named = _parsed(chain[-self.hops]) if len(chain) >= self.hops else None
            return str(named) if named else peer
        return self._first_untrusted(peer, chain)

    def _first_untrusted(self, peer: str, chain: tuple[str, ...]) -> str:
        """Go from the right to the first that is none of ours; what cannot be read ends the way."""
        client = peer
        for step in reversed(chain):
            if not self._trusts(client):
                break
            address = _parsed(step)
            if address is None:
                break
            client = str(address)
        return client

    def _trusts(self, text: str) -> bool:
        address = _parsed(text)
        if address is None:
            return self.unix and not text
        return any(address in network for network in self.networks)


@lru_cache(maxsize=REMEMBERED)
def client_key(text: str, *, ipv6_prefix: int) -> bytes:
    """Return what counts as one client: the address, of IPv6 its network, the same for every way to write it (SEC-154).

    What is no address, such as a socket's name, stands for itself.
    """
    address = _parsed(text)
    if address is None:
        return text.encode("utf-8", "replace")[:64]
    if isinstance(address, IPv4Address):
        return address.packed
    return ip_network((address, ipv6_prefix), strict=False).network_address.packed[: (ipv6_prefix + 7) // 8]


def within(text: str | None, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Say whether an address is in one of the networks; what is no address is in none."""
    address = _parsed(text or "")
    return address is not None and any(address in network for network in networks)


def _chain(said: bytes, *, forwarded: bool) -> tuple[str, ...]:
    steps = [step.strip() for step in said.decode("latin-1").split(",")]
    if not forwarded:
        return tuple(steps)
    found = [FOR.findall(step) for step in steps]
    return tuple(each[0].strip('"') if len(each) == 1 else "" for each in found)


@lru_cache(maxsize=REMEMBERED)
def _parsed(text: str) -> Address | None:
    """Return the address of a text, with or without a port; None for none. IPv4 within IPv6 is IPv4."""
    if match := WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
