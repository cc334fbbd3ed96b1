"""The grants of the token endpoint: authorization code, refresh token, client credentials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from entrada_emulator.checks import TenantPath, application_at, check_verifier
from entrada_emulator.claims_request import parse_claims, required_acrs
from entrada_emulator.client_auth import ClientAcr, Presented, authenticate, check_presented_secret
from entrada_emulator.codes import CodeGrant
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import Emulator
from entrada_emulator.model import Application, RedirectKind, Tenant, User
from entrada_emulator.refresh import RefreshGrant
from entrada_emulator.scopes import (
    RequestedScopes,
    missing_permissions,
    parse_client_credentials_scope,
    parse_scopes,
)
from entrada_emulator.token_answers import Answer, application_answer, user_answer
from entrada_emulator.tokens import SignIn


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request, read but not yet judged."""

    path: TenantPath
    form: Mapping[str, str] = field(repr=False)
    proof: Presented
    origin: str | None
    """The Origin header: present only when a browser's script asks."""

    def required(self, parameter: str) -> str:
        """The parameter's value; raises 900144 if it is absent or empty."""
        value = self.form.get(parameter, "")
        if not value:
            raise EntraError(900144, parameter=parameter)
        return value


def redeem_code(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for an authorization code. The code is spent only when everything else was right."""
    application = _application(emulator, request)
    code, redirect_uri = request.required("code"), request.required("redirect_uri")
    grant = emulator.state.codes.read(code)
    _check_code_binding(grant, request, application, redirect_uri)
    acr = _authenticated(emulator, request, application, grant.redirect_kind)
    if grant.redirect_kind == "spa" and grant.code_challenge is None:
        raise EntraError(9002325)
    verifier = request.form.get("code_verifier")
    check_verifier(grant.code_challenge, grant.code_challenge_method, code_verifier=verifier)
    sign_in = _sign_in_of_code(emulator, request, application, grant, acr)
    requested = _requested(emulator, request, sign_in, of_grant=grant.scopes, agreed=grant.scopes)
    if request.form.get("scope"):
        requested.check_one_resource()
    emulator.state.codes.spend(code)
    keeps = "offline_access" in sign_in.scopes
    renewal = _renewal(sign_in, grant, now=emulator.state.clock.now()) if keeps else None
    return _answer(emulator, request, sign_in, requested, renewal)


def refresh(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for a refresh token, with a new refresh token beside them."""
    application = _application(emulator, request)
    token = request.required("refresh_token")
    grant = emulator.state.refresh_tokens.read(token)
    if grant.client_id != application.client_id:
        raise EntraError(70000)
    acr = _authenticated(emulator, request, application, grant.redirect_kind)
    sign_in = _sign_in_of_refresh(emulator, request, application, grant, acr)
    _check_second_factor(sign_in)
    requested = _requested(emulator, request, sign_in, of_grant=grant.scopes, agreed=())
    emulator.state.refresh_tokens.mark_used(token)
    return _answer(emulator, request, sign_in, requested, grant)


def client_credentials(emulator: Emulator, request: TokenRequest) -> Answer:
    """A token for the application itself, which must prove itself and name one resource."""
    if request.path.tenant is None:
        raise EntraError(9001023)
    application = _application(emulator, request)
    _authenticated(emulator, request, application, "web")
    tenant = request.path.tenant
    api = parse_client_credentials_scope(emulator.world, request.required("scope"))
    if not emulator.world.available_in(api.resource, tenant.id):
        raise EntraError(500011, resource=api.identifier, tenant=tenant.display_name)
    if api.resource.assignment_required and not application.granted_app_roles.get(api.resource.client_id):
        raise EntraError(501051, client_id=application.client_id, application=application.display_name)
    return application_answer(emulator, application, tenant=tenant, api=api)


GRANTS: dict[str, Callable[[Emulator, TokenRequest], Answer]] = {
    "authorization_code": redeem_code,
    "refresh_token": refresh,
    "client_credentials": client_credentials,
}


def _application(emulator: Emulator, request: TokenRequest) -> Application:
    application = application_at(emulator.world, request.proof.client_id, request.path)
    state = emulator.state
    check_presented_secret(application, request.proof, now=state.clock.now(), started_at=state.started_at)
    return application


def _authenticated(
    emulator: Emulator, request: TokenRequest, application: Application, kind: RedirectKind
) -> ClientAcr:
    if kind == "spa" and request.origin is None:
        raise EntraError(9002327)
    if kind != "spa" and request.origin is not None:
        raise EntraError(9002326, origin=request.origin)
    state = emulator.state
    return authenticate(application, request.proof, kind=kind, now=state.clock.now(), started_at=state.started_at)


def _check_code_binding(grant: CodeGrant, request: TokenRequest, application: Application, redirect_uri: str) -> None:
    if grant.client_id != application.client_id:
        raise EntraError(70000)
    if grant.redirect_uri != redirect_uri:
        raise EntraError(500112, redirect_uri=redirect_uri)
    if grant.path_tenant != request.path.name:
        raise EntraError(700005)


def _sign_in_of_code(
    emulator: Emulator, request: TokenRequest, application: Application, grant: CodeGrant, acr: ClientAcr
) -> SignIn:
    user = _person(emulator, grant.tenant_id, grant.user_id, application)
    _check_not_revoked(emulator, user, since=grant.auth_time)
    return SignIn(
        user=user,
        tenant=_tenant_of(emulator, user),
        application=application,
        client_acr=acr,
        scopes=parse_scopes(emulator.world, grant.scopes).oidc,
        sid=grant.sid,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acrs=grant.acrs,
        nonce=grant.nonce,
        max_age=grant.max_age,
        requested_claims={**grant.claims, **parse_claims(request.form.get("claims"))},
    )


def _sign_in_of_refresh(
    emulator: Emulator, request: TokenRequest, application: Application, grant: RefreshGrant, acr: ClientAcr
) -> SignIn:
    at_first = _person(emulator, grant.tenant_id, grant.user_id, application)
    _check_not_revoked(emulator, at_first, since=grant.first_issued_at)
    user = _in_tenant_of_path(emulator, at_first, request.path)
    return SignIn(
        user=_person(emulator, user.tenant_id, user.id, application),
        tenant=_tenant_of(emulator, user),
        application=application,
        client_acr=acr,
        scopes=parse_scopes(emulator.world, grant.scopes).oidc,
        sid=grant.sid,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acrs=grant.acrs,
        requested_claims=parse_claims(request.form.get("claims")),
    )


def _person(emulator: Emulator, tenant_id: str, user_id: str, application: Application) -> User:
    user = emulator.world.user(tenant_id, user_id)
    if user is None:
        raise EntraError(50034, user=user_id, tenant=tenant_id)
    if not user.account_enabled:
        raise EntraError(50057)
    if application.assignment_required and not user.app_roles.get(application.client_id):
        raise EntraError(50105, application=application.display_name, client_id=application.client_id)
    return user


def _tenant_of(emulator: Emulator, user: User) -> Tenant:
    tenant = emulator.world.tenant(user.tenant_id)
    if tenant is None:
        raise EntraError(90002, tenant=user.tenant_id)
    return tenant


def _in_tenant_of_path(emulator: Emulator, user: User, path: TenantPath) -> User:
    """A refresh token is good in every tenant that knows the person."""
    if path.tenant is None:
        return user
    there = emulator.world.in_tenant(user, path.tenant.id)
    if there is None:
        raise EntraError(50020, user=user.user_principal_name, tenant=path.tenant.display_name)
    return there


def _check_not_revoked(emulator: Emulator, user: User, *, since: datetime) -> None:
    valid_from = emulator.state.tokens_valid_from(user)
    if valid_from is not None and since <= valid_from:
        raise EntraError(50173, issued=since.isoformat(), valid_from=valid_from.isoformat())


def _check_second_factor(sign_in: SignIn) -> None:
    if sign_in.user.mfa_required and "mfa" not in sign_in.amr:
        raise EntraError(50076)


def _requested(
    emulator: Emulator, request: TokenRequest, sign_in: SignIn, *, of_grant: tuple[str, ...], agreed: tuple[str, ...]
) -> RequestedScopes:
    """What this request asks for: its scope parameter or else the grant's own.

    Consent must cover it; `agreed` was consented to on the way to this very grant. Raises 65001, 50076.
    """
    world, application = emulator.world, sign_in.application
    requested = parse_scopes(world, request.form.get("scope") or of_grant)
    missing = missing_permissions(
        world, emulator.state.consents, application, user=sign_in.user, requested=requested
    ) - parse_scopes(world, agreed).permissions(application)
    if missing:
        raise EntraError(65001, client_id=application.client_id, application=application.display_name)
    _check_contexts(sign_in, request.form.get("claims"))
    return requested


def _check_contexts(sign_in: SignIn, claims: str | None) -> None:
    """Raises 50076 with the challenge if it names an authentication context that the sign-in does not satisfy."""
    if required_acrs(parse_claims(claims)) - set(sign_in.acrs):
        raise EntraError(50076, claims=claims)


def _renewal(sign_in: SignIn, grant: CodeGrant, *, now: datetime) -> RefreshGrant:
    return RefreshGrant(
        client_id=grant.client_id,
        redirect_kind=grant.redirect_kind,
        tenant_id=sign_in.user.tenant_id,
        user_id=sign_in.user.id,
        scopes=grant.scopes,
        sid=grant.sid,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acrs=grant.acrs,
        first_issued_at=now,
    )


def _answer(
    emulator: Emulator,
    request: TokenRequest,
    sign_in: SignIn,
    requested: RequestedScopes,
    renewal: RefreshGrant | None,
) -> Answer:
    wants_client_info = request.form.get("client_info") == "1"
    return user_answer(emulator, sign_in, requested=requested, wants_client_info=wants_client_info, renewal=renewal)
