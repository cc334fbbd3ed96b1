"""Claims that come when the registration, the `claims` parameter or a scope asks for them, and the groups claim."""

from collections.abc import Callable, Mapping
from typing import Any

from entrada_emulator.directory.model import Application, User
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.signing_in.claims_request import client_capabilities
from entrada_emulator.signing_in.login_hint import login_hint_of

GROUPS_IN_A_TOKEN = 200
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"  # role template ids, the same in every directory
EVERYBODY = "b79fbf4d-3ef9-4689-8143-76b194e85509"  # which `wids` names for whoever has no role
LOOPBACK = "127.0.0.1"  # where everybody who talks to the emulator sits

Claims = dict[str, Any]
Claim = Callable[[SignIn], Any]


def id_token_options(sign_in: SignIn) -> Claims:
    """The optional claims of an ID token."""
    wanted = _wanted(sign_in, sign_in.application.optional_id_claims, "id_token")
    if sign_in.max_age is not None:
        wanted.add("auth_time")
    if "email" in sign_in.scopes or sign_in.user.is_guest:
        wanted.add("email")
    return _chosen(sign_in, wanted, OF_BOTH | OF_ID_TOKENS)


def access_token_options(sign_in: SignIn, resource: Application) -> Claims:
    """The optional claims of an access token for a person: what the resource's registration and the request name."""
    wanted = _wanted(sign_in, resource.optional_access_claims, "access_token")
    claims = _chosen(sign_in, wanted, OF_BOTH)
    capabilities = client_capabilities(sign_in.requested_claims)
    if "xms_cc" in resource.optional_access_claims and capabilities:
        claims["xms_cc"] = list(capabilities)
    if "idtyp:include_user_token" in resource.optional_access_claims:
        claims["idtyp"] = "user"
    return claims


def application_token_options(resource: Application) -> Claims:
    """The optional claims of an application's own token: `idtyp` alone has a meaning there."""
    names = {name.partition(":")[0] for name in resource.optional_access_claims}
    return {"idtyp": "app"} if "idtyp" in names else {}


def group_claims(user: User) -> Claims:
    """The person's groups, or beyond 200 the pointer to Graph (its address is that of the retired API)."""
    if len(user.group_ids) <= GROUPS_IN_A_TOKEN:
        return {"groups": list(user.group_ids)} if user.group_ids else {}
    endpoint = f"https://graph.windows.net/{user.tenant_id}/users/{user.id}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}


def present(**claims: Any) -> Claims:
    """The claims that have a value."""
    return {name: value for name, value in claims.items() if value is not None}


def _wanted(sign_in: SignIn, registered: tuple[str, ...], token: str) -> set[str]:
    asked = sign_in.requested_claims.get(token)
    return set(registered) | (set(asked) if isinstance(asked, Mapping) else set())


def _chosen(sign_in: SignIn, wanted: set[str], offered: dict[str, Claim]) -> Claims:
    claims = {name: value(sign_in) for name, value in offered.items() if name in wanted}
    if "groups" in wanted:
        claims |= group_claims(sign_in.user)
    return present(**claims)


OF_BOTH: dict[str, Claim] = {
    "acct": lambda s: 1 if s.user.is_guest else 0,
    "auth_time": lambda s: int(s.auth_time.timestamp()),
    "ctry": lambda s: s.user.country,
    "email": lambda s: s.user.mail,
    "family_name": lambda s: s.user.surname or None,
    "given_name": lambda s: s.user.given_name or None,
    "ipaddr": lambda _: LOOPBACK,
    "login_hint": lambda s: login_hint_of(s.user),
    "preferred_username": lambda s: s.user.user_principal_name,
    "sid": lambda s: s.sid,
    "tenant_ctry": lambda s: s.tenant.country,
    "tenant_region_scope": lambda s: s.tenant.region,
    "upn": lambda s: s.user.user_principal_name,
    "verified_primary_email": lambda s: [s.user.mail] if s.user.mail and s.user.mail_verified else [],
    "verified_secondary_email": lambda _: [],
    "wids": lambda s: [*((GLOBAL_ADMINISTRATOR,) if s.user.is_admin else ()), EVERYBODY],
    "xms_edov": lambda s: s.user.mail_verified if s.user.mail else None,
    "xms_pl": lambda _: "en-us",
    "xms_tpl": lambda _: "en",
}
OF_ID_TOKENS: dict[str, Claim] = {"amr": lambda s: list(s.amr)}
