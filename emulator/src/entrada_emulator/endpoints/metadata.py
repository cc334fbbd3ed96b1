"""Discovery: the metadata document, the keys, instance discovery and user realm."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.clients.checks import TenantPath, tenant_path
from entrada_emulator.directory.model import PERSONAL_TENANT, Application
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.metadata_documents import TENANT_TEMPLATE, metadata, metadata_v1
from entrada_emulator.wire.origins import LOGIN_ALIASES, Origins
from entrada_emulator.wire.responses import OPEN_TO_ALL, error_response, json_response, preflight, trace_of

CACHED = OPEN_TO_ALL | {"Cache-Control": "max-age=86400, private"}
MICROSOFT_CACHE = "login.windows.net"  # under which MSAL keeps tokens of the public cloud, whatever alias was asked

Document = Callable[[Emulator, TenantPath, Application | None], dict[str, Any]]
"""What a path says to anybody, and to whoever asks for one application: `?appid=`."""


def published(document: Document) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that serves one document of a tenant path to anybody."""

    async def endpoint(request: Request) -> Response:
        emulator, trace = emulator_of(request), trace_of(request)
        try:
            path = tenant_path(emulator.world, request.path_params["tenant"])
        except EntraError as refused:
            return error_response(refused, trace=trace, headers=OPEN_TO_ALL)
        application = emulator.world.application(request.query_params.get("appid", ""))
        return json_response(document(emulator, path, application), trace=trace, headers=CACHED)

    return endpoint


def openid_configuration(emulator: Emulator, path: TenantPath, application: Application | None) -> dict[str, Any]:
    """The metadata of a tenant, or of all of them with a templated issuer."""
    return _with_keys_of(application, metadata(path, emulator.origins))


def openid_configuration_v1(emulator: Emulator, path: TenantPath, application: Application | None) -> dict[str, Any]:
    """The same of version 1."""
    return _with_keys_of(application, metadata_v1(path, emulator.origins))


def _with_keys_of(application: Application | None, document: dict[str, Any]) -> dict[str, Any]:
    if application is None:
        return document
    return document | {"jwks_uri": f"{document['jwks_uri']}?appid={application.client_id}"}


def keys(emulator: Emulator, path: TenantPath, application: Application | None) -> dict[str, Any]:
    """The published keys, each with the issuer it may sign for; on shared paths one belongs to personal accounts.

    Asked for an application that has a key of its own they are that one.
    """
    return {"keys": key_set(emulator, path, application)}


def keys_v1(emulator: Emulator, path: TenantPath, application: Application | None) -> dict[str, Any]:
    """The same keys as version 1 shows them: without the issuer."""
    shown = key_set(emulator, path, application)
    return {"keys": [{name: value for name, value in key.items() if name != "issuer"} for key in shown]}


def key_set(emulator: Emulator, path: TenantPath, application: Application | None) -> list[dict[str, object]]:
    """The keys of a path as JWKs."""
    origins, ring = emulator.origins, emulator.state.keys
    issuer = origins.issuer(path.tenant.id if path.tenant else TENANT_TEMPLATE)
    if application is not None and application.custom_signing_key:
        return [ring.of_application(application).jwk(issuer)]
    if path.tenant and path.tenant.is_personal:
        return [key.jwk(origins.issuer(PERSONAL_TENANT)) for key in (ring.personal, ring.next)]
    published = [key.jwk(issuer) for key in ring.published()]
    personal = [] if path.tenant else [ring.personal.jwk(origins.issuer(PERSONAL_TENANT))]
    return published + personal


async def instance_discovery(request: Request) -> Response:
    """Says that an authority is genuine and under which names its tokens are cached."""
    emulator, trace = emulator_of(request), trace_of(request)
    asked = urlsplit(request.query_params.get("authorization_endpoint", ""))
    aliases = _aliases(emulator.origins)
    if asked.netloc.lower() not in aliases:
        return error_response(EntraError(50049), trace=trace, headers=OPEN_TO_ALL)
    tenant = asked.path.strip("/").split("/")[0]
    cache = MICROSOFT_CACHE if emulator.origins.in_process else aliases[0]
    names = {"preferred_network": aliases[0], "preferred_cache": cache, "aliases": aliases}
    body = {
        "tenant_discovery_endpoint": f"{emulator.origins.login}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [names],
    }
    return json_response(body, trace=trace, headers=CACHED)


async def user_realm(request: Request) -> Response:
    """Says whether a person's domain is managed here; there are no federated ones."""
    emulator, name = emulator_of(request), request.path_params["user"]
    domain = name.rpartition("@")[2]
    managed = emulator.world.tenant(domain) is not None
    body = {
        "ver": "1.0",
        "account_type": "Managed" if managed else "Unknown",
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
    return json_response(body, trace=trace_of(request), headers=OPEN_TO_ALL)


def _aliases(origins: Origins) -> list[str]:
    if origins.in_process:
        return ["login.microsoftonline.com", *sorted(LOGIN_ALIASES - {"login.microsoftonline.com"})]
    served = urlsplit(origins.login)
    return [served.netloc, *([served.hostname] if served.hostname and served.port else [])]


DOCUMENTS = {
    "/{tenant}/v2.0/.well-known/openid-configuration": openid_configuration,
    "/{tenant}/.well-known/openid-configuration": openid_configuration_v1,
    "/{tenant}/discovery/v2.0/keys": keys,
    "/{tenant}/discovery/keys": keys_v1,
}
routes = [
    Route("/common/discovery/instance", instance_discovery),
    Route("/common/userrealm/{user}", user_realm),
    Route("/common/UserRealm/{user}", user_realm),  # as MSAL for Go spells it
    *(Route(path, published(document)) for path, document in DOCUMENTS.items()),
    *(Route(path, preflight, methods=["OPTIONS"]) for path in DOCUMENTS),
]
