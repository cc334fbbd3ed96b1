"""Who watches the process, and may see what it says of itself: whom the settings name for its numbers.

An address is that of the connection, or beyond trusted proxies; without such, whoever comes through a proxy, which says
so, is not known by it (SEC-153).
"""

from hmac import compare_digest
from ipaddress import ip_network

from entrada.settings import Settings
from entrada.web.context import Context
from entrada.web.guards.client_address import within

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")


def may_see_details(context: Context) -> bool:
    """Say whether the caller is no stranger (SEC-187): in production whoever may read the numbers, else everybody."""
    settings = context.house.settings
    if not settings.production:
        return True
    return settings.metrics_offered and from_there(context, settings) and has_token(context, settings)


def from_there(context: Context, settings: Settings) -> bool:
    """Say whether the caller comes directly from one of `metrics_networks`, where there are any."""
    if not settings.metrics_networks:
        return True
    if context.house.guards.proxies is None and any(name in context.headers for name in FORWARDED):
        return False
    return within(context.address, tuple(map(ip_network, settings.metrics_networks)))


def has_token(context: Context, settings: Settings) -> bool:
    """Say whether the caller brings `metrics_token`, where there is one."""
    if settings.metrics_token is None:
        return True
    given = context.authorization
    wanted = f"Bearer {settings.metrics_token.get_secret_value()}".encode()
    return len(given) == 1 and compare_digest(given[0], wanted)
