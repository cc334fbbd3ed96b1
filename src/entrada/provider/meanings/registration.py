"""Entra's codes that are about the application: its registration, credentials, scopes, and what it sent."""

from entrada.provider.meanings.meaning import (
    AGAIN,
    APPLICATION,
    AUTHENTICATION,
    BUSY,
    ENTERPRISE,
    EXPOSE,
    HEALTH,
    LATER,
    MANIFEST,
    OVERVIEW,
    PERMISSIONS,
    REGISTRATION,
    ROLES,
    SECRETS,
    SIGN_IN_LOGS,
    TELL,
    TENANT,
    Meaning,
)

UNFITTING = "This sign-in does not fit together."
ACCOUNTS = f"{AUTHENTICATION} › Supported account types"
PUBLIC_FLOWS = f"{AUTHENTICATION} › Allow public client flows"
PLATFORM = f"{AUTHENTICATION} › Platform configurations"
FEDERATED = f"{SECRETS} › Federated credentials"


def _ours(operator: str, page: str, setting: str = "") -> Meaning:
    """Return a refusal that no person can do anything about."""
    return Meaning(REGISTRATION, TELL, operator, page, setting)


OF_REGISTRATIONS: dict[str, Meaning] = {
    "AADSTS50001": _ours("the API named in scopes is unknown in the tenant", PERMISSIONS, "scopes"),
    "AADSTS50011": _ours(
        "the redirect URI is not registered: add redirect_uri under Authentication, byte for byte",
        AUTHENTICATION,
        "redirect_uri",
    ),
    "AADSTS50012": _ours("the client authentication failed", SECRETS, "client_secret"),
    "AADSTS50013": _ours(
        "the token or assertion that was sent is not accepted: wrong signature, audience or time",
        SECRETS,
        "client_certificate",
    ),
    "AADSTS50027": _ours("a token that was sent is malformed", SIGN_IN_LOGS),
    "AADSTS50048": _ours("sub and iss of the client assertion differ: both are client_id", SECRETS, "client_id"),
    "AADSTS50049": _ours("the authority's host is of no known cloud", TENANT, "authority"),
    "AADSTS50059": _ours("the request does not say which tenant is meant", TENANT, "tenant_id"),
    "AADSTS50146": _ours(
        "claims mapping needs a signing key of the application's own, or acceptMappedClaims",
        MANIFEST,
        "custom_signing_key",
    ),
    "AADSTS50194": _ours(
        "the application is single-tenant: set tenant_id to its tenant instead of common", ACCOUNTS, "tenant_id"
    ),
    "AADSTS65005": _ours(
        "the registration lacks a permission that scopes ask for: add it under API permissions", PERMISSIONS, "scopes"
    ),
    "AADSTS70001": _ours("the application is disabled, or unknown in the tenant", ENTERPRISE, "client_id"),
    "AADSTS70002": _ours("the client's credentials are not accepted", SECRETS, "client_secret"),
    "AADSTS70003": _ours("the authority does not have this grant", AUTHENTICATION),
    "AADSTS70004": _ours(
        "the redirect URI is not one that may be registered, or another than was asked for",
        AUTHENTICATION,
        "redirect_uri",
    ),
    "AADSTS70005": _ours("the response type is not enabled for the application", AUTHENTICATION),
    "AADSTS70007": _ours("this response mode does not go with what was asked for", AUTHENTICATION, "response_mode"),
    "AADSTS70011": _ours("a permission in scopes is not valid", PERMISSIONS, "scopes"),
    "AADSTS90002": _ours("the tenant was not found: check tenant_id and the cloud", TENANT, "tenant_id"),
    "AADSTS90009": _ours("the application asks for a token for itself: name its GUID in scopes", EXPOSE, "scopes"),
    "AADSTS90014": _ours("a field that is required is missing from the request", SIGN_IN_LOGS),
    "AADSTS90023": _ours("the request is not valid", SIGN_IN_LOGS),
    "AADSTS90033": Meaning(BUSY, LATER, "the directory does not answer for a while", HEALTH),
    "AADSTS500011": _ours("the API named in scopes is unknown in the tenant", EXPOSE, "scopes"),
    "AADSTS500014": _ours("the API named in scopes is disabled in the tenant", ENTERPRISE, "scopes"),
    "AADSTS500112": _ours(
        "the redirect URI is another than the one that the code was asked for", AUTHENTICATION, "redirect_uri"
    ),
    "AADSTS500113": _ours("the application has no redirect URI at all", AUTHENTICATION, "redirect_uri"),
    "AADSTS500131": _ours("the token that was exchanged is for another application", EXPOSE, "client_id"),
    "AADSTS500133": _ours(
        "an assertion is not valid yet or any more: set this machine's clock right", SIGN_IN_LOGS, "client_certificate"
    ),
    "AADSTS501051": _ours("the application was not given a role of the API that it asks for", ROLES),
    "AADSTS501481": Meaning(UNFITTING, AGAIN, "code_verifier does not match", SIGN_IN_LOGS),
    "AADSTS650052": _ours("the organisation has no service principal or subscription of the API", ENTERPRISE, "scopes"),
    "AADSTS650053": _ours("a scope does not exist at the API: check its spelling", EXPOSE, "scopes"),
    "AADSTS650057": _ours("the API is not among those under API permissions", PERMISSIONS, "scopes"),
    "AADSTS700005": _ours("the code was issued by another tenant than tenant_id", TENANT, "tenant_id"),
    "AADSTS700016": _ours(
        "the application was not found in the tenant: check client_id and tenant_id", OVERVIEW, "client_id"
    ),
    "AADSTS700022": _ours("scopes name more than one API", PERMISSIONS, "scopes"),
    "AADSTS700023": _ours("the client assertion is not for this token endpoint", SECRETS, "client_assertion_file"),
    "AADSTS700024": _ours(
        "the client assertion is not valid yet or any more: set this machine's clock right",
        SECRETS,
        "client_certificate",
    ),
    "AADSTS700025": _ours(
        "the application is registered as public: leave out client_secret, or register it as web",
        PUBLIC_FLOWS,
        "client_secret",
    ),
    "AADSTS700027": _ours("the client certificate is not the registered one", SECRETS, "client_certificate"),
    "AADSTS700038": _ours("client_id is no application", OVERVIEW, "client_id"),
    "AADSTS700051": _ours("tokens from the authorization endpoint are not enabled, nor wanted here", AUTHENTICATION),
    "AADSTS700054": _ours("the response type is not enabled for the application", AUTHENTICATION),
    "AADSTS700211": _ours(
        "no federated credential has the issuer of the assertion", FEDERATED, "client_assertion_file"
    ),
    "AADSTS700212": _ours(
        "no federated credential has the audience of the assertion", FEDERATED, "client_assertion_file"
    ),
    "AADSTS700213": _ours(
        "no federated credential has the subject of the assertion", FEDERATED, "client_assertion_file"
    ),
    "AADSTS700229": _ours(
        "the assertion is a person's; only an application's own token proves an application",
        FEDERATED,
        "client_assertion_file",
    ),
    "AADSTS900144": _ours("a parameter that is required is missing from the request", SIGN_IN_LOGS),
    "AADSTS900971": _ours(
        "the request names no redirect URI, and several are registered", AUTHENTICATION, "redirect_uri"
    ),
    "AADSTS901002": _ours("the parameter resource is for version 1 endpoints", SIGN_IN_LOGS, "scopes"),
    "AADSTS7000112": _ours("the application is disabled in the tenant", ENTERPRISE),
    "AADSTS7000114": _ours("the application may not make on-behalf-of calls", ENTERPRISE),
    "AADSTS7000215": _ours(
        "client_secret is wrong: copy the secret's value, not its id, from the portal", SECRETS, "client_secret"
    ),
    "AADSTS7000218": _ours("client_secret is missing, or public flows are not allowed", SECRETS, "client_secret"),
    "AADSTS7000222": _ours("client_secret has expired: make a new one in the portal", SECRETS, "client_secret"),
    "AADSTS9001023": _ours("this grant needs a tenant: not common or organizations", TENANT, "tenant_id"),
    "AADSTS9002313": _ours("the request is malformed", SIGN_IN_LOGS),
    "AADSTS9002325": _ours("a single-page application must use PKCE", PLATFORM, "redirect_uri"),
    "AADSTS9002326": _ours("the redirect URI is registered as web, but a browser redeemed", PLATFORM, "redirect_uri"),
    "AADSTS9002327": _ours(
        "the redirect URI is registered as single-page: register it as web instead", PLATFORM, "redirect_uri"
    ),
    "AADSTS9002332": _ours("the application takes work and school accounts only", ACCOUNTS, "personal_accounts"),
    "AADSTS9002346": _ours("the application takes personal accounts only", ACCOUNTS, "tenant_id"),
    "AADSTS9000411": _ours("a parameter is in the request more than once", APPLICATION),
}
