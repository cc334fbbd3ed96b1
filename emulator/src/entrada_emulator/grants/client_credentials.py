"""`client_credentials`: a token for the application itself."""

from entrada_emulator.errors import EntraError
from entrada_emulator.grants import request as common
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.scopes import parse_client_credentials_scope
from entrada_emulator.issuing.token_answers import Answer, application_answer


def client_credentials(emulator: Emulator, request: TokenRequest) -> Answer:
    """A token for the application itself, which must prove itself and name one resource."""
    if request.path.tenant is None or request.path.tenant.is_personal:
        raise EntraError(9001023)
    application = common.application_of(emulator, request)
    acr = common.authenticated(emulator, request, application, "web")
    tenant = request.path.tenant
    with checking("scopes"):
        api = parse_client_credentials_scope(emulator.world, request.required("scope"), tenant=tenant.display_name)
    with checking("resource"):
        if not emulator.world.available_in(api.resource, tenant.id):
            raise EntraError(500011, resource=api.identifier, tenant=tenant.display_name)
        if api.resource.assignment_required and not application.granted_app_roles.get(api.resource.client_id):
            raise EntraError(
                501051,
                client_id=application.client_id,
                application=application.display_name,
                resource=api.resource.display_name,
            )
    return application_answer(emulator, application, client_acr=acr, tenant=tenant, api=api, version=request.version)
