"""The addresses to which a browser is sent: the authorization request and the end of the session."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Literal
from urllib.parse import urlencode, urlsplit

from entrada.errors import Unsupported
from entrada.provider.metadata import Metadata

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
AUTHORIZE = "/oauth2/v2.0/authorize"  # how Entra's addresses end
EXTRA = frozenset(
    {"login_hint", "domain_hint", "ui_locales", "prompt", "max_age", "acr_values", "claims", "client_info"}
)
"""What may be added to an authorization request; everything else is ours alone (SEC-006)."""


def code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2); ValueError for a verifier that is none."""
    if not VERIFIER.fullmatch(code_verifier):
        raise ValueError("a code_verifier has 43 to 128 unreserved characters")
    return urlsafe_b64encode(sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_url(
    metadata: Metadata,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    state: str,
    nonce: str,
    code_challenge: str,
    response_mode: Literal["query", "form_post"] = "query",
    extra: Mapping[str, str] | None = None,
) -> str:
    """Return the address of an authorization request: always a code with PKCE by S256 (SEC-001).

    ValueError when `extra` has a parameter that is not in EXTRA.
    """
    if unknown := (extra or {}).keys() - EXTRA:
        raise ValueError(f"not a parameter that may be added: {', '.join(sorted(unknown))}")
    return _with_query(
        metadata.authorization_endpoint,
        {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "response_mode": response_mode,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
            **(extra or {}),
        },
    )


def admin_consent_url(metadata: Metadata, *, client_id: str, scope: str, redirect_uri: str, state: str) -> str:
    """Return where an administrator of any organisation agrees for it, beside Entra's page to authorize.

    Unsupported for a provider that has no such place.
    """
    base, authorize, _ = metadata.authorization_endpoint.partition(AUTHORIZE)
    if not authorize:
        raise Unsupported("the authority has no page for the consent of administrators")
    parameters = {"client_id": client_id, "scope": scope, "redirect_uri": redirect_uri, "state": state}
    return f"{base.rpartition('/')[0]}/organizations/v2.0/adminconsent?{urlencode(parameters)}"


def end_session_url(
    metadata: Metadata,
    *,
    client_id: str,
    post_logout_redirect_uri: str,
    logout_hint: str | None = None,
    id_token_hint: str | None = None,
) -> str | None:
    """Return where the browser ends its session at the authority; None when the authority has no such place.

    `logout_hint` is Entra's, `id_token_hint` every other provider's (OpenID Connect RP-Initiated Logout 1.0).
    """
    if metadata.end_session_endpoint is None:
        return None
    parameters = {
        "client_id": client_id,
        "post_logout_redirect_uri": post_logout_redirect_uri,
    }
    hints = {"logout_hint": logout_hint, "id_token_hint": id_token_hint}
    parameters |= {name: hint for name, hint in hints.items() if hint}
    return _with_query(metadata.end_session_endpoint, parameters)


def _with_query(address: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to an address that may have some already (B2C's `?p=`)."""
    separator = "&" if urlsplit(address).query else "?"
    return f"{address}{separator}{urlencode(parameters)}"
