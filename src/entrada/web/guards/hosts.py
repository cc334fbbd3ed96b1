"""Which hosts and origins are ours: from the settings, never from the request."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from entrada.guard_errors import HostRefused
from entrada.logs import log
from entrada.settings import Settings
from entrada.well_known import LOOPBACK

REFUSED = (
    "the Host header is absent, repeated, malformed, or names another host: set ENTRADA_BASE_URL to the address that "
    "people type; what else is served is named in ENTRADA_HOSTS"
)
HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?")

MACHINE = frozenset(f"[{name}]".encode() if ":" in name else name.encode() for name in LOOPBACK)
"""The names of this machine, as a Host header has them."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host names that are answered, and the origins of our own pages."""

    names: frozenset[bytes]
    """Bare, and with the port of the base URL, as browsers send them."""
    origins: frozenset[str]
    here: str | None = None
    """The base URL, while developing: what a request for another host is told."""
    aliases: frozenset[bytes] = frozenset()
    """The names of this machine, while developing on it: servers print one of them, and another is the base URL's."""

    @classmethod
    def from_settings(cls, settings: Settings) -> "Hosts":
        """Return the hosts of the base URL and of the setting `hosts`, under the base URL's scheme and port."""
        base = urlsplit(settings.base_url)
        port = f":{base.port}" if base.port else ""
        bracketed = {f"[{host}]" if ":" in host else host for host in settings.served_hosts}
        return cls(
            names=frozenset(name.encode() for host in bracketed for name in (host, host + port)),
            origins=frozenset(f"{base.scheme}://{host}{port}" for host in bracketed),
            here=None if settings.production else settings.base_url,
            aliases=frozenset() if settings.production or base.hostname not in LOOPBACK else MACHINE,
        )

    def check(self, given: bytes | None) -> None:
        """Refuse a request whose one Host header is not one of ours, or that has none (SEC-163)."""
        if given in self.names:
            return
        match = HOST.fullmatch(given.lower()) if given else None
        if match is None or match[1] not in self.names:
            raise HostRefused(REFUSED, here=self.here, alias=match is not None and match[1] in self.aliases)

    def note_port(self, given: bytes) -> None:
        """Tell a developer of a sign-in begun at another port of this machine than people come back to."""
        scheme, _, ours = (self.here or "").partition("://")
        name = given.decode("latin-1").lower()
        if self.aliases and name != ours and name.partition(":")[0] == ours.partition(":")[0]:
            log.warning("another_port", back_to=self.here, mend=f"set ENTRADA_BASE_URL={scheme}://{name}")
