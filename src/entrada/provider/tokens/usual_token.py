"""The access token that Entra gives to a client for a person, known again in one pass.

Nearly every token is of this shape. So what its claims are held against is made ready for a tenant, and they are held
against it at once. It says yes only where each check of `access_checks` would. Whatever it does not know again goes
through those, one by one: they say why it is refused, or that it is good all the same.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from entrada.errors import TokenRefused
from entrada.provider.tokens.access_checks import (
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
from entrada.provider.tokens.validate import LAST_SECOND, LONGEST_SUBJECT
from entrada.well_known import GUID

UNUSUAL = frozenset({*OTHER_KINDS, "cnf", "idtyp", "auth_time"})
"""Claims that are for the single checks to judge."""
NAMED = "iss", "tid", "ver", "aud"
TYPES = str, str, str, str, int, int, int
"""Of subject, object id, client and scopes, and of the three times."""

Recognise = Callable[[Mapping[str, Any]], AccessClaims | None]


def usual_token(expected: ExpectedAccess) -> Recognise:
    """Return what gives the claims of a usual token that is good, and None for every other."""
    tenant_id = expected.tenant_id
    if expected.version is None or tenant_id is None or expected.policy is not None or not _key_is_tenants(expected):
        return lambda _claims: None
    client_claim, audience, clients = CLIENT_CLAIMS[expected.version], expected.audience, expected.clients
    wanted = expected.issuer, tenant_id, VERSIONS[expected.version], audience
    named, facts = itemgetter(*NAMED), itemgetter("sub", "oid", client_claim, "scp", "exp", "iat", "nbf")
    over, latest = max(expected.now - expected.leeway, -1), min(expected.now + expected.leeway, LAST_SECOND)
    issuer, is_guid = expected.issuer, GUID.fullmatch

    def recognise(claims: Mapping[str, Any]) -> AccessClaims | None:
        try:
            if named(claims) != wanted:
                return None
            found = facts(claims)
        except KeyError:
            return None
        if tuple(map(type, found)) != TYPES:
            return None
        subject, object_id, client, scopes, expires, issued, valid_from = found
        if (
            over < expires <= LAST_SECOND
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
