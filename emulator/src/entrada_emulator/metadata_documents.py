"""The metadata documents of the version 2 and version 1 endpoints."""

from typing import Any
from urllib.parse import urlsplit

from entrada_emulator.clients.checks import TenantPath
from entrada_emulator.wire.origins import Origins

TENANT_TEMPLATE = "{tenantid}"
RESPONSE_TYPES = ["code", "id_token", "code id_token", "id_token token"]
CLAIMS_SUPPORTED = [
    *("sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host"),
    *("aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver"),
    *("at_hash", "c_hash", "email"),
]
CLAIMS_SUPPORTED_V1 = [
    *("sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host"),
    *("aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "email", "given_name", "family_name", "nickname"),
]


def metadata(path: TenantPath, origins: Origins) -> dict[str, Any]:
    """The document, member by member in the order recorded from the real service."""
    login, pages = (
        f"{origin}/{path.name}" for origin in (origins.login_of(path.tenant), origins.pages_of(path.tenant))
    )
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


def metadata_v1(path: TenantPath, origins: Origins) -> dict[str, Any]:
    """The document of the version 1 endpoints: their addresses, and the issuer of version 1 tokens."""
    login, pages = (
        f"{origin}/{path.name}" for origin in (origins.login_of(path.tenant), origins.pages_of(path.tenant))
    )
    changed = {
        "token_endpoint": f"{login}/oauth2/token",
        "jwks_uri": f"{login}/discovery/keys",
        "scopes_supported": ["openid"],
        "issuer": origins.issuer_v1(path.tenant.id if path.tenant else TENANT_TEMPLATE),
        "microsoft_multi_refresh_token": True,
        "authorization_endpoint": f"{pages}/oauth2/authorize",
        "device_authorization_endpoint": f"{login}/oauth2/devicecode",
        "end_session_endpoint": f"{pages}/oauth2/logout",
        "claims_supported": CLAIMS_SUPPORTED_V1,
    }
    return metadata(path, origins) | changed
