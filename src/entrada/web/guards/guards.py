"""What stands before every request: built once, from the settings."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from starlette.types import Scope

from entrada.clock import Clock, Steady
from entrada.guard_errors import AddressRefused
from entrada.settings import Settings
from entrada.web.guards.client_address import Proxies, within
from entrada.web.guards.identity_headers import Harmless
from entrada.web.guards.limits import Limits
from entrada.web.guards.pace import Pace
from entrada.web.guards.paced_lines import PacedLines
from entrada.web.guards.request_size import BodyLimits
from entrada.web.monitoring.exposition import PATH as METRICS
from entrada.web.pages.assets import ROOT

ADMIN = ("/admin", "/api/admin")
LOGOUTS_PER_SECOND = 50  # frames in which the authority says that somebody signed out, for each worker
LOGOUTS_AT_ONCE = 500  # a whole office goes home
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WATCHED = frozenset({"/health", "/ready"})
"""Asked every few seconds, by whoever watches the process."""


@dataclass(frozen=True)
class Guards:
    """The guards of one application."""

    proxies: Proxies | None
    harmless: Harmless
    bodies: BodyLimits
    limits: Limits | None
    logouts: Pace
    """How often the authority may say that somebody signed out."""
    lines: PacedLines
    """What is logged of refused requests, which strangers can send without end."""
    admin_networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def from_settings(
        cls, settings: Settings, *, clock: Clock, own_paths: frozenset[str], own_trees: tuple[str, ...]
    ) -> "Guards":
        """Return the guards of the settings."""
        return cls(
            proxies=Proxies.from_settings(settings),
            harmless=Harmless(),
            bodies=BodyLimits(settings, own_paths=own_paths, own_trees=own_trees),
            limits=_limits(settings, clock) if settings.limits else None,
            logouts=Pace(per_second=LOGOUTS_PER_SECOND, burst=LOGOUTS_AT_ONCE, clock=clock),
            lines=PacedLines(Steady(clock).seconds),
            admin_networks=tuple(map(ip_network, settings.admin_networks)),
        )

    def check_network(self, scope: Scope, address: str | None) -> None:
        """Refuse what is for administrators to whoever comes from elsewhere; a second lock, never the only one."""
        path = scope["path"]
        inner = path.removeprefix(scope.get("root_path", ""))  # what routes look at, in an application below a path
        for beginning in ADMIN:
            for asked in (path, inner):
                if (asked == beginning or asked.startswith(f"{beginning}/")) and not within(
                    address, self.admin_networks
                ):
                    raise AddressRefused("not from a network of admin_networks")

    async def close(self) -> None:
        """Close what was opened, and say what has not been said."""
        self.lines.close()
        if self.limits is not None:
            await self.limits.close()


def _limits(settings: Settings, clock: Clock) -> Limits:
    exempt = frozenset(path for path in settings.limits_exempt if not path.endswith("/"))
    trees = tuple(path for path in settings.limits_exempt if path.endswith("/"))
    if settings.store.startswith(("memory:", "sqlite:", "postgres")):
        shared = None
    else:
        from entrada.web.guards.shared_limits import open_shared

        shared = open_shared(settings.store)
    return Limits(
        settings,
        clock=clock,
        shared=shared,
        exempt=exempt | WATCHED,
        exempt_trees=(f"{ROOT}/", *trees),
        own_token=WATCHED | {METRICS} if settings.metrics_offered else frozenset(),
    )
