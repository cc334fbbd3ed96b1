"""What the directory and a browser's session say about an attempt: the other half of what `next_step` looks at."""

from collections.abc import Iterable

from entrada_emulator.directory.consents import Permission
from entrada_emulator.directory.model import MfaMethod, Policy, Scope, Tenant, User
from entrada_emulator.directory.world import World, home_of
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, skipped
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.scopes import missing_permissions
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest
from entrada_emulator.signing_in.claims_request import required_acrs
from entrada_emulator.signing_in.conditional_access import Verdict, applying, judge, wants_mfa_by_request
from entrada_emulator.signing_in.conversation import Attempt, Situation
from entrada_emulator.signing_in.visit import Visit


def situation_of(visit: Visit, attempt: Attempt) -> Situation:
    """The situation at this moment."""
    if attempt.user is None:
        return Situation(accounts=visit.accounts)
    verdict = _verdict(visit.emulator, attempt, attempt.user)
    missing = permissions_asked(visit.emulator, attempt)
    return Situation(
        accounts=visit.accounts,
        blocked=verdict.blocks is not None,
        stale=verdict.wants_freshness is not None,
        method=second_factor(visit.emulator, attempt, verdict),
        enrolled=visit.emulator.state.totp.secret_of(attempt.user) is not None,
        missing=missing,
        needs_admin=() if _is_admin(visit.emulator.world, attempt) else _for_admins(visit.emulator, attempt, missing),
    )


def policies_for(emulator: Emulator, request: AuthorizationRequest, person: User) -> tuple[Policy, ...]:
    """The Conditional Access policies that a request of this person falls under."""
    return applying(
        emulator.policies,
        person=person,
        application=request.client.application,
        resources=[api.resource.client_id for api in request.scopes.apis],
        contexts=required_acrs(request.claims),
    )


def _verdict(emulator: Emulator, attempt: Attempt, user: User) -> Verdict:
    person = person_there(emulator.world, attempt.request, user)
    policies = policies_for(emulator, attempt.request, person)
    now = emulator.state.clock.now()
    return judge(policies, person=person, amr=attempt.amr, auth_time=attempt.auth_time, now=now)


def tenant_of(world: World, request: AuthorizationRequest, user: User) -> Tenant:
    """The tenant of the tokens: the path's, or the person's own on `common` and `organizations`."""
    tenant = request.client.path.tenant or world.tenant(home_of(user)[0])
    if tenant is None:
        raise EntraError(90002, tenant=home_of(user)[0])
    return tenant


def person_there(world: World, request: AuthorizationRequest, user: User) -> User:
    """Who the person is in the tenant of the tokens: a member, or a guest under another object id. Raises 50020."""
    tenant = tenant_of(world, request, user)
    person = world.in_tenant(user, tenant.id) if may_enter(world, request, user) else None
    if person is None:
        home = world.tenant(home_of(user)[0])
        raise EntraError(
            50020,
            user=user.user_principal_name,
            idp=home.display_name if home else "",
            tenant=tenant.display_name,
            client_id=request.client.application.client_id,
        )
    return person


def may_enter(world: World, request: AuthorizationRequest, user: User) -> bool:
    """Whether people of this kind are let in: personal accounts where the application and the path take them."""
    tenant = world.tenant(user.tenant_id)
    if tenant is None or tenant.kind == "b2c":
        return False
    if tenant.kind == "external":
        return request.client.path.tenant == tenant
    if not tenant.is_personal:
        return True
    return request.client.application.personal_accounts and request.client.path.name != "organizations"


@checking("assignment")
def check_assignment(world: World, request: AuthorizationRequest, user: User) -> None:
    """Raises 50105 when the application takes assigned people only and this one is not."""
    application = request.client.application
    person = person_there(world, request, user)
    if not application.assignment_required:
        skipped("assignment", "The application lets everybody in whom the tenant knows.")
    elif not person.app_roles.get(application.client_id):
        raise EntraError(50105, application=application.display_name, client_id=application.client_id)


def second_factor(emulator: Emulator, attempt: Attempt, verdict: Verdict) -> MfaMethod | None:
    """The second factor the person has to give here, if any.

    Asked for at home, as a guest, by a policy, or by the request: a challenge, or a context that no policy defines.
    """
    user = attempt.user
    by_request = wants_mfa_by_request(attempt.request.claims, emulator.policies)
    if user is None or not (user.mfa_required or verdict.wants_mfa or by_request):
        return None
    methods = user.mfa_methods or ("totp",)
    return attempt.method if attempt.method in methods else methods[0]


def permissions_asked(emulator: Emulator, attempt: Attempt) -> tuple[Permission, ...]:
    """The permissions to agree to, APIs first: those still missing, or all where the request asks for it anew."""
    request, user = attempt.request, attempt.user
    if user is None:
        return ()
    application = request.client.application
    asked: Iterable[Permission] = request.scopes.permissions(application)
    if not request.for_organisation and "consent" not in request.prompts:
        person = person_there(emulator.world, request, user)
        asked = missing_permissions(
            emulator.world, emulator.state.consents, application, user=person, requested=request.scopes
        )
    oidc = set(request.scopes.oidc)
    return tuple(sorted(asked, key=lambda permission: (permission.value in oidc, permission)))


def scope_behind(world: World, permission: Permission) -> Scope:
    """The scope as its API describes it."""
    resource = world.application(permission.resource)
    offered = resource.scopes if resource else ()
    return next((s for s in offered if s.value == permission.value), Scope(permission.value, permission.value))


def _is_admin(world: World, attempt: Attempt) -> bool:
    return attempt.user is not None and person_there(world, attempt.request, attempt.user).is_admin


def _for_admins(emulator: Emulator, attempt: Attempt, permissions: tuple[Permission, ...]) -> tuple[Permission, ...]:
    if attempt.request.for_organisation:
        return permissions
    return tuple(p for p in permissions if scope_behind(emulator.world, p).admin_only)
