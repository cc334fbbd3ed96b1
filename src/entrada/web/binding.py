"""Whether a session may be used from where a request comes from: a second lock that settings may put on cookies.

It is off unless asked for. A stolen cookie often comes from elsewhere; an honest one sometimes does, too. So a request
from elsewhere is nobody's, and the session goes on for its owner (SES-8).
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

from entrada.sessions.record import RequestFacts
from entrada.settings import Settings
from entrada.web.pages.devices import device

Elsewhere = Literal["other_address", "other_device"]


@dataclass(frozen=True, slots=True)
class Binding:
    """What a session is bound to."""

    address: bool
    device: bool
    ipv4_prefix: int = 24
    ipv6_prefix: int = 56

    @classmethod
    def from_settings(cls, settings: Settings) -> "Binding | None":
        """Return the binding of the settings; None for none."""
        if not settings.session_binding:
            return None
        return cls(
            address="address" in settings.session_binding,
            device="device" in settings.session_binding,
            ipv4_prefix=settings.binding_ipv4_prefix,
            ipv6_prefix=settings.binding_ipv6_prefix,
        )

    def broken(self, begun: RequestFacts, now: RequestFacts) -> Elsewhere | None:
        """Say how a request differs from the sign-in that its session began with; None when it does not."""
        if self.address and self._network(begun.address) != self._network(now.address):
            return "other_address"
        if self.device and device(begun.user_agent) != device(now.user_agent):
            return "other_device"
        return None

    def _network(self, text: str | None) -> str | None:
        """Return the network of an address; what is no address, such as a socket's name, stands for itself."""
        try:
            address = ip_address((text or "").partition("%")[0])
        except ValueError:
            return text
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        prefix = self.ipv6_prefix if isinstance(address, IPv6Address) else self.ipv4_prefix
        return str(ip_network((address, prefix), strict=False))
