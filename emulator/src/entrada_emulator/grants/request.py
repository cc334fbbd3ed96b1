"""A token request, and the checks that several grants share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from entrada_emulator.clients.checks import TenantPath, application_at
from entrada_emulator.clients.client_auth import Presented, authenticate, check_presented_proof
from entrada_emulator.directory.model import Application, ClientAcr, RedirectKind, Tenant, User
from entrada_emulator.directory.world import home_of
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, noted, skipped
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.refresh import RefreshGrant
from entrada_emulator.issuing.scopes import RequestedScopes, missing_permissions, parse_scopes
from entrada_emulator.issuing.sign_in import EndpointVersion, SignIn
from entrada_emulator.issuing.token_answers import Answer, user_answer
from entrada_emulator.signing_in.claims_request import parse_claims, required_acrs
from entrada_emulator.signing_in.conditional_access import applying, check, judge, satisfied_contexts


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request, read but not yet judged."""

    path: TenantPath
    form: Mapping[str, str] = field(repr=False)
    proof: Presented
    origin: str | None
    """The Origin header: present only when a browser's script asks."""
    version: EndpointVersion = 2

    def required(self, parameter: str) -> str:
        """The parameter's value; raises 900144 if it is absent or empty."""
        value = self.form.get(parameter, "")
        if not value:
            raise EntraError(900144, parameter=parameter)
        return value


def application_of(emulator: Emulator, request: TokenRequest) -> Application:
    """The application that asks; a proof that it brought is judged first."""
    application = application_at(emulator.world, request.proof.client_id, request.path)
    check_presented_proof(emulator, application, request.proof, path=request.path)
    return application


def authenticated(emulator: Emulator, request: TokenRequest, application: Application, kind: RedirectKind) -> ClientAcr:
    """Judges origin and proof by the kind of redirect URI that the grant began with. Raises 9002326, 9002327."""
    with checking("cross_origin"):
        if kind == "spa" and request.origin is None:
            raise EntraError(9002327)
        if kind != "spa" and request.origin is not None:
            raise EntraError(9002326, origin=request.origin)
    return authenticate(emulator, application, request.proof, path=request.path, kind=kind)


@checking("person")
def person(emulator: Emulator, tenant_id: str, user_id: str, application: Application) -> User:
    """The person, if they may use the application. Raises 50034, 50057, 50105."""
    user = emulator.world.user(tenant_id, user_id)
    if user is None:
        raise EntraError(50034, user=user_id, tenant=tenant_id)
    if not user.account_enabled:
        raise EntraError(50057)
    if application.assignment_required and not user.app_roles.get(application.client_id):
        raise EntraError(50105, application=application.display_name, client_id=application.client_id)
    return user


def tenant_of(emulator: Emulator, user: User) -> Tenant:
    """The person's tenant."""
    tenant = emulator.world.tenant(user.tenant_id)
    if tenant is None:
        raise EntraError(90002, tenant=user.tenant_id)
    return tenant


def in_tenant_of_path(emulator: Emulator, user: User, path: TenantPath, application: Application) -> User:
    """A refresh token is good in every tenant that knows the person. Raises 50020 for the others."""
    if path.tenant is None:
        return user
    there = emulator.world.in_tenant(user, path.tenant.id)
    if there is None:
        home = emulator.world.tenant(home_of(user)[0])
        raise EntraError(
            50020,
            user=user.user_principal_name,
            idp=home.display_name if home else user.tenant_id,
            tenant=path.tenant.display_name,
            client_id=application.client_id,
        )
    return there


@checking("not_revoked")
def check_not_revoked(emulator: Emulator, user: User, *, since: datetime) -> None:
    """Raises 50173 for what was issued before the person's sessions were revoked."""
    valid_from = emulator.state.tokens_valid_from(user)
    if valid_from is not None and since <= valid_from:
        raise EntraError(50173, issued=since.isoformat(), valid_from=valid_from.isoformat())


def requested_scopes(
    emulator: Emulator, request: TokenRequest, sign_in: SignIn, *, of_grant: tuple[str, ...], agreed: tuple[str, ...]
) -> RequestedScopes:
    """What this request asks for: its scope parameter or else the grant's own.

    Consent must cover it; `agreed` was consented to on the way to this very grant. Raises 65001.
    """
    world = emulator.world
    with checking("scopes"):
        requested = parse_scopes(world, request.form.get("scope") or of_grant, tenant=sign_in.tenant.display_name)
    _check_consent(emulator, sign_in, requested, agreed)
    return requested


@checking("consent")
def _check_consent(emulator: Emulator, sign_in: SignIn, requested: RequestedScopes, agreed: tuple[str, ...]) -> None:
    world, application = emulator.world, sign_in.application
    missing = missing_permissions(
        world, emulator.state.consents, application, user=sign_in.user, requested=requested
    ) - parse_scopes(world, agreed).permissions(application)
    if missing:
        raise EntraError(65001, client_id=application.client_id, application=application.display_name)


@checking("policies")
def under_policies(
    emulator: Emulator, request: TokenRequest, sign_in: SignIn, requested: RequestedScopes, *, error: str | None = None
) -> SignIn:
    """The sign-in with the authentication contexts that it fulfils, if the policies let it have these tokens now.

    Raises 53003, 70043, 50079, and 50076 with the challenge for a second factor or a context that is not fulfilled.
    """
    policies = applying(
        emulator.policies,
        person=sign_in.user,
        application=sign_in.application,
        resources=[requested.first.resource.client_id],
        contexts=required_acrs(parse_claims(request.form.get("claims"))),
    )
    if not policies:
        skipped("policies", "None applies to this person and application.")
    now = emulator.state.clock.now()
    verdict = judge(policies, person=sign_in.user, amr=sign_in.amr, auth_time=sign_in.auth_time, now=now)
    check(verdict, sign_in, enrolled=_is_enrolled(emulator, sign_in.user), error=error)
    return in_context(emulator, request, sign_in, error=error)


def _is_enrolled(emulator: Emulator, person: User) -> bool:
    """Whether there is a second factor to ask for; a guest's is the one they have at home."""
    at_home = emulator.world.user(*home_of(person)) or person
    return "push" in at_home.mfa_methods or emulator.state.totp.secret_of(at_home) is not None


@checking("contexts")
def in_context(emulator: Emulator, request: TokenRequest, sign_in: SignIn, *, error: str | None = None) -> SignIn:
    """The sign-in with the contexts that the request asks for and it fulfils; raises 50076 for one that it does not."""
    contexts, now = required_acrs(parse_claims(request.form.get("claims"))), emulator.state.clock.now()
    if not contexts:
        skipped("contexts", "The request asks for no authentication context.")
    fulfilled = satisfied_contexts(
        emulator.policies,
        contexts,
        person=sign_in.user,
        amr=sign_in.amr,
        auth_time=sign_in.auth_time,
        now=now,
        asked_the_person=False,
    )
    if contexts - {*fulfilled, *sign_in.acrs}:
        raise EntraError(50076, error=error, claims=request.form["claims"], resource=sign_in.application.client_id)
    return replace(sign_in, acrs=tuple(sorted({*fulfilled, *sign_in.acrs})))


def renewal_of(sign_in: SignIn, *, kind: RedirectKind, scopes: tuple[str, ...], now: datetime) -> RefreshGrant | None:
    """What a first refresh token stands for; None where `offline_access` was not granted."""
    if "offline_access" not in sign_in.scopes:
        return None
    return RefreshGrant(
        client_id=sign_in.application.client_id,
        redirect_kind=kind,
        tenant_id=sign_in.user.tenant_id,
        user_id=sign_in.user.id,
        scopes=scopes,
        sid=sign_in.sid,
        auth_time=sign_in.auth_time,
        amr=sign_in.amr,
        acrs=sign_in.acrs,
        first_issued_at=now,
    )


def answer(
    emulator: Emulator,
    request: TokenRequest,
    sign_in: SignIn,
    requested: RequestedScopes,
    renewal: RefreshGrant | None,
) -> Answer:
    """The tokens, with `client_info` where it was asked for."""
    noted(person=sign_in.user.user_principal_name)
    wants_client_info = request.form.get("client_info") == "1"
    return user_answer(emulator, sign_in, requested=requested, wants_client_info=wants_client_info, renewal=renewal)
