"""`authorization_code`: tokens for what a person agreed to at the authorize endpoint."""

from entrada_emulator.clients.checks import check_verifier
from entrada_emulator.directory.model import Application, ClientAcr
from entrada_emulator.errors import EntraError
from entrada_emulator.grants import request as common
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.issuing.token_answers import Answer
from entrada_emulator.signing_in.claims_request import parse_claims


def redeem_code(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for an authorization code. The code is spent only when everything else was right."""
    application = common.application_of(emulator, request)
    code, redirect_uri = request.required("code"), request.required("redirect_uri")
    grant = emulator.state.codes.read(code)
    _check_code_binding(grant, request, application, redirect_uri)
    acr = common.authenticated(emulator, request, application, grant.redirect_kind)
    if grant.redirect_kind == "spa" and grant.code_challenge is None:
        raise EntraError(9002325)
    verifier = request.form.get("code_verifier")
    check_verifier(grant.code_challenge, grant.code_challenge_method, code_verifier=verifier)
    sign_in = sign_in_of(emulator, request, application, grant, acr)
    requested = common.requested_scopes(emulator, request, sign_in, of_grant=grant.scopes, agreed=grant.scopes)
    sign_in = common.in_context(emulator, request, sign_in)
    if request.form.get("scope"):
        requested.check_one_resource()
    emulator.state.codes.spend(code)
    now = emulator.state.clock.now()
    renewal = common.renewal_of(sign_in, kind=grant.redirect_kind, scopes=grant.scopes, now=now)
    return common.answer(emulator, request, sign_in, requested, renewal)


def _check_code_binding(grant: CodeGrant, request: TokenRequest, application: Application, redirect_uri: str) -> None:
    with checking("code_client"):
        if grant.client_id != application.client_id:
            raise EntraError(70000)
    with checking("code_redirect_uri"):
        if grant.redirect_uri != redirect_uri:
            raise EntraError(500112, redirect_uri=redirect_uri)
    with checking("code_place"):
        if grant.path_tenant != request.path.name:
            raise EntraError(700005)


def sign_in_of(
    emulator: Emulator, request: TokenRequest, application: Application, grant: CodeGrant, acr: ClientAcr
) -> SignIn:
    """Who signed in for this grant, if they still may."""
    user = common.person(emulator, grant.tenant_id, grant.user_id, application)
    common.check_not_revoked(emulator, user, since=grant.auth_time)
    return SignIn(
        user=user,
        tenant=common.tenant_of(emulator, user),
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
        version=request.version,
    )
