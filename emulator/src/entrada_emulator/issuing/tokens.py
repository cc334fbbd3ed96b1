"""The claims of ID and access tokens, version 1 and 2, for people and for applications."""

import hashlib
import secrets
from datetime import datetime, timedelta

from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.directory.model import Application, ClientAcr, Tenant, User
from entrada_emulator.issuing.keys import base64url
from entrada_emulator.issuing.optional_claims import (
    LOOPBACK,
    Claims,
    access_token_options,
    application_token_options,
    group_claims,
    id_token_options,
    present,
)
from entrada_emulator.issuing.sign_in import Audience, SignIn
from entrada_emulator.signing_in.claims_request import client_capabilities
from entrada_emulator.wire.origins import Origins

ID_TOKEN_LIFE = timedelta(hours=1)
ACCESS_TOKEN_LIFE = timedelta(minutes=60)
ACCESS_TOKEN_SPREAD = timedelta(minutes=30)  # Entra draws 60 to 90 minutes, so that renewals do not come all at once
CONTINUOUS_LIFE = timedelta(hours=20)
CONTINUOUS_SPREAD = timedelta(hours=8)
CHALLENGEABLE = "cp1"


def is_evaluated_continuously(sign_in: SignIn, audience: Audience) -> bool:
    """Whether the client can be challenged (`cp1`) and the resource is Graph, which then hears of revocations."""
    capabilities = {name.lower() for name in client_capabilities(sign_in.requested_claims)}
    return audience.resource is GRAPH and CHALLENGEABLE in capabilities


def access_token_life(*, continuous: bool = False) -> timedelta:
    """Between 60 and 90 minutes, at random, in whole seconds; with continuous evaluation between 20 and 28 hours."""
    if continuous:
        return CONTINUOUS_LIFE + timedelta(seconds=secrets.randbelow(int(CONTINUOUS_SPREAD.total_seconds())))
    return ACCESS_TOKEN_LIFE + timedelta(seconds=secrets.randbelow(int(ACCESS_TOKEN_SPREAD.total_seconds())))


def pairwise_sub(client_id: str, user: User) -> str:
    """The same person under another name for each application; 43 characters."""
    return base64url(hashlib.sha256(f"{client_id}|{user.tenant_id}|{user.id}".encode()).digest())


def id_token_claims(sign_in: SignIn, *, origins: Origins, now: datetime) -> Claims:
    """An ID token for the application, in the version of the endpoint that was asked."""
    user, is_v1 = sign_in.user, sign_in.version == 1
    tenant_id = sign_in.tenant.id
    claims = {
        "aud": sign_in.application.client_id,
        "iss": origins.issuer_v1(tenant_id) if is_v1 else origins.issuer(tenant_id),
        **_times(now, ID_TOKEN_LIFE),
        "aio": _opaque(48),
        **(_v1_person(sign_in) | {"oid": user.id} if is_v1 else _profile(sign_in)),
        **present(nonce=sign_in.nonce, idp=_idp(user, origins), acrs=list(sign_in.acrs) or None),
        "rh": _rh(),
        "sid": sign_in.sid,
        "sub": pairwise_sub(sign_in.application.client_id, user),
        "tid": tenant_id,
        "uti": _opaque(16),
        "ver": "1.0" if is_v1 else "2.0",
        **_roles(user.app_roles.get(sign_in.application.client_id, ())),
    }
    if sign_in.application.groups_claim:
        claims |= group_claims(user)
    return claims | id_token_options(sign_in)


def user_access_token_claims(
    sign_in: SignIn, audience: Audience, *, origins: Origins, now: datetime, life: timedelta
) -> Claims:
    """An access token with which an application acts for a person; its shape is the resource's choice."""
    user = sign_in.user
    # Graph answers userinfo with the `sub` of the client's own ID token; other APIs get their own pairwise one.
    sub_for = sign_in.application if audience.resource is GRAPH else audience.resource
    claims = {
        **_audience_and_issuer(audience, sign_in.tenant, origins),
        **_times(now, life),
        "aio": _opaque(48),
        **_client(sign_in.application, sign_in.client_acr, v1=audience.is_v1),
        **(_v1_person(sign_in) if audience.is_v1 else _profile(sign_in)),
        **present(idp=_idp(user, origins), acrs=list(sign_in.acrs) or None),
        "oid": user.id,
        "rh": _rh(),
        "scp": " ".join(audience.scp),
        "sid": sign_in.sid,
        "sub": pairwise_sub(sub_for.client_id, user),
        "tid": sign_in.tenant.id,
        "uti": _opaque(16),
        "ver": "1.0" if audience.is_v1 else "2.0",
        **_roles(user.app_roles.get(audience.resource.client_id, ())),
    }
    if audience.resource.groups_claim:
        claims |= group_claims(user)
    return claims | access_token_options(sign_in, audience.resource)


def app_access_token_claims(
    application: Application,
    audience: Audience,
    *,
    client_acr: ClientAcr,
    tenant: Tenant,
    origins: Origins,
    now: datetime,
    life: timedelta,
) -> Claims:
    """An application's own access token: no person, no `scp`; `sub` and `oid` name the service principal."""
    principal = application.object_id(tenant.id)
    return {
        **_audience_and_issuer(audience, tenant, origins),
        **_times(now, life),
        "aio": _opaque(48),
        **_client(application, client_acr, v1=audience.is_v1),
        **({"idp": origins.issuer_v1(tenant.id)} if audience.is_v1 else {}),
        "oid": principal,
        "rh": _rh(),
        **_roles(audience.roles),
        "sub": principal,
        "tid": tenant.id,
        "uti": _opaque(16),
        "ver": "1.0" if audience.is_v1 else "2.0",
        "xms_ftd": _opaque(32),
        **application_token_options(audience.resource),
    }


def _times(now: datetime, life: timedelta) -> Claims:
    issued = int(now.timestamp())
    return {"iat": issued, "nbf": issued, "exp": issued + int(life.total_seconds())}


def _profile(sign_in: SignIn) -> Claims:
    if "profile" not in sign_in.scopes:
        return {}
    user = sign_in.user
    return {"name": user.display_name, "oid": user.id, "preferred_username": user.user_principal_name}


def _v1_person(sign_in: SignIn) -> Claims:
    user = sign_in.user
    return {
        "acr": "1",
        "amr": list(sign_in.amr),
        **present(family_name=user.surname or None, given_name=user.given_name or None),
        "ipaddr": LOOPBACK,
        "name": user.display_name,
        "unique_name": user.user_principal_name,
        "upn": user.user_principal_name,
    }


def _audience_and_issuer(audience: Audience, tenant: Tenant, origins: Origins) -> Claims:
    issuer = origins.issuer_v1(tenant.id) if audience.is_v1 else origins.issuer(tenant.id)
    return {"aud": audience.aud, "iss": issuer}


def _client(application: Application, acr: ClientAcr, *, v1: bool) -> Claims:
    if v1:
        return {"app_displayname": application.display_name, "appid": application.client_id, "appidacr": acr}
    return {"azp": application.client_id, "azpacr": acr}


def _roles(roles: tuple[str, ...]) -> Claims:
    return {"roles": list(roles)} if roles else {}


def _idp(user: User, origins: Origins) -> str | None:
    return origins.issuer_v1(user.home.tenant_id) if user.home else None


def _opaque(size: int) -> str:
    return secrets.token_urlsafe(size)


def _rh() -> str:
    return f"1.{_opaque(36)}."
