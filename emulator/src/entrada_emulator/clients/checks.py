"""Checks that the authorize and the token endpoint share: tenant path, application, redirect URI, PKCE."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from entrada_emulator.directory.model import PERSONAL_TENANT, Application, RedirectUri, Tenant
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, noted, skipped

ChallengeMethod = Literal["S256", "plain"]
CONSUMERS = "consumers"
SHARED_PATHS = frozenset({"common", "organizations"})
LOOPBACK_WITH_PORT = re.compile(r"(https?://(?:localhost|127\.0\.0\.1))(?::\d{1,5})?((?:[/?].*)?)", re.DOTALL)
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass(frozen=True, slots=True)
class TenantPath:
    """The first path segment, resolved."""

    name: str
    """A tenant GUID, `common`, `organizations` or `consumers`: what the metadata's own paths repeat."""
    tenant: Tenant | None
    """None for `common` and `organizations`."""

    @property
    def directory(self) -> str:
        """How sentences name it: the tenant's name, or the path's where it is nobody's."""
        return self.tenant.display_name if self.tenant else self.name


@checking("tenant")
def tenant_path(world: World, segment: str) -> TenantPath:
    """What a path segment means: GUID, verified domain, a shared path, `consumers`; else raises 90002."""
    if segment.lower() in SHARED_PATHS:
        return TenantPath(segment.lower(), None)
    tenant = world.tenant(PERSONAL_TENANT if segment.lower() == CONSUMERS else segment)
    if tenant is None:
        raise EntraError(90002, tenant=segment)
    return TenantPath(segment.lower() if segment.lower() == CONSUMERS else tenant.id, tenant)


@checking("application")
def application_at(world: World, client_id: str, path: TenantPath) -> Application:
    """The application, if it may be used on this path.

    Raises 700038 for a client id of nothing, 700016 if it is not to be found in that tenant, 50194 for a single-tenant
    application on `common` or `organizations`, 9002332 for one of organisations on `consumers`, 7000112 for a disabled
    one.
    """
    application = world.application(client_id)
    if application is None:
        raise EntraError(700038, client_id=client_id)
    noted(application=application.display_name, client_id=application.client_id)
    if not application.enabled:
        raise EntraError(7000112, client_id=client_id, application=application.display_name)
    if path.tenant is None and not application.multi_tenant:
        raise EntraError(50194, client_id=client_id, application=application.display_name)
    if path.tenant is not None and path.tenant.is_personal and not application.personal_accounts:
        raise EntraError(9002332, client_id=client_id, application=application.display_name)
    if path.tenant is not None and not world.available_in(application, path.tenant.id):
        raise EntraError(700016, client_id=client_id, tenant=path.tenant.display_name)
    return application


@checking("redirect_uri")
def registered_redirect(application: Application, redirect_uri: str) -> RedirectUri:
    """The registration that a redirect URI matches, exactly; on localhost any port will do. Raises 50011."""
    registered = _registration(application, redirect_uri)
    if registered is None:
        raise EntraError(50011, redirect_uri=redirect_uri, client_id=application.client_id)
    return registered


@checking("challenge")
def checked_challenge(
    code_challenge: str | None, code_challenge_method: str | None, *, redirect: RedirectUri
) -> ChallengeMethod | None:
    """The method of an authorize request's PKCE challenge; a missing one means `plain`, None says no challenge.

    Raises 501491 for a challenge of wrong size or alphabet, 90023 for an unknown method or one without a challenge,
    9002325 when a single-page application sends none.
    """
    if not code_challenge:
        if redirect.kind == "spa":
            raise EntraError(9002325)
        if code_challenge_method:
            raise EntraError(90023, reason="code_challenge_method needs a code_challenge")
        skipped("challenge", "The request has no code_challenge: whoever catches the code need not know a verifier.")
        return None
    if not VERIFIER.fullmatch(code_challenge):
        raise EntraError(501491)
    if code_challenge_method in {None, "", "plain"}:
        return "plain"
    if code_challenge_method == "S256":
        return "S256"
    raise EntraError(90023, reason="unsupported code_challenge_method")


@checking("pkce")
def check_verifier(code_challenge: str | None, method: ChallengeMethod | None, *, code_verifier: str | None) -> None:
    """Raises 501481 unless the verifier fits the challenge; a verifier without a challenge is a downgrade."""
    if code_challenge is None and code_verifier is None:
        skipped("pkce", "The authorization request had no code_challenge, so there is nothing to prove.")
        return
    if code_challenge is None or code_verifier is None or not VERIFIER.fullmatch(code_verifier):
        raise EntraError(501481)
    proof = s256(code_verifier) if method == "S256" else code_verifier
    if not hmac.compare_digest(proof, code_challenge):
        raise EntraError(501481)


def is_registered(application: Application, redirect_uri: str) -> bool:
    """Whether a redirect URI is one of the application's."""
    return _registration(application, redirect_uri) is not None


def _registration(application: Application, redirect_uri: str) -> RedirectUri | None:
    meant = _without_loopback_port(redirect_uri)
    return next((one for one in application.redirect_uris if _without_loopback_port(one.uri) == meant), None)


def s256(code_verifier: str) -> str:
    """The challenge that belongs to a verifier (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _without_loopback_port(uri: str) -> str:
    loopback = LOOPBACK_WITH_PORT.fullmatch(uri)
    return loopback[1] + loopback[2] if loopback else uri
