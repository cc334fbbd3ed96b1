"""`password` (ROPC): an application that asked for the password itself. Discouraged, and blind to second factors."""

import uuid

from entrada_emulator.clients.client_auth import is_public
from entrada_emulator.directory.model import Application, ClientAcr, RedirectKind, User
from entrada_emulator.errors import EntraError
from entrada_emulator.grants import request as common
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.issuing.token_answers import Answer
from entrada_emulator.signing_in.claims_request import parse_claims


def password(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for a name and a password, where a password alone may do.

    At a tenant's own path or `organizations`, for members only. Raises 9001023 elsewhere, 50034 for strangers and
    guests, 50053, 50126, 50057, 50076 or 50079 where a second factor is due, 65001 without consent.
    """
    if request.path.name in {"common", "consumers"}:
        raise EntraError(9001023)
    application = common.application_of(emulator, request)
    kind: RedirectKind = "public" if is_public(application, request.proof) else "web"
    acr = common.authenticated(emulator, request, application, kind)
    user = _proved(emulator, request)
    sign_in = _sign_in(emulator, request, application, user, acr)
    requested = common.requested_scopes(emulator, request, sign_in, of_grant=(), agreed=())
    sign_in = common.under_policies(emulator, request, sign_in, requested)
    requested.check_one_resource()
    now = emulator.state.clock.now()
    renewal = common.renewal_of(sign_in, kind=kind, scopes=tuple(request.form["scope"].split()), now=now)
    return common.answer(emulator, request, sign_in, requested, renewal)


@checking("password")
def _proved(emulator: Emulator, request: TokenRequest) -> User:
    name, given = request.required("username"), request.required("password")
    tenant = request.path.tenant
    user = emulator.world.user_by_name(name, tenant_id=tenant.id if tenant else None)
    if user is None or user.is_guest or not _is_employee(emulator, user):
        raise EntraError(50034, user=name[:256], tenant=tenant.display_name if tenant else request.path.name)
    lockouts = emulator.state.lockouts
    if lockouts.is_locked(user):
        raise EntraError(50053)
    if given != user.password:
        lockouts.wrong(user)
        raise EntraError(50126)
    lockouts.right(user)
    return user


def _is_employee(emulator: Emulator, user: User) -> bool:
    home = emulator.world.tenant(user.tenant_id)
    return home is not None and home.kind == "workforce" and not home.is_personal


def _sign_in(emulator: Emulator, request: TokenRequest, application: Application, user: User, acr: ClientAcr) -> SignIn:
    tenant = common.tenant_of(emulator, user)
    return SignIn(
        user=common.person(emulator, user.tenant_id, user.id, application),
        tenant=tenant,
        application=application,
        client_acr=acr,
        scopes=parse_scopes(emulator.world, request.required("scope"), tenant=tenant.display_name).oidc,
        sid=str(uuid.uuid4()),
        auth_time=emulator.state.clock.now(),
        amr=("pwd",),
        requested_claims=parse_claims(request.form.get("claims")),
        version=request.version,
    )
