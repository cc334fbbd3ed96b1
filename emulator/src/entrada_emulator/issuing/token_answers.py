"""The answers of the token endpoint: which tokens come back, made from a sign-in or for an application."""

import math
import secrets
from dataclasses import replace
from typing import Any

from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.directory.model import Application, ClientAcr, Tenant
from entrada_emulator.faults import TOKEN_FAULTS
from entrada_emulator.inspector.notes import passed
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.client_info import client_info
from entrada_emulator.issuing.jwt import signed
from entrada_emulator.issuing.keys import base64url
from entrada_emulator.issuing.refresh import SPA_LIFE, RefreshGrant
from entrada_emulator.issuing.scopes import RequestedScopes, ResourceScopes, granted_permissions
from entrada_emulator.issuing.sign_in import Audience, EndpointVersion, SignIn
from entrada_emulator.issuing.spoiling import signed_or_spoiled
from entrada_emulator.issuing.tokens import (
    access_token_life,
    app_access_token_claims,
    id_token_claims,
    is_evaluated_continuously,
    user_access_token_claims,
)
from entrada_emulator.issuing.version1 import shaped

NONCE_COPIED = "The ID token carries the nonce of the authorization request, unchanged."
Answer = dict[str, Any]


def user_answer(
    emulator: Emulator,
    sign_in: SignIn,
    *,
    requested: RequestedScopes,
    wants_client_info: bool,
    renewal: RefreshGrant | None,
) -> Answer:
    """Tokens for a person. `renewal` is what the next refresh token stands for, None for no refresh token."""
    api = _named(emulator, sign_in, requested.first)
    now = emulator.state.clock.now()
    shown = tuple(scope for scope in requested.oidc if scope != "offline_access") if api.resource is GRAPH else ()
    audience = Audience(resource=api.resource, identifier=api.identifier, scp=(*api.values, *shown))
    continuous = is_evaluated_continuously(sign_in, audience)
    life = access_token_life(continuous=continuous)
    claims = user_access_token_claims(sign_in, audience, origins=emulator.origins, now=now, life=life)
    emulator.state.issued.note(claims["uti"], sign_in)
    granted = (*(api.wire(value) for value in api.values), *shown)
    answer: Answer = {"token_type": "Bearer", "scope": " ".join(granted)} | _access_token(emulator, audience, claims)
    if continuous:
        answer["refresh_in"] = int(life.total_seconds()) // 2
    if renewal is not None:
        answer |= _refresh_token(emulator, renewal)
    if "openid" in requested.oidc:
        answer["id_token"] = _id_token(emulator, sign_in)
    if wants_client_info:
        answer["client_info"] = client_info(sign_in.user)
    return shaped(answer, api, now=now) if sign_in.version == 1 else answer


def application_answer(
    emulator: Emulator,
    application: Application,
    *,
    client_acr: ClientAcr,
    tenant: Tenant,
    api: ResourceScopes,
    version: EndpointVersion,
) -> Answer:
    """An application's own token and nothing else: no scope, no refresh token, no ID token."""
    roles = application.granted_app_roles.get(api.resource.client_id, ())
    audience = Audience(resource=api.resource, identifier=api.identifier, roles=roles)
    now = emulator.state.clock.now()
    claims = app_access_token_claims(
        application,
        audience,
        client_acr=client_acr,
        tenant=tenant,
        origins=emulator.origins,
        now=now,
        life=access_token_life(),
    )
    answer: Answer = {"token_type": "Bearer"} | _access_token(emulator, audience, claims)
    return shaped(answer, api, now=now) if version == 1 else answer


def _named(emulator: Emulator, sign_in: SignIn, api: ResourceScopes) -> ResourceScopes:
    """`.default` spelt out: everything granted on that resource."""
    if not api.is_default:
        return api
    granted = granted_permissions(emulator.world, emulator.state.consents, sign_in.application, user=sign_in.user)
    offered = (scope.value for scope in api.resource.scopes)
    held = {permission.value for permission in granted if permission.resource == api.resource.client_id}
    return replace(api, values=tuple(value for value in offered if value in held - set(sign_in.scopes)))


def _access_token(emulator: Emulator, audience: Audience, claims: Answer) -> Answer:
    nonce = base64url(secrets.token_bytes(32)) if audience.resource is GRAPH else None
    life = claims["exp"] - claims["iat"]
    key = emulator.state.keys.signer(claims["tid"], audience.resource)
    token = signed(claims, key=key, v1=audience.is_v1, nonce=nonce)
    return {"expires_in": life, "ext_expires_in": life, "access_token": token}


def _id_token(emulator: Emulator, sign_in: SignIn) -> str:
    claims = id_token_claims(sign_in, origins=emulator.origins, now=emulator.state.clock.now())
    if "nonce" in claims:
        passed("nonce", NONCE_COPIED)
    faults = emulator.state.faults.take("token", TOKEN_FAULTS)
    key = emulator.state.keys.signer(claims["tid"], sign_in.application)
    return signed_or_spoiled(claims, key=key, faults=faults, v1=sign_in.version == 1)


def _refresh_token(emulator: Emulator, renewal: RefreshGrant) -> Answer:
    answer: Answer = {"refresh_token": emulator.state.refresh_tokens.issue(renewal)}
    if renewal.redirect_kind == "spa":
        left = renewal.first_issued_at + SPA_LIFE - emulator.state.clock.now()
        answer["refresh_token_expires_in"] = math.ceil(left.total_seconds())
    return answer
