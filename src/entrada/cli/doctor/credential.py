"""Whether the authority accepts what the application proves itself with, each credential by itself."""

from collections.abc import Awaitable, Iterable
from typing import Any

from entrada.cli.doctor.patient import Patient
from entrada.cli.findings import Finding
from entrada.errors import AuthorityRefused, AuthorityUnavailable
from entrada.provider.clients.credentials import Credentials
from entrada.provider.clients.further_grants import FurtherGrants
from entrada.provider.groups import graph_scope
from entrada.provider.meanings import meaning_of
from entrada.provider.metadata import Metadata

REFUSED = frozenset({"invalid_client"})
BEFORE_THAT = frozenset({"unsupported_grant_type", "invalid_request"})
"""Refusals of the request that a token endpoint may give without having looked at the credential."""
NOT_FOUND = frozenset({"AADSTS700016", "AADSTS90002", "AADSTS700038", "AADSTS50194"})
PUBLIC = "none is set, for a public client; where the registration wants one, whoever signs in is refused"
CONFIDENTIAL = (
    "set a secret, certificate or assertion for redirect URIs under Web (AADSTS7000218), else leave it (docs/portal.md)"
)
UNTOLD = "tells only when somebody signs in"


async def accepted(patient: Patient) -> Iterable[Finding]:
    """Each credential gets the application a token of its own, which is thrown away, or a refusal that tells."""
    held = list(patient.outside.credentials.each())
    if not held:
        return [Finding("credential", "unknown", PUBLIC, CONFIDENTIAL)]
    return [await _one(name, alone, patient) for name, alone in held]


async def _one(name: str, alone: Credentials, patient: Patient) -> Finding:
    check = f"accepted: {name}"
    asking = _own_token(alone, patient)
    if asking is None:
        return Finding(check, "unknown", f"the authority {UNTOLD}")
    try:
        await asking
    except AuthorityRefused as refused:
        return judged(check, error=refused.code, number=refused.aadsts)
    except AuthorityUnavailable as outage:
        return Finding(check, "unknown", str(outage))
    return Finding(check, "passes", "the authority accepts it")


def judged(check: str, *, error: str, number: str | None) -> Finding:
    """Judge a refusal: of the credential itself, of the application, or of a token that sign-in does not need."""
    meaning = meaning_of(error, aadsts=number)
    told = ": ".join(each for each in (number or error, meaning.operator) if each)
    if error in REFUSED or number in NOT_FOUND:
        return Finding(check, "fails", told, meaning.where or "check client_id and the credential in the settings")
    if error in BEFORE_THAT:
        return Finding(check, "unknown", f"the authority {UNTOLD}")
    return Finding(check, "passes", f"the authority accepts it; it gives the application itself no token ({told})")


def _own_token(alone: Credentials, patient: Patient) -> Awaitable[Any] | None:
    """Return what asks with this credential; None where no such question tells anything."""
    settings, outside = patient.settings, patient.outside
    authority = outside.discovery.authority
    tenant_id = next(iter(settings.tenants), None) if authority.many else None
    if authority.kind == "b2c" or (authority.many and tenant_id is None):
        return None

    async def metadata() -> Metadata:
        shared = await outside.discovery.metadata()
        return shared.in_tenant(tenant_id, authority) if tenant_id else shared

    grants = FurtherGrants(
        client_id=settings.client_id,
        credentials=alone,
        egress=outside.egress,
        metadata=metadata,
        clock=patient.clock,
        refresh_buffer=settings.token_refresh_buffer,
    )
    return grants.for_the_application((graph_scope(settings.graph_url),) if authority.kind == "entra" else ())
