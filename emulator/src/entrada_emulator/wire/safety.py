"""What keeps an emulator from being mistaken for the real thing (SEC-189)."""

from collections.abc import Mapping
from urllib.parse import urlsplit

PROFILE_VARIABLES = ("ENTRADA_PROFILE", "ENVIRONMENT", "ENV", "APP_ENV")
PRODUCTION = frozenset({"production", "prod"})
MICROSOFT_DOMAINS = (
    *("microsoftonline.com", "microsoftonline.us", "microsoft.com", "windows.net", "b2clogin.com", "ciamlogin.com"),
    *("partner.microsoftonline.cn", "chinacloudapi.cn", "microsoftonline.de", "microsoftazuread-sso.com", "live.com"),
)
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class RefusedToStart(Exception):
    """The emulator must not run here; the text says why and what to do."""


def refuse_production(environ: Mapping[str, str]) -> None:
    """Raises if the environment says that this is production."""
    for name in PROFILE_VARIABLES:
        if environ.get(name, "").strip().lower() in PRODUCTION:
            raise RefusedToStart(f"{name} says production; the emulator signs anybody in and must not run there")


def refuse_microsoft_names(origin: str) -> None:
    """Raises if a served emulator would claim one of Microsoft's host names."""
    host = (urlsplit(origin).hostname or "").rstrip(".")
    if any(host == domain or host.endswith(f".{domain}") for domain in MICROSOFT_DOMAINS):
        raise RefusedToStart(f"{host} belongs to Microsoft; serve the emulator on localhost")


def refuse_open_address(host: str, *, allowed: bool) -> None:
    """Raises for an address that other machines can reach, unless that was asked for in so many words."""
    if host not in LOOPBACK_HOSTS and not allowed:
        raise RefusedToStart(f"{host} can be reached by others; bind 127.0.0.1 or pass --dangerously-bind-any-address")
