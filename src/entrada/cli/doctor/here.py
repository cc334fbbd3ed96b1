"""What can be said of an application from its settings and this machine alone; nobody is asked."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from entrada.cli.doctor.patient import Patient
from entrada.cli.findings import Finding
from entrada.sessions.keyfile import ring_file
from entrada.settings import Settings
from entrada.web.cookies import Cookies

AUTHENTICATION = "Entra admin center › App registrations › the application › Authentication"
LONGEST_REDIRECT_URI = 256  # characters that a registration takes
NOT_IN_REDIRECT_URIS = re.compile(r"[!$'(),;*]")
EVERYBODY, GROUP = stat.S_IRWXO, stat.S_IRWXG
MIB = 1024 * 1024
LITTLE_SPACE, NO_SPACE = 1024 * MIB, 100 * MIB  # a million sessions take about a gigabyte; a WAL grows to some tens
SECRETS_PAGE = "Entra admin center › App registrations › the application › Certificates & secrets"
DAYS = (3, 14, 30)
"""Fewer days than the first fail, fewer than the last are warned of: as the application itself warns (SEC-174)."""


async def profile(patient: Patient) -> Iterable[Finding]:
    """Production is explicit; in development, what it would refuse (SEC-183)."""
    if patient.settings.production:
        return [Finding("profile", "passes", "production: no unsafe setting")]
    refused = patient.settings.model_copy(update={"profile": "production"}).faults()
    would = f"production would refuse: {' · '.join(refused)}" if refused else "production would take these settings"
    return [Finding("profile", "passes", f"development; {would}")]


async def cookies(patient: Patient) -> Iterable[Finding]:
    """The session cookie is bound to https and to this host by its name."""
    found = Cookies.from_settings(patient.settings)
    if found.secure:
        return [Finding("cookies", "passes", f"{found.session}: Secure, HttpOnly, of this host alone")]
    mend = "serve it under https and set ENTRADA_BASE_URL to that address"
    return [Finding("cookies", "warns", "base_url is http: neither __Host- nor Secure, for this machine only", mend)]


async def limits(patient: Patient) -> Iterable[Finding]:
    """Strangers are limited by rate here; where they are not, something in front has to do it (SEC-152)."""
    settings = patient.settings
    if settings.limits:
        return [Finding("limits", "passes", "requests are limited by rate")]
    if not settings.production:
        return [Finding("limits", "passes", "off; production would be warned of it")]
    mend = "take ENTRADA_LIMITS=false away, or see that a layer in front limits by rate, the sign-in above all"
    return [Finding("limits", "warns", "off: nobody is limited by rate here", mend)]


async def redirect_uris(patient: Patient) -> Iterable[Finding]:
    """Each address that must be registered is one that can be."""
    return [_registrable(name, uri, patient.settings) for name, uri in uris_to_register(patient.settings)]


def uris_to_register(settings: Settings) -> list[tuple[str, str]]:
    """Return each redirect URI that the application sends, with what it is for."""
    named = [("redirect_uri", settings.callback_uri)]
    return [*named, ("onboarding_uri", settings.onboarding_uri)] if settings.onboarding != "off" else named


def _registrable(name: str, uri: str, settings: Settings) -> Finding:
    register = f"register {uri} under {AUTHENTICATION} › Web, byte for byte"
    fault = None if settings.issuer else unregistrable(uri)
    if fault:
        return Finding(f"{name}_form", "fails", f"{uri}: {fault}", "set ENTRADA_BASE_URL to an address without that")
    return Finding(f"{name}_form", "passes", register if not settings.issuer else f"register {uri} at the provider")


def unregistrable(uri: str) -> str | None:
    """Say why Entra would not take this as a redirect URI; None when it would."""
    host = urlsplit(uri).hostname or ""
    if len(uri) > LONGEST_REDIRECT_URI:
        return f"is longer than {LONGEST_REDIRECT_URI} characters"
    if NOT_IN_REDIRECT_URIS.search(uri):
        return "has a character that a registration does not take"
    if ":" in host:
        return "is an IPv6 address, which a registration does not take"
    return None


async def key_files(patient: Patient) -> Iterable[Finding]:
    """Files with keys are for their owner only (SEC-176)."""
    files = (("key_ring", ring_file(patient.settings)), ("certificate_file", patient.settings.client_certificate))
    found = [_file_rights(name, path) for name, path in files if path is not None]
    return found or [Finding("key_ring", "passes", "is in ENTRADA_KEYS")]


def _file_rights(name: str, path: Path) -> Finding:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Finding(name, "unknown", f"{path} is not there yet; the first start makes it")
    except OSError as error:
        return Finding(name, "fails", f"{path}: {error.strerror}", "let the user who runs the application read it")
    if mode & EVERYBODY:
        return Finding(name, "fails", f"{path}: everybody may read or write it ({mode:04o})", f"chmod 600 {path}")
    if mode & GROUP:
        return Finding(name, "warns", f"{path}: its group may, too ({mode:04o})", f"chmod 600 {path}")
    return Finding(name, "passes", f"{path} ({mode:04o})")


async def credential_expiry(patient: Patient) -> Iterable[Finding]:
    """No secret or certificate ends soon (SEC-174, BEY-7)."""
    if patient.outside.credentials.public:
        return [Finding("credential_expiry", "passes", "a public client: PKCE alone, nothing that could expire")]
    ends = patient.outside.credentials.days_left(patient.now)
    names = [name for name, _ in patient.outside.credentials.each()]
    return [days_left(name, ends.get(name)) for name in names]


def days_left(name: str, days: int | None) -> Finding:
    """Judge how long one credential still lasts; None when nobody has told."""
    check = f"expiry of {name}"
    if days is None:
        told = "its end is not known here" if name.startswith("client_secret") else "has no end that is known here"
        mend = "write the date from the portal into ENTRADA_CLIENT_SECRET_EXPIRES, and it is watched"
        return Finding(check, "unknown", told, mend)
    mend = f"make a new one under {SECRETS_PAGE}, and name both meanwhile (docs/credentials.md)"
    if days < 0:
        return Finding(check, "fails", f"ended {-days} days ago", mend)
    if days < DAYS[0]:
        return Finding(check, "fails", f"ends within {days + 1} days", mend)
    if days < DAYS[-1]:
        return Finding(check, "warns", f"{days} days left: {'soon' if days < DAYS[1] else 'plan its change'}", mend)
    return Finding(check, "passes", f"{days} days left")


async def disk(patient: Patient) -> Iterable[Finding]:
    """There is room where SQLite writes."""
    places = {path.parent for path in (patient.session_file, patient.users_file) if path is not None}
    return [_space(place) for place in sorted(places)]


def _space(place: Path) -> Finding:
    there = next((each for each in (place, *place.absolute().parents) if each.is_dir()), Path("/"))
    facts = os.statvfs(there)
    return free_space(place, free=facts.f_bavail * facts.f_frsize)


def free_space(place: Path, *, free: int) -> Finding:
    """Judge the bytes that are free for SQLite's files."""
    left = f"{place}: {free // MIB} MiB free"
    mend = "make room, or name another disk with ENTRADA_DATA_DIR; without room nobody signs in"
    if free < NO_SPACE:
        return Finding("disk", "fails", left, mend)
    return Finding("disk", "warns", left, mend) if free < LITTLE_SPACE else Finding("disk", "passes", left)
