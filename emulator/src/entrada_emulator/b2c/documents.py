"""The metadata and the keys of one policy."""

from datetime import datetime
from typing import Any

from entrada_emulator.b2c.policy import PolicyPath
from entrada_emulator.instance import Emulator

CLAIMS_SUPPORTED = [
    *("name", "given_name", "family_name", "emails", "newUser", "oid", "sub", "tfp"),
    *("iss", "iat", "exp", "aud", "acr", "nonce", "auth_time"),
]
BARE_KEY = ("kid", "use", "kty", "e", "n")


def metadata(emulator: Emulator, path: PolicyPath) -> dict[str, Any]:
    """The document; its issuer is not the address that it was fetched from, unless the tenant names policies there."""
    login = f"{emulator.origins.b2c(path.tenant)}{path.path}"
    pages = f"{emulator.origins.b2c(path.tenant, for_people=True)}{path.path}"
    return {
        "issuer": path.issuer(emulator.origins),
        "authorization_endpoint": f"{pages}/oauth2/v2.0/authorize",
        "token_endpoint": f"{login}/oauth2/v2.0/token",
        "end_session_endpoint": f"{pages}/oauth2/v2.0/logout",
        "jwks_uri": f"{login}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": CLAIMS_SUPPORTED,
        "entrada_emulator": True,
    }


def keys(emulator: Emulator, path: PolicyPath) -> dict[str, Any]:
    """The keys of customers' tokens, bare: no certificate, no algorithm, no issuer."""
    issuer, since = path.issuer(emulator.origins), _seconds(emulator.state.started_at)
    published = [key.jwk(issuer) for key in emulator.state.keys.published_to_customers()]
    return {"keys": [{name: jwk[name] for name in BARE_KEY} | {"nbf": since} for jwk in published]}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
