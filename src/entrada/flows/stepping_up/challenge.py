"""Claims challenges: an API, or the authority, wants more of the person than their token proves.

    an API answers 401 with claims ──► one renewal that names them ──► the request once more
                                                 │
    the authority refuses a renewal with claims ◄┘──► kept sealed with the session's tokens (`held.Step`)
                                                        │   a page: to sign in and back
                                                        │   a script: 401 that carries them
                                                        └──► the next sign-in of this browser names them

The form on the wire is Entra's: `WWW-Authenticate: Bearer …, error="insufficient_claims", claims="BASE64"`; the claims
are the JSON of the `claims` parameter (OpenID Connect Core section 5.5). They are no secret, and no reason to let
anybody in: whether they were met is for whoever asked to see from the next token.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable

from entrada.provider.strict_json import NotStrict, json_object

LONGEST = 1024  # characters of JSON; with the longest return address the attempt's cookie stays below 4096
_ERROR = re.compile(r'(?:^|[\s,])error\s*=\s*"?insufficient_claims"?', re.IGNORECASE)
_CLAIMS = re.compile(r'(?:^|[\s,])claims\s*=\s*"([A-Za-z0-9+/_=-]{1,2048})"', re.IGNORECASE)


def usable(claims: str | None) -> str | None:
    """Return the claims as they are passed on, one compact JSON object; None when they are none, or too long."""
    try:
        wanted = json_object(claims.encode()) if claims and len(claims) <= 2 * LONGEST else None
    except (NotStrict, UnicodeEncodeError):
        return None
    compact = json.dumps(wanted, separators=(",", ":")) if wanted else None
    return compact if compact and len(compact) <= LONGEST else None


def claims_in(challenges: Iterable[str]) -> str | None:
    """Return the claims that an API's `WWW-Authenticate` lines ask for, if they do."""
    for challenge in challenges:
        found = _CLAIMS.search(challenge) if _ERROR.search(challenge) else None
        if found and (claims := usable(_decoded(found[1]))):
            return claims
    return None


def challenge(claims: str, *, authorization_uri: str) -> str:
    """Return the value of `WWW-Authenticate` that hands the claims on to our own caller."""
    asked = base64.b64encode(claims.encode()).decode()
    return f'Bearer realm="", authorization_uri="{authorization_uri}", error="insufficient_claims", claims="{asked}"'


def _decoded(text: str) -> str | None:
    try:
        standard = text.rstrip("=").replace("-", "+").replace("_", "/")
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
