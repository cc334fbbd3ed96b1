"""Headers in which proxies say who somebody is: nobody here believes them, and the application never sees them.

Whoever can reach the application past such a proxy could write them as well (SEC-165, CVE-2025-64484).
"""

import re
from collections.abc import Sequence

from entrada.errors import HeadersTooLarge

MOST_REMEMBERED = 1024
LONGEST_REMEMBERED = 40
LONGEST = 256
IDENTITY = re.compile(
    rb"(x-)?remote-(user|groups?|email|name)|auth-user|x-user|x-user-.*|x-forwarded-(user|email|groups?"
    rb"|preferred-username|access-token|id-token|roles?)|x-ms-client-principal.*|x-ms-token-.*|x-auth-request-.*"
    rb"|x-auth-(user|username|email|groups?|roles?)|x-authenticated-.*|x-webauth-.*|x-goog-authenticated-user-.*"
    rb"|x-goog-iap-jwt-assertion|x-amzn-oidc-.*|cf-access-.*|x-pomerium-.*|tailscale-user-.*|x-ssl-client-.*"
)

Header = tuple[bytes, bytes]


def names_somebody(name: bytes) -> bool:
    """Say whether a header of this name is of that kind, in any case and with `_` for `-`."""
    return IDENTITY.fullmatch(name.lower().replace(b"_", b"-")) is not None


class Harmless:
    """The names that were seen to be harmless, so that looking at a request's headers is one comparison of sets."""

    def __init__(self) -> None:
        self._names: set[bytes] = {b"host", b"accept", b"cookie", b"user-agent"}
        self.all = self._names.issuperset
        """Whether all of these names are known to be harmless."""

    def dropped(self, lines: Sequence[Header]) -> list[Header]:
        """Return the lines without those that name somebody, and remember the other names."""
        if any(len(name) > LONGEST for name, _ in lines):
            raise HeadersTooLarge("a header's name is over 256 bytes")
        kept = [line for line in lines if not names_somebody(line[0])]
        room = MOST_REMEMBERED - len(self._names)
        self._names.update([name for name, _ in kept if len(name) <= LONGEST_REMEMBERED][: max(0, room)])
        return kept
