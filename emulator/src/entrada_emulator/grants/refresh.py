"""`refresh_token`: new tokens for a person who is not there."""

from entrada_emulator.directory.model import Application, ClientAcr
from entrada_emulator.errors import EntraError
from entrada_emulator.grants import request as common
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.refresh import RefreshGrant
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.issuing.token_answers import Answer
from entrada_emulator.signing_in.claims_request import parse_claims


def refresh(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for a refresh token, with a new refresh token beside them."""
    application = common.application_of(emulator, request)
    token = request.required("refresh_token")
    grant = emulator.state.refresh_tokens.read(token)
    with checking("refresh_client"):
        if grant.client_id != application.client_id:
            raise EntraError(70000)
    acr = common.authenticated(emulator, request, application, grant.redirect_kind)
    sign_in = _sign_in(emulator, request, application, grant, acr)
    requested = common.requested_scopes(emulator, request, sign_in, of_grant=grant.scopes, agreed=())
    sign_in = common.under_policies(emulator, request, sign_in, requested)
    emulator.state.refresh_tokens.mark_used(token)
    return common.answer(emulator, request, sign_in, requested, grant)


def _sign_in(
    emulator: Emulator, request: TokenRequest, application: Application, grant: RefreshGrant, acr: ClientAcr
) -> SignIn:
    at_first = common.person(emulator, grant.tenant_id, grant.user_id, application)
    common.check_not_revoked(emulator, at_first, since=grant.first_issued_at)
    user = common.in_tenant_of_path(emulator, at_first, request.path, application)
    return SignIn(
        user=common.person(emulator, user.tenant_id, user.id, application),
        tenant=common.tenant_of(emulator, user),
        application=application,
        client_acr=acr,
        scopes=parse_scopes(emulator.world, grant.scopes).oidc,
        sid=grant.sid,
        auth_time=grant.auth_time,
        amr=grant.amr,
        acrs=grant.acrs,
        requested_claims=parse_claims(request.form.get("claims")),
        version=request.version,
    )
