"""`GET /admin/system`: what the application runs with, and whether all of it answers. Never a secret."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from starlette.responses import Response

from entrada.audit.filters import Filter
from entrada.errors import EntradaError
from entrada.web.console.shell import show
from entrada.web.console.way_in import Visit
from entrada.web.console.words import grouped
from entrada.web.pages.moments import moment

PACKAGES = ("entrada", "fastapi", "starlette", "msal", "sqlalchemy", "cryptography")
SOON = 30  # days before a credential ends


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the application needs; `well` is None where there is nothing to say about it."""

    name: str
    said: str
    well: bool | None = None


async def system(visit: Visit) -> Response:
    """Show the parts of the application."""
    groups = [
        ("This application", _application(visit)),
        ("Authority", await _authority(visit)),
        ("Credentials", _credentials(visit)),
        ("Keys that seal sessions", await _keys(visit)),
        ("Stores", await _stores(visit)),
        ("Work in the background", _background(visit)),
        ("Versions", [Part(name, _version(name)) for name in PACKAGES]),
    ]
    troubled = [part.name for _, parts in groups for part in parts if part.well is False]
    return show(visit, "system.html", section="System", heading="System", groups=groups, troubled=troubled)


def _application(visit: Visit) -> list[Part]:
    settings = visit.house.settings
    return [
        Part("Address", settings.base_url),
        Part("Profile", settings.profile, settings.production or None),
        Part("Client id", settings.client_id),
        Part("Redirect URI", settings.callback_uri),
        Part(
            "A session ends",
            f"after {settings.session_idle_minutes} minutes unused, or {settings.session_expiry_days} days",
        ),
        Part("The audit log keeps", f"{settings.audit_days} days; of administration {settings.audit_admin_days} days"),
    ]


async def _authority(visit: Visit) -> list[Part]:
    discovery = visit.house.discovery
    try:
        metadata = await discovery.metadata()
    except EntradaError as error:
        return [Part("Metadata", error.public, well=False)]
    ready = discovery.ready
    return [
        Part("Metadata", "known", well=True),
        Part("Signing keys", "known" if ready else "not fetched yet", well=ready),
        Part("Issuer", metadata.issuer),
        Part("Sign-out", metadata.end_session_endpoint or "not offered"),
    ]


def _credentials(visit: Visit) -> list[Part]:
    ends = visit.house.expiry.ends()
    if not ends:
        return [Part("End", "not told: set ENTRADA_CLIENT_SECRET_EXPIRES, and it is watched")]
    return [Part(name, f"{days} days left" if days >= 0 else "has ended", days >= SOON) for name, days in ends.items()]


async def _keys(visit: Visit) -> list[Part]:
    """Say what the log has noted last of the key ring."""
    noted = (await visit.house.audit.log.page(Filter(actions=("keys_changed",)), limit=1)).rows
    if not noted:
        return [Part("Ring", "not noted yet")]
    now = noted[0].details.get("now", {})
    keys = [Part(key, "seals and opens" if key == now.get("active") else "opens only") for key in now.get("keys", ())]
    return [*keys, Part("Since", moment(noted[0].at))]


async def _stores(visit: Visit) -> list[Part]:
    house = visit.house
    trail = house.audit.trail
    entries = (await house.audit.log.total()).rows
    waiting = f"{trail.waiting} entries wait to be written" if trail.waiting else "nothing waits"
    return [
        await _part("Sessions", _kind(house.settings.store), lambda: house.sessions.load(secrets.token_urlsafe(32))),
        await _part("People and audit log", _kind(house.settings.database_url or "sqlite:"), house.database.check),
        Part("Audit log", f"{grouped(entries)} entries; {waiting}", well=not trail.waiting),
    ]


async def _part(name: str, kind: str, check: Callable[[], Awaitable[object]]) -> Part:
    try:
        await check()
    except EntradaError:
        return Part(name, f"{kind}, does not answer", well=False)
    return Part(name, f"{kind}, answers", well=True)


def _kind(address: str) -> str:
    """Return what kind of store an address names, and nothing else of it: it may hold a password."""
    scheme = urlsplit(address).scheme.partition("+")[0]
    names = {"sqlite": "SQLite", "memory": "memory", "redis": "Redis", "rediss": "Redis over TLS"}
    return names.get(scheme, "PostgreSQL" if scheme.startswith("postgres") else scheme)


def _background(visit: Visit) -> list[Part]:
    failing = visit.house.chores.failing
    return [Part(name, "failed when it was last done", well=False) for name in failing] or [
        Part("All of it", "goes on", well=True)
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"
