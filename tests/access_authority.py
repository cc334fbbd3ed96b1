"""A little authority that publishes both versions of Entra's metadata, and access tokens with chosen claims."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from entrada.provider.authority import Authority
from entrada.provider.discovery import Discovery
from entrada.provider.egress import Egress
from entrada.provider.tenants import Tenants
from entrada.provider.tokens.access_token import AccessTokenVerifier, Api, Source
from tests.authority_app import (
    ABSENT,
    BASE,
    CLIENT,
    HEADER,
    HOST,
    START,
    TENANT,
    AuthorityApp,
    Clock,
    claims,
    compact,
    jwk,
    settings,
)
from tests.internet import Internet

ISSUER_V1 = f"https://sts.windows.net/{TENANT}/"
CALLER = "77777777-8888-4999-8aaa-bbbbbbbbbbbb"
"""The client that acts for people, or for itself."""
PRINCIPAL = "12121212-3434-4565-8787-909090909090"
"""The object id of that client's service principal."""


class BothVersions(AuthorityApp):
    """Serves the metadata and keys of version 2, and those of version 1 out of `old`."""

    def __init__(self) -> None:
        super().__init__()
        self.old = AuthorityApp()
        self.old.keys = [jwk("one", issuer=None), jwk("two", issuer=None)]
        self.old.metadata = {
            "issuer": ISSUER_V1,
            "authorization_endpoint": f"{BASE}/oauth2/authorize",
            "token_endpoint": f"{BASE}/oauth2/token",
            "jwks_uri": f"{BASE}/discovery/keys",
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        serve = super().__call__ if "v2.0" in scope["path"] else self.old
        await serve(scope, receive, send)


def api_claims(now: datetime = START, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good version 2 access token of a person with these changes."""
    given: dict[str, Any] = {"nonce": ABSENT, "azp": CALLER, "azpacr": "1", "scp": "Orders.Read"}
    return claims(now, **(given | changes))


def old_claims(now: datetime = START, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good version 1 access token of a person with these changes."""
    given = {"ver": "1.0", "iss": ISSUER_V1, "aud": f"api://{CLIENT}", "azp": ABSENT, "appid": CALLER}
    return api_claims(now, **(given | changes))


def app_claims(now: datetime = START, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good version 2 access token of an application with these changes."""
    given = {"scp": ABSENT, "sub": PRINCIPAL, "oid": PRINCIPAL, "roles": ["Task.Write"], "name": ABSENT, "sid": ABSENT}
    return api_claims(now, **(given | changes))


def signed(values: Mapping[str, Any], *, signer: str = "one", **header: Any) -> str:
    """Return the token of these claims, signed, with changes to its header."""
    head = {name: value for name, value in (HEADER | {"kid": signer} | header).items() if value is not ABSENT}
    return compact(head, values, signer=signer)


def verifier(
    app: AuthorityApp | None = None,
    *,
    clock: Clock | None = None,
    api: Api | None = None,
    host: str = HOST,
    **changes: Any,
) -> AccessTokenVerifier:
    """Return a verifier for the API of CLIENT at this authority."""
    chosen, clock = settings(**changes), clock or Clock()
    egress = Egress(transport=Internet({host: app or BothVersions()}), private_addresses_allowed=False)
    first = Authority.from_settings(chosen)
    sources = [
        Source(authority, Discovery(authority, egress, clock, production=False, jitter=lambda: 0.5))
        for authority in (first, first.version_one())
        if authority
    ]
    return AccessTokenVerifier(
        *sources,
        api=api or Api(client_id=CLIENT, identifiers=frozenset({f"api://{CLIENT}"})),
        algorithms=chosen.algorithms,
        leeway=60,
        tenants=Tenants.from_settings(chosen),
        clock=clock,
    )
