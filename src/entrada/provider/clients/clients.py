"""Which token client serves which authority, and with which credentials."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time
from functools import partial
from itertools import zip_longest
from pathlib import Path

from entrada.clock import Clock
from entrada.provider.authority import Authority
from entrada.provider.clients.credentials import (
    AssertionCall,
    AssertionFile,
    AssertionSource,
    Credential,
    Credentials,
    SharedSecret,
)
from entrada.provider.clients.token_client import TokenClient
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata
from entrada.settings import Settings


def token_client(
    settings: Settings,
    *,
    credentials: Credentials,
    egress: Egress,
    metadata: Callable[[], Awaitable[Metadata]],
    clock: Clock,
) -> TokenClient:
    """Return the client for the authority that the settings name: MSAL for Entra, else the one for OpenID providers."""
    return _kind(Authority.from_settings(settings))(
        client_id=settings.client_id,
        credentials=credentials,
        egress=egress,
        metadata=metadata,
        clock=clock,
        refresh_buffer=settings.token_refresh_buffer,
    )


def _kind(authority: Authority) -> Callable[..., TokenClient]:
    """Return what makes the client; only who needs MSAL pays for its import."""
    if authority.msal_authority:
        from entrada.provider.clients.msal_client import MsalClient

        return partial(MsalClient, authority=authority)
    from entrada.provider.clients.oidc_client import OidcClient

    return OidcClient


def credentials_of(settings: Settings, *, assertion: AssertionSource | None, clock: Clock) -> Credentials:
    """Return what the application proves itself with: assertions before a certificate, a certificate before secrets.

    SettingsRefused when the certificate's file is no good.
    """
    held: list[Credential] = [AssertionCall(assertion)] if assertion else []
    if settings.client_assertion_file:
        held.append(AssertionFile(settings.client_assertion_file))
    if settings.client_certificate:
        held.append(_certificate(settings, settings.client_certificate, clock))
    return Credentials([*held, *_secrets(settings)], client_id=settings.client_id)


def _certificate(settings: Settings, path: Path, clock: Clock) -> Credential:
    from entrada.provider.clients.certificate import Certificate  # only who has one loads what reads it

    password = settings.client_certificate_password
    return Certificate(path, password=password.get_secret_value() if password else None, clock=clock)


def _secrets(settings: Settings) -> list[SharedSecret]:
    values = [settings.client_secret] if settings.client_secret else settings.client_secrets
    ends = [datetime.combine(day, time(), UTC) for day in settings.client_secret_expires]
    return [
        SharedSecret(value.get_secret_value(), f"client_secret {number}", end)
        for number, (value, end) in enumerate(zip_longest(values, ends), start=1)
    ]
