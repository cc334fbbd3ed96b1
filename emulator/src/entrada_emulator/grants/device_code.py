"""`device_code`: a device asks whether the person has signed in meanwhile."""

from entrada_emulator.clients.client_auth import is_public
from entrada_emulator.directory.model import RedirectKind
from entrada_emulator.grants import request as common
from entrada_emulator.grants.code import sign_in_of
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.token_answers import Answer


def device_code(emulator: Emulator, request: TokenRequest) -> Answer:
    """Tokens for a device code that was approved; before that 70016, `authorization_pending`."""
    application = common.application_of(emulator, request)
    kind: RedirectKind = "public" if is_public(application, request.proof) else "web"
    acr = common.authenticated(emulator, request, application, kind)
    code = request.required("device_code")
    grant = emulator.state.device_codes.read(code, client_id=application.client_id)
    sign_in = sign_in_of(emulator, request, application, grant, acr)
    requested = common.requested_scopes(emulator, request, sign_in, of_grant=grant.scopes, agreed=grant.scopes)
    sign_in = common.in_context(emulator, request, sign_in)
    emulator.state.device_codes.spend(code)
    renewal = common.renewal_of(sign_in, kind=kind, scopes=grant.scopes, now=emulator.state.clock.now())
    return common.answer(emulator, request, sign_in, requested, renewal)
