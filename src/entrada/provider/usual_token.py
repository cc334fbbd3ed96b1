"""The access token that Entra gives to a client for a person, known again in one pass.

Nearly every token is of this shape. So what its claims are held against is made ready for a tenant, and they are held
against it at once. It says yes only where each check of `access_checks` would. Whatever it does not know again goes
through those, one by one: they say why it is refused, or that it is good all the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from entrada.errors import TokenRefused
from entrada.provider.access_checks import (
    CLIENT_CLAIMS,
    LONGEST_CLIENT_ID,
    LONGEST_SCOPE,
    OTHER_KINDS,
    VERSIONS,
    AccessClaims,
    ExpectedAccess,
    key_is_tenants,
    words_of,
)
from entrada.provider.validate import LAST_SECOND, LONGEST_SUBJECT
from entrada.settings_faults import GUID

UNUSUAL = frozenset({*OTHER_KINDS, "cnf", "idtyp", "auth_time"})
"""Claims that are for the single checks to judge."""

Recognise = Callable[[Mapping[str, Any]], AccessClaims | None]


def usual_token(expected: ExpectedAccess) -> Recognise:
    """Return what gives the claims of a usual token that is good, and None for every other."""
    issuer, tenant_id, audience, clients = expected.issuer, expected.tenant_id, expected.audience, expected.clients
    if expected.version is None or tenant_id is None or expected.policy is not None or not _key_is_tenants(expected):
        return lambda _claims: None
    version, client_claim = VERSIONS[expected.version], CLIENT_CLAIMS[expected.version]
    over, latest = max(expected.now - expected.leeway, -1), min(expected.now + expected.leeway, LAST_SECOND)
    is_guid = GUID.fullmatch

    def recognise(claims: Mapping[str, Any]) -> AccessClaims | None:
        get = claims.get
        subject, object_id, client, scopes = get("sub"), get("oid"), get(client_claim), get("scp")
        expires, issued, valid_from = get("exp"), get("iat"), get("nbf", 0)
        if (
            get("iss") == issuer
            and get("tid") == tenant_id
            and get("ver") == version
            and get("aud") == audience
            and type(subject) is type(object_id) is type(client) is type(scopes) is str
            and type(expires) is type(issued) is type(valid_from) is int
            and over < expires <= LAST_SECOND
            and 0 <= issued <= latest
            and 0 <= valid_from <= latest
            and 0 < len(subject) <= LONGEST_SUBJECT
            and subject.isascii()
            and subject.isprintable()
            and is_guid(object_id)
            and 0 < len(client) <= LONGEST_CLIENT_ID
            and (not clients or client in clients)
            and len(scopes) <= LONGEST_SCOPE
            and (words := words_of(scopes))
            and claims.keys().isdisjoint(UNUSUAL)
        ):
            return AccessClaims(issuer, subject, tenant_id, object_id, client, False, words, expires, claims)
        return None

    return recognise


def _key_is_tenants(expected: ExpectedAccess) -> bool:
    try:
        key_is_tenants({"iss": expected.issuer}, expected)
    except TokenRefused:
        return False
    return True
