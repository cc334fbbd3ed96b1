"""Which hosts and origins are ours: from the settings, never from the request."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from entrada.errors import RequestRefused
from entrada.settings import Settings

HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host names that are answered, and the origins of our own pages."""

    names: frozenset[bytes]
    """Bare, and with the port of the base URL, as browsers send them."""
    origins: frozenset[str]

    @classmethod
    def from_settings(cls, settings: Settings) -> "Hosts":
        """Return the hosts of the base URL and of the setting `hosts`, under the base URL's scheme and port."""
        base = urlsplit(settings.base_url)
        port = f":{base.port}" if base.port else ""
        bracketed = {f"[{host}]" if ":" in host else host for host in settings.served_hosts}
        return cls(
            names=frozenset(name.encode() for host in bracketed for name in (host, host + port)),
            origins=frozenset(f"{base.scheme}://{host}{port}" for host in bracketed),
        )

    def check(self, given: bytes | None) -> None:
        """Refuse a request whose one Host header is not one of ours, or that has none (SEC-163)."""
        if given in self.names:
            return
        match = HOST.fullmatch(given.lower()) if given else None
        if match is None or match[1] not in self.names:
            raise RequestRefused("the Host header is absent, repeated, malformed, or names another host")
