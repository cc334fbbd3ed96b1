"""Which token client serves which authority."""

from collections.abc import Awaitable, Callable
from functools import partial

from entrada.clock import Clock
from entrada.provider.authority import Authority
from entrada.provider.egress import Egress
from entrada.provider.metadata import Metadata
from entrada.provider.token_client import TokenClient
from entrada.settings import Settings


def token_client(
    settings: Settings, *, egress: Egress, metadata: Callable[[], Awaitable[Metadata]], clock: Clock
) -> TokenClient:
    """Return the client for the authority that the settings name: MSAL for Entra, else the one for OpenID providers."""
    return _kind(Authority.from_settings(settings))(
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value() if settings.client_secret else None,
        egress=egress,
        metadata=metadata,
        clock=clock,
        refresh_buffer=settings.token_refresh_buffer,
    )


def _kind(authority: Authority) -> Callable[..., TokenClient]:
    """Return what makes the client; only who needs MSAL pays for its import."""
    if authority.msal_authority:
        from entrada.provider.msal_client import MsalClient

        return partial(MsalClient, authority=authority.msal_authority)
    from entrada.provider.oidc_client import OidcClient

    return OidcClient
