"""Discovery: the metadata document, the keys, instance discovery and user realm."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.checks import TenantPath, tenant_path
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.origins import LOGIN_ALIASES, Origins
from entrada_emulator.responses import OPEN_TO_ALL, error_response, json_response, preflight, trace_of

CACHED = OPEN_TO_ALL | {"Cache-Control": "max-age=86400, private"}
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
TENANT_TEMPLATE = "{tenantid}"

RESPONSE_TYPES = ["code", "id_token", "code id_token", "id_token token"]
CLAIMS_SUPPORTED = [
    *("sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host"),
    *("aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver"),
    *("at_hash", "c_hash", "email"),
]


async def openid_configuration(request: Request) -> Response:
    """The metadata of a tenant, or of all of them with a templated issuer."""
    emulator, trace = emulator_of(request), trace_of(request)
    try:
        path = tenant_path(emulator.world, request.path_params["tenant"])
    except EntraError as refused:
        return error_response(refused, trace=trace, headers=OPEN_TO_ALL)
    return json_response(metadata(path, emulator.origins), trace=trace, headers=CACHED)


def metadata(path: TenantPath, origins: Origins) -> dict[str, Any]:
    """The document, member by member in the order recorded from the real service."""
    login, pages = f"{origins.login}/{path.name}", f"{origins.pages}/{path.name}"
    return {
        "token_endpoint": f"{login}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{login}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": RESPONSE_TYPES,
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": origins.issuer(path.tenant.id if path.tenant else TENANT_TEMPLATE),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{origins.graph}/oidc/userinfo",
        "authorization_endpoint": f"{pages}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{login}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{pages}/oauth2/v2.0/logout",
        "claims_supported": CLAIMS_SUPPORTED,
        "kerberos_endpoint": f"{login}/kerberos",
        "tenant_region_scope": path.tenant.region if path.tenant else None,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": urlsplit(origins.graph).netloc,
        "rbac_url": "https://pas.windows.net",
        "entrada_emulator": True,
    }


async def keys(request: Request) -> Response:
    """The published keys, each with the issuer it may sign for; on shared paths one belongs to personal accounts."""
    emulator, trace = emulator_of(request), trace_of(request)
    try:
        path = tenant_path(emulator.world, request.path_params["tenant"])
    except EntraError as refused:
        return error_response(refused, trace=trace, headers=OPEN_TO_ALL)
    return json_response({"keys": key_set(emulator, path)}, trace=trace, headers=CACHED)


def key_set(emulator: Emulator, path: TenantPath) -> list[dict[str, object]]:
    """The keys of a path as JWKs."""
    origins, ring = emulator.origins, emulator.state.keys
    issuer = origins.issuer(path.tenant.id if path.tenant else TENANT_TEMPLATE)
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
    names = {"preferred_network": aliases[0], "preferred_cache": aliases[0], "aliases": aliases}
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


routes = [
    Route("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
    Route("/{tenant}/v2.0/.well-known/openid-configuration", preflight, methods=["OPTIONS"]),
    Route("/{tenant}/discovery/v2.0/keys", keys),
    Route("/{tenant}/discovery/v2.0/keys", preflight, methods=["OPTIONS"]),
    Route("/common/discovery/instance", instance_discovery),
    Route("/common/userrealm/{user}", user_realm),
]
