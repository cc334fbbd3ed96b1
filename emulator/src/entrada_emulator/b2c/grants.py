"""The grants of a policy's token endpoint: code, refresh token, and the password where the policy is for that."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from entrada_emulator.b2c.errors import B2CError
from entrada_emulator.b2c.policy import PolicyPath
from entrada_emulator.b2c.request import api_scopes, application_of
from entrada_emulator.b2c.tokens import CustomerSignIn, token_answer
from entrada_emulator.clients.checks import check_verifier
from entrada_emulator.clients.client_auth import BY_SECRET, PUBLIC, Presented
from entrada_emulator.directory.model import Application, RedirectKind, User
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, noted, passed
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.issuing.refresh import RefreshGrant

GRANT_PROBLEMS = {70000: 90129, 54005: 90080, 70008: 90080, 700082: 90080, 700084: 90080, 501481: 90183}
"""What the shared stores say, in B2C's words."""


@dataclass(frozen=True, slots=True)
class PolicyTokenRequest:
    """A token request at a policy, not yet judged."""

    path: PolicyPath
    form: Mapping[str, str] = field(repr=False)
    proof: Presented

    def required(self, parameter: str) -> str:
        """The parameter's value; raises 90083 if it is absent or empty."""
        value = self.form.get(parameter, "")
        if not value:
            raise B2CError(90083, parameter=parameter)
        return value


def granted(emulator: Emulator, request: PolicyTokenRequest) -> dict[str, Any]:
    """The answer to any grant. Raises `B2CError`."""
    grant_type = request.required("grant_type")
    handler = GRANTS.get(grant_type)
    if handler is None:
        raise B2CError(90086, grant_type=grant_type[:64])
    try:
        return handler(emulator, request)
    except EntraError as refused:
        raise B2CError(GRANT_PROBLEMS.get(refused.code, 90085)) from None


def redeem_code(emulator: Emulator, request: PolicyTokenRequest) -> dict[str, Any]:
    """Tokens for a code that this very policy issued; it is spent only when everything else was right."""
    application = application_of(emulator.world, request.path, request.proof.client_id)
    code, redirect_uri = request.required("code"), request.required("redirect_uri")
    grant = emulator.state.codes.read(code)
    _check_place(request.path, grant.path_tenant)
    with checking("code_client"):
        if grant.client_id != application.client_id:
            raise B2CError(90129)
    with checking("code_redirect_uri"):
        if grant.redirect_uri != redirect_uri:
            raise B2CError(90129)
    _check_proof(emulator, application, request.proof, grant.redirect_kind)
    _check_pkce(grant, request.form.get("code_verifier"))
    customer = _customer(emulator, request.path, grant.user_id, since=grant.auth_time)
    scope = tuple(request.form.get("scope", "").split()) or grant.scopes
    sign_in = CustomerSignIn(
        path=request.path,
        application=application,
        customer=customer,
        scope=scope,
        auth_time=grant.auth_time,
        nonce=grant.nonce,
        new_user=grant.new_user,
        api=api_scopes(emulator.world, request.path, application, scope),
    )
    emulator.state.codes.spend(code)
    renewal = _renewal(emulator, request, sign_in, kind=grant.redirect_kind, sid=grant.sid, scope=grant.scopes)
    return _answer(emulator, request, sign_in, renewal)


def refresh(emulator: Emulator, request: PolicyTokenRequest) -> dict[str, Any]:
    """New tokens for a refresh token that this very policy issued."""
    application = application_of(emulator.world, request.path, request.proof.client_id)
    token = request.required("refresh_token")
    grant = emulator.state.refresh_tokens.read(token)
    _check_place(request.path, grant.policy)
    with checking("refresh_client"):
        if grant.client_id != application.client_id:
            raise B2CError(90129)
    _check_proof(emulator, application, request.proof, grant.redirect_kind)
    customer = _customer(emulator, request.path, grant.user_id, since=grant.first_issued_at)
    scope = tuple(request.form.get("scope", "").split()) or grant.scopes
    sign_in = CustomerSignIn(
        path=request.path,
        application=application,
        customer=customer,
        scope=scope,
        auth_time=grant.auth_time,
        api=api_scopes(emulator.world, request.path, application, scope),
    )
    emulator.state.refresh_tokens.mark_used(token)
    return _answer(emulator, request, sign_in, grant)


def password(emulator: Emulator, request: PolicyTokenRequest) -> dict[str, Any]:
    """Tokens for an address and a password, at a policy made for that. The secret is not asked for. 90224, 90225."""
    if request.path.flow.kind != "ropc":
        raise B2CError(90224)
    application = application_of(emulator.world, request.path, request.proof.client_id)
    name, given = request.required("username"), request.required("password")
    customers, lockouts = emulator.state.customers, emulator.state.lockouts
    customer = customers.by_email(emulator.world, request.path.tenant.id, name)
    with checking("password"):
        usable = customer is not None and customer.account_enabled and not lockouts.is_locked(customer)
        if customer is None or not usable or given != customer.password:
            if customer:
                lockouts.wrong(customer)
            raise B2CError(90225)
    scope = tuple(request.required("scope").split())
    sign_in = CustomerSignIn(
        path=request.path,
        application=application,
        customer=customer,
        scope=scope,
        auth_time=emulator.state.clock.now(),
        api=api_scopes(emulator.world, request.path, application, scope),
    )
    renewal = _renewal(emulator, request, sign_in, kind="public", sid="", scope=scope)
    return _answer(emulator, request, sign_in, renewal)


GRANTS: dict[str, Callable[[Emulator, PolicyTokenRequest], dict[str, Any]]] = {
    "authorization_code": redeem_code,
    "refresh_token": refresh,
    "password": password,
}


@checking("code_place")
def _check_place(path: PolicyPath, actual: str) -> None:
    """A grant is good at the policy that made it. Raises 90088, or 90129 for one of no policy of this tenant."""
    tenant_id, _, policy = actual.partition("/")
    if tenant_id != path.tenant.id:
        raise B2CError(90129)
    if actual != path.name:
        raise B2CError(90088, actual=policy, expected=path.flow.name)


@checking("client_authentication")
def _check_proof(emulator: Emulator, application: Application, proof: Presented, kind: RedirectKind) -> None:
    if kind != "web":
        if proof.secret is not None:
            raise B2CError(90084)
        passed("client_authentication", PUBLIC[kind])
        return
    if proof.secret is None:
        raise B2CError(90079)
    state, given = emulator.state, proof.secret.encode()
    known = next(
        (s for s in state.credentials.of(application).secrets if hmac.compare_digest(s.value.encode(), given)), None
    )
    if known is None or (known.lifetime is not None and state.clock.now() >= state.started_at + known.lifetime):
        raise B2CError(90081)
    passed("client_authentication", BY_SECRET)


def _check_pkce(grant: CodeGrant, code_verifier: str | None) -> None:
    if grant.redirect_kind == "spa" and grant.code_challenge is None:
        raise B2CError(99059)
    check_verifier(grant.code_challenge, grant.code_challenge_method, code_verifier=code_verifier)


@checking("person")
def _customer(emulator: Emulator, path: PolicyPath, object_id: str, *, since: datetime) -> User:
    customer = emulator.state.customers.get(emulator.world, path.tenant.id, object_id)
    if customer is None or not customer.account_enabled:
        raise B2CError(90128)
    valid_from = emulator.state.tokens_valid_from(customer)
    if valid_from is not None and since <= valid_from:
        raise B2CError(90129)
    return customer


def _renewal(
    emulator: Emulator,
    request: PolicyTokenRequest,
    sign_in: CustomerSignIn,
    *,
    kind: RedirectKind,
    sid: str,
    scope: tuple[str, ...],
) -> RefreshGrant | None:
    if "offline_access" not in scope:
        return None
    return RefreshGrant(
        client_id=sign_in.application.client_id,
        redirect_kind=kind,
        tenant_id=sign_in.customer.tenant_id,
        user_id=sign_in.customer.id,
        scopes=scope,
        sid=sid,
        auth_time=sign_in.auth_time,
        amr=("pwd",),
        first_issued_at=emulator.state.clock.now(),
        policy=request.path.name,
    )


def _answer(
    emulator: Emulator, request: PolicyTokenRequest, sign_in: CustomerSignIn, renewal: RefreshGrant | None
) -> dict[str, Any]:
    noted(person=sign_in.customer.mail or sign_in.customer.user_principal_name)
    wants_client_info = request.form.get("client_info") == "1"
    return token_answer(emulator, sign_in, renewal=renewal, wants_client_info=wants_client_info)
