"""The claims of ID and access tokens, version 1 and 2, for people and for applications."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from entrada_emulator.client_auth import ClientAcr
from entrada_emulator.graph_resource import GRAPH
from entrada_emulator.keys import base64url
from entrada_emulator.login_hint import login_hint_of
from entrada_emulator.model import Application, Tenant, User
from entrada_emulator.origins import Origins

ID_TOKEN_LIFE = timedelta(hours=1)
ACCESS_TOKEN_LIFE = timedelta(minutes=60)
ACCESS_TOKEN_SPREAD = timedelta(minutes=30)  # Entra draws 60 to 90 minutes, so that renewals do not come all at once
GROUPS_IN_A_TOKEN = 200

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A person at an application: what their tokens are made from."""

    user: User
    tenant: Tenant
    application: Application
    client_acr: ClientAcr
    scopes: tuple[str, ...]
    """OpenID scopes granted."""
    sid: str
    auth_time: datetime
    amr: tuple[str, ...]
    acrs: tuple[str, ...] = ()
    nonce: str | None = field(default=None, repr=False)
    max_age: int | None = None
    requested_claims: Mapping[str, Any] = field(default_factory=dict)
    """The parsed `claims` parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The resource an access token is for."""

    resource: Application
    identifier: str
    """As the client named it."""
    scp: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def is_v1(self) -> bool:
        """Whether the resource takes version 1 tokens."""
        return self.resource.access_token_version == 1


def access_token_life() -> timedelta:
    """Between 60 and 90 minutes, at random, in whole seconds."""
    return ACCESS_TOKEN_LIFE + timedelta(seconds=secrets.randbelow(int(ACCESS_TOKEN_SPREAD.total_seconds())))


def pairwise_sub(client_id: str, user: User) -> str:
    """The same person under another name for each application; 43 characters."""
    return base64url(hashlib.sha256(f"{client_id}|{user.tenant_id}|{user.id}".encode()).digest())


def id_token_claims(sign_in: SignIn, *, origins: Origins, now: datetime) -> Claims:
    """A version 2 ID token for the application."""
    user = sign_in.user
    claims = {
        "aud": sign_in.application.client_id,
        "iss": origins.issuer(sign_in.tenant.id),
        **_times(now, ID_TOKEN_LIFE),
        "aio": _opaque(48),
        **_profile(sign_in),
        **_present(nonce=sign_in.nonce, idp=_idp(user, origins), acrs=list(sign_in.acrs) or None),
        "rh": _rh(),
        "sid": sign_in.sid,
        "sub": pairwise_sub(sign_in.application.client_id, user),
        "tid": sign_in.tenant.id,
        "uti": _opaque(16),
        "ver": "2.0",
        **_roles(user.app_roles.get(sign_in.application.client_id, ())),
    }
    if sign_in.application.groups_claim:
        claims |= group_claims(user)
    return claims | _optional_claims(sign_in)


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
        **_present(idp=_idp(user, origins), acrs=list(sign_in.acrs) or None),
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
    return claims | (group_claims(user) if audience.resource.groups_claim else {})


def app_access_token_claims(
    application: Application, audience: Audience, *, tenant: Tenant, origins: Origins, now: datetime, life: timedelta
) -> Claims:
    """An application's own access token: no person, no `scp`; `sub` and `oid` name the service principal."""
    principal = application.object_id(tenant.id)
    return {
        **_audience_and_issuer(audience, tenant, origins),
        **_times(now, life),
        "aio": _opaque(48),
        **_client(application, "1", v1=audience.is_v1),
        "oid": principal,
        "rh": _rh(),
        **_roles(audience.roles),
        "sub": principal,
        "tid": tenant.id,
        "uti": _opaque(16),
        "ver": "1.0" if audience.is_v1 else "2.0",
        "xms_ftd": _opaque(32),
    }


def group_claims(user: User) -> Claims:
    """The person's groups, or beyond 200 the pointer to Graph (its address is that of the retired API)."""
    if len(user.group_ids) <= GROUPS_IN_A_TOKEN:
        return {"groups": list(user.group_ids)} if user.group_ids else {}
    endpoint = f"https://graph.windows.net/{user.tenant_id}/users/{user.id}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}


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
        **_present(family_name=user.surname or None, given_name=user.given_name or None),
        "ipaddr": "127.0.0.1",
        "name": user.display_name,
        "unique_name": user.user_principal_name,
        "upn": user.user_principal_name,
    }


def _audience_and_issuer(audience: Audience, tenant: Tenant, origins: Origins) -> Claims:
    if audience.is_v1:
        return {"aud": audience.identifier, "iss": origins.issuer_v1(tenant.id)}
    return {"aud": audience.resource.client_id, "iss": origins.issuer(tenant.id)}


def _client(application: Application, acr: ClientAcr, *, v1: bool) -> Claims:
    if v1:
        return {"app_displayname": application.display_name, "appid": application.client_id, "appidacr": acr}
    return {"azp": application.client_id, "azpacr": acr}


def _roles(roles: tuple[str, ...]) -> Claims:
    return {"roles": list(roles)} if roles else {}


def _idp(user: User, origins: Origins) -> str | None:
    return origins.issuer_v1(user.home.tenant_id) if user.home else None


def _present(**claims: Any) -> Claims:
    return {name: value for name, value in claims.items() if value is not None}


def _optional_claims(sign_in: SignIn) -> Claims:
    wanted = set(sign_in.application.optional_id_claims)
    asked = sign_in.requested_claims.get("id_token")
    wanted |= set(asked) if isinstance(asked, Mapping) else set()
    if sign_in.max_age is not None:
        wanted.add("auth_time")
    if "email" in sign_in.scopes or sign_in.user.is_guest:
        wanted.add("email")
    return _present(**{name: value(sign_in) for name, value in OPTIONAL_CLAIMS.items() if name in wanted})


OPTIONAL_CLAIMS: dict[str, Callable[[SignIn], Any]] = {
    "acct": lambda s: 1 if s.user.is_guest else 0,
    "amr": lambda s: list(s.amr),
    "auth_time": lambda s: int(s.auth_time.timestamp()),
    "email": lambda s: s.user.mail,
    "family_name": lambda s: s.user.surname or None,
    "given_name": lambda s: s.user.given_name or None,
    "login_hint": lambda s: login_hint_of(s.user),
    "tenant_region_scope": lambda s: s.tenant.region,
    "upn": lambda s: s.user.user_principal_name,
    "verified_primary_email": lambda s: [s.user.mail] if s.user.mail and s.user.mail_verified else [],
    "xms_edov": lambda s: s.user.mail_verified if s.user.mail else None,
    "xms_pl": lambda _: "en-us",
}
"""Claims that come when the registration, the `claims` parameter or a scope asks for them."""


def _opaque(size: int) -> str:
    return secrets.token_urlsafe(size)


def _rh() -> str:
    return f"1.{_opaque(36)}."
