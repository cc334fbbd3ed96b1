"""What each page of the conversation shows: from a step to a template and its words."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

import pyotp
from starlette.responses import Response

from entrada_emulator.directory.consents import Permission
from entrada_emulator.directory.model import Scope, Tenant, User
from entrada_emulator.directory.world import World
from entrada_emulator.inspector.notes import noted
from entrada_emulator.pages import Policy, qr_code, render
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest
from entrada_emulator.signing_in.conversation import Attempt, Situation, Step
from entrada_emulator.signing_in.situation import may_enter, permissions_asked, person_there, scope_behind, tenant_of
from entrada_emulator.signing_in.sso import SignedIn
from entrada_emulator.signing_in.visit import Visit

Context = dict[str, Any]
PHONE = "/emulator/phone"
PEOPLE_OFFERED = 25  # of one tenant; a directory of thousands is typed into, not scrolled through

PROVE_AGAIN = "This application asks you to prove again that it is you."
NO_SIGN_UP = "The emulator creates no accounts. Pick somebody of its directory."


def login_url(attempt: Attempt) -> str:
    """Where the conversation goes on."""
    return f"/{quote(attempt.request.client.path.name)}/login"


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to show."""

    visit: Visit
    attempt: Attempt
    situation: Situation

    @property
    def world(self) -> World:
        """The directory."""
        return self.visit.emulator.world


def show(scene: Scene, *, step: Step) -> Response:
    """The page of a step."""
    attempt, request = scene.attempt, scene.attempt.request
    context: Context = {
        "attempt": attempt.id,
        "step": step.value,
        "action": login_url(attempt),
        "app": request.client.application.display_name,
        "directory": _directory(scene),
        "problem": attempt.problem,
        "account": attempt.user,
        "remark": None,
    }
    policy = Policy(leads_to=_destination(request), scripts=step is Step.PUSH)
    noted(page=step.value, problem=attempt.problem.text if attempt.problem else "", **_named(attempt))
    details = DETAILS.get(step)
    more = details(scene) if details else {}
    return render(f"{step.value}.html", policy=policy, **(context | more))


def _named(attempt: Attempt) -> dict[str, str]:
    return {"person": attempt.user.user_principal_name} if attempt.user else {}


def _destination(request: AuthorizationRequest) -> tuple[str, ...]:
    """Where the forms may end; a sign-in for a device leads nowhere."""
    return (request.client.redirect_uri,) if request.client.redirect_uri else ()


def _accounts(scene: Scene) -> Context:
    return {"accounts": [picked(account) for account in scene.situation.accounts]}


def picked(account: SignedIn) -> Context:
    """An account as a picker shows it; its key is good at this browser only."""
    return {
        "key": account.sid,
        "display_name": account.user.display_name,
        "user_principal_name": account.user.user_principal_name,
    }


def _username(scene: Scene) -> Context:
    tenants = _tenants(scene)
    groups = [{"directory": tenant.display_name, "people": _people(scene, tenant)} for tenant in tenants]
    return {
        "username": scene.attempt.username,
        "domain": tenants[0].default_domain if tenants else "birch.example",
        "people": [group for group in groups if group["people"]],
        "remark": NO_SIGN_UP if "create" in scene.attempt.request.prompts else None,
    }


def _tenants(scene: Scene) -> list[Tenant]:
    """The tenants whose people are worth offering, the path's own first."""
    request, world = scene.attempt.request, scene.world
    hinted = world.tenant(request.domain_hint) if request.domain_hint else None
    if hinted:
        return [hinted]
    own = request.client.path.tenant or world.tenant(request.client.application.tenant_id)
    return sorted(world.tenants, key=lambda tenant: tenant is not own)


def _people(scene: Scene, tenant: Tenant) -> list[User]:
    """Who of a tenant can sign in here: everybody on a shared path, else members and guests of the path's tenant."""
    world, path = scene.world, scene.attempt.request.client.path
    people = [user for user in world.users_of(tenant.id) if not user.is_guest]
    people = [user for user in people if may_enter(world, scene.attempt.request, user)]
    welcome = (user for user in people if path.tenant is None or world.in_tenant(user, path.tenant.id))
    return list(islice(welcome, PEOPLE_OFFERED))


def _password(scene: Scene) -> Context:
    known = any(account.user == scene.attempt.user for account in scene.situation.accounts)
    return {"remark": PROVE_AGAIN if known else None}


def _code(scene: Scene) -> Context:
    return {"phone": PHONE, "other_method": _has(scene.attempt, "push")}


def _enrol(scene: Scene) -> Context:
    secret, name = (
        scene.attempt.offered_secret or "",
        scene.attempt.user.user_principal_name if scene.attempt.user else "",
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Entrada emulator")
    return {"secret": secret, "qr": qr_code(uri), "phone": PHONE}


def _push(scene: Scene) -> Context:
    push = scene.visit.emulator.state.pushes.find(scene.attempt.push_id or "")
    return {
        "number": push.number if push and push.answer == "waiting" else None,
        "wait_url": f"{login_url(scene.attempt)}/phone?attempt={scene.attempt.id}",
        "phone": PHONE,
        "other_method": _has(scene.attempt, "totp"),
    }


def _consent(scene: Scene) -> Context:
    person = person_there(scene.world, scene.attempt.request, scene.attempt.user) if scene.attempt.user else None
    return {
        "permissions": _described(scene, permissions_asked(scene.visit.emulator, scene.attempt)),
        "for_organisation": scene.attempt.request.for_organisation,
        "may_grant_for_all": bool(person and person.is_admin),
    }


def _need_admin(scene: Scene) -> Context:
    return {"permissions": _described(scene, scene.situation.needs_admin), "code": 90094}


def _device(scene: Scene) -> Context:
    return {"user_code": scene.attempt.request.user_code}


def _described(scene: Scene, permissions: tuple[Permission, ...]) -> list[Scope]:
    return [scope_behind(scene.world, permission) for permission in permissions]


def _directory(scene: Scene) -> str | None:
    if scene.attempt.user:
        return tenant_of(scene.world, scene.attempt.request, scene.attempt.user).display_name
    tenant = scene.attempt.request.client.path.tenant
    return tenant.display_name if tenant else None


def _has(attempt: Attempt, method: str) -> bool:
    return attempt.user is not None and method in attempt.user.mfa_methods


DETAILS: dict[Step, Callable[[Scene], Context]] = {
    Step.ACCOUNTS: _accounts,
    Step.USERNAME: _username,
    Step.PASSWORD: _password,
    Step.CODE: _code,
    Step.ENROL: _enrol,
    Step.PUSH: _push,
    Step.BLOCKED: lambda _: {"code": 53003},
    Step.CONSENT: _consent,
    Step.DEVICE: _device,
    Step.NEED_ADMIN: _need_admin,
}
