"""What may be wrong with the settings as a whole, and how to mend each: pure rules on the values."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from entrada import store_url
from entrada.errors import SettingsRefused
from entrada.files import certificate_fault
from entrada.keyring import KeyRing
from entrada.settings.guard_faults import guard_faults, is_network
from entrada.settings.monitoring import monitoring_faults
from entrada.settings.values import Values
from entrada.well_known import EMULATOR_MARK, GUID, LOOPBACK, MANY_TENANTS

TENANT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{2,252}")
HOST = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]{0,252}[0-9A-Za-z])?")
ORIGIN = re.compile(r"https?://([0-9a-z]([0-9a-z.-]{0,252}[0-9a-z])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
B2C_TENANT = re.compile(r"[0-9A-Za-z-]{1,63}(\.[0-9A-Za-z-]{1,63})+")
POLICY = re.compile(r"[A-Za-z0-9_-]{1,128}")
PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_~.-]+)+")
PAGE = re.compile(r"/(?!/)[!-\[\]-~]*")  # printable ASCII without the backslash, which browsers take for a slash
ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
CONSUMERS = "consumers"
CONTEXT = re.compile(r"c[1-9][0-9]?")
WELL_KNOWN = "/.well-known/openid-configuration"
WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
SHARED = MANY_TENANTS | {CONSUMERS}
SAMPLE_SECRETS = ("changeme", "change-me", "your-client-secret", "secret", "emulator-secret")


def faults_of(settings: Values) -> list[str]:
    """Say all that is wrong, each as `name: fault and mend`; empty when the application may start."""
    paths = _path_faults(settings)
    return [*paths.values(), *(each for each in _faults(settings) if _named(each) not in paths)]


def _faults(settings: Values) -> list[str]:
    return [
        *_address_faults(settings),
        *_provider_faults(settings),
        *_secret_faults(settings),
        *guard_faults(settings),
        *_production_faults(settings),
        *_audit_faults(settings),
        *_admin_faults(settings),
        *monitoring_faults(settings),
    ]


def _path_faults(settings: Values) -> dict[str, str]:
    """Refuse by name what a shell or Windows takes for a path elsewhere: here it would be a folder of that name."""
    given = {name: getattr(settings, name) for name in type(settings).model_fields}
    paths = {name: str(value) for name, value in given.items() if isinstance(value, Path)}
    if settings.store.startswith("sqlite:"):
        paths["store"] = settings.store.removeprefix("sqlite:")
    faults = {}
    for name, path in paths.items():
        if path.startswith("~"):
            faults[name] = f"{name}: ~ is no home directory here; write the whole path"
        elif WINDOWS.match(path):
            faults[name] = f"{name}: is a path of Windows; in WSL C:\\ is /mnt/c"
    return faults


def _audit_faults(settings: Values) -> list[str]:
    """Who was erased is told by what administrators did: that must outlast what it explains."""
    if settings.audit_admin_days < settings.audit_days:
        return ["audit_admin_days: must not be less than audit_days"]
    return []


def _admin_faults(settings: Values) -> list[str]:
    faults = []
    if settings.console and not settings.admin:
        faults.append("console: shows what administration serves; set admin (ENTRADA_ADMIN=true) too")
    if settings.admin_group and not GUID.fullmatch(settings.admin_group.lower()):
        faults.append("admin_group: must be the group's object id, a GUID from the portal: names can be changed")
    if settings.admin_role is not None and settings.admin_role.split() != [settings.admin_role]:
        faults.append("admin_role: must be the value of one app role, without blanks")
    if not all(GUID.fullmatch(tenant.lower()) for tenant in settings.admin_operators):
        faults.append("admin_operators: each must be a tenant's GUID")
    if settings.admin_mfa_context and not CONTEXT.fullmatch(settings.admin_mfa_context):
        faults.append("admin_mfa_context: must be an id such as c1, as the tenant's Conditional Access names it")
    return faults


def _address_faults(settings: Values) -> list[str]:
    faults = []
    if not ORIGIN.fullmatch(settings.base_url) or not _host(settings.base_url):
        faults.append(
            "base_url: must be an origin such as https://app.contoso.com, in lower case, without path or final slash"
        )
    elif not settings.secure and _host(settings.base_url) not in LOOPBACK:
        faults.append("base_url: http is for this machine only; use https for any other host")
    if settings.prefix and not PATH.fullmatch(settings.prefix):
        faults.append("prefix: must be empty or a path such as /api/auth, without a final slash")
    if settings.redirect_uri and not settings.redirect_uri.startswith(f"{settings.base_url}/"):
        faults.append("redirect_uri: must begin with base_url; set ENTRADA_BASE_URL to its origin")
    elif settings.redirect_uri and not settings.redirect_uri.endswith(f"{settings.prefix}/callback"):
        faults.append(
            f"redirect_uri: nobody is expected there; register {settings.base_url}{settings.prefix}/callback, or set "
            "ENTRADA_PREFIX to what stands before /callback"
        )
    if not PAGE.fullmatch(settings.home):
        faults.append("home: must be a path of this application, such as /")
    if settings.response_mode == "form_post" and not settings.secure:
        faults.append("response_mode: form_post needs https: browsers drop its SameSite=None cookie over http")
    for name, hosts in (("hosts", settings.hosts), ("endpoint_hosts", settings.endpoint_hosts)):
        if not all(HOST.fullmatch(host) for host in hosts):
            faults.append(f"{name}: name each host; wildcards, ports and addresses are not taken")
    if not all(map(_is_safe_origin, settings.cors_origins)):
        faults.append(
            "cors_origins: each must be an exact https origin such as https://spa.contoso.com, without final slash; "
            "no * or null; http on this machine only"
        )
    if not all(map(is_network, settings.private_networks)):
        faults.append("private_networks: each must be a network such as 10.20.0.0/16")
    return faults


def _is_safe_origin(origin: str) -> bool:
    """Say whether scripts of this origin can be known: by https, or on this machine (SEC-094)."""
    return bool(ORIGIN.fullmatch(origin)) and (origin.startswith("https://") or _host(origin) in LOOPBACK)


def _provider_faults(settings: Values) -> list[str]:
    faults = []
    if not settings.client_id:
        faults.append(
            "client_id: missing; set AZURE_CLIENT_ID (or ENTRADA_CLIENT_ID) to the application's id, "
            "in the environment or in .env of the folder where you start"
        )
    faults += _capital_faults(settings)
    if not settings.tenant_id and not settings.issuer and not settings.b2c_tenant:
        faults.append("tenant_id: missing; set AZURE_TENANT_ID for Entra, or ENTRADA_ISSUER for another provider")
    if settings.issuer and (settings.tenant_id or settings.authority):
        faults.append("issuer: is for other providers; leave out tenant_id and authority, or issuer")
    if settings.tenant_id and not _names_a_tenant(settings.tenant_id):
        faults.append("tenant_id: must be a GUID or a verified domain, such as contoso.onmicrosoft.com")
    faults += [*_comma_faults(settings), *_tenant_faults(settings), *_b2c_faults(settings)]
    for name in ("authority", "issuer", "graph_url"):
        faults += _url_faults(name, getattr(settings, name))
    faults += _authority_faults(settings)
    if settings.issuer and settings.issuer.endswith(WELL_KNOWN):
        faults.append(f"issuer: is what the document there calls so, without {WELL_KNOWN}")
    if settings.introspection and not settings.issuer:
        faults.append("introspection: Entra has no introspection endpoint; its access tokens are JWTs")
    elif settings.introspection and not settings.client_secret and not settings.client_secrets:
        faults.append("introspection: needs client_secret, for the provider tells nobody else about tokens")
    if weak := [name for name in settings.algorithms if name not in ASYMMETRIC]:
        faults.append(f"algorithms: {', '.join(weak)} cannot be accepted; use asymmetric ones such as RS256")
    if settings.custom_signing_key and not settings.tenant_id:
        faults.append("custom_signing_key: is for applications of an Entra tenant, whose claims are mapped there")
    if not settings.algorithms:
        faults.append("algorithms: name at least one, such as RS256")
    if settings.ca_file and (unfit := certificate_fault(settings.ca_file)):
        faults.append(f"ca_file: {settings.ca_file} {unfit}")
    return faults


def _authority_faults(settings: Values) -> list[str]:
    if settings.authority is None or _url_faults("authority", settings.authority):
        return []
    *folders, tenant = urlsplit(settings.authority).path.rstrip("/").removesuffix("/v2.0").strip("/").split("/")
    if tenant.lower() in SHARED:
        return ["authority: must end in the tenant; for several set ENTRADA_TENANT_ID=organizations instead"]
    if folders:
        return ["authority: must end in the tenant, such as https://login.microsoftonline.com/contoso.onmicrosoft.com"]
    ids = {tenant.lower(), (settings.tenant_id or "").lower()}
    if len(ids) > 1 and all(map(GUID.fullmatch, ids)):
        return ["authority: is of another tenant than tenant_id; name the same, or leave it out"]
    return []


def _names_a_tenant(text: str) -> bool:
    known = text.lower() in SHARED or GUID.fullmatch(text.lower())
    return bool(known or ("." in text and TENANT.fullmatch(text)))


def _comma_faults(settings: Values) -> list[str]:
    names = ("scopes", "swagger_scopes", "api_audiences", "api_clients")
    return [
        f"{name}: are separated by blanks, without commas, quotes or brackets"
        for name in names
        if any(set(',"[]\\') & set(each) for each in getattr(settings, name))
    ]


def _b2c_faults(settings: Values) -> list[str]:
    flows = {name: getattr(settings, name) for name in ("b2c_policy", "b2c_reset_policy", "b2c_edit_policy")}
    further = {name: getattr(settings, name) for name in ("b2c_authority", "b2c_openid_config", "b2c_jwks_uri")}
    if not settings.b2c_tenant:
        unused = [name for name, value in (flows | further).items() if value]
        return [f"{name}: is for Azure AD B2C; set B2C_TENANT_ID, or leave it out" for name in unused]
    faults = []
    if not B2C_TENANT.fullmatch(settings.b2c_tenant):
        faults.append("b2c_tenant: must be the tenant's domain, such as contoso.onmicrosoft.com")
    if settings.tenant_id or settings.authority or settings.issuer:
        faults.append("b2c_tenant: leave out tenant_id, authority and issuer, or b2c_tenant")
    if not settings.b2c_policy:
        faults.append("b2c_policy: missing; set B2C_SIGNIN_POLICY to the user flow's name, such as B2C_1_susi")
    faults += [f"{name}: must be a user flow's name, such as B2C_1_susi" for name, value in flows.items()
               if value and not POLICY.fullmatch(value)]  # fmt: skip
    for name, url in further.items():
        faults += _url_faults(name, url) or _elsewhere_faults(settings, name, url)
    return faults


def _elsewhere_faults(settings: Values, name: str, url: str | None) -> list[str]:
    """Refuse an address that is not the B2C tenant's own, so that a setting which is not needed misleads nobody."""
    if url is None:
        return []
    base = (settings.b2c_authority or f"https://{_host(settings.entra_authority or '')}/{settings.b2c_tenant}").rstrip(
        "/"
    )
    if name == "b2c_authority":
        return [] if urlsplit(url).path.strip("/") else [f"{name}: must end in the tenant, without the user flow"]
    return [] if url.startswith(f"{base}/") else [f"{name}: is not of {base}; leave it out, it is found by itself"]


def _capital_faults(settings: Values) -> list[str]:
    """Microsoft takes an id in capitals, and its tokens have it in lower case: none would be for this application."""
    if settings.issuer:
        return []
    ids = [("client_id", settings.client_id), *(("api_clients", each) for each in settings.api_clients)]
    return [
        f"{name}: write {each.lower()}, as tokens have it"
        for name, each in ids
        if each != each.lower() and GUID.fullmatch(each.lower())
    ]


def _tenant_faults(settings: Values) -> list[str]:
    faults = []
    tenant = (settings.tenant_id or "").lower()
    onboarding = settings.onboarding != "off"
    if tenant in MANY_TENANTS and not settings.tenants and not settings.any_tenant and not onboarding:
        faults.append(
            "tenants: name the GUIDs of the tenants to let in, or set ENTRADA_ANY_TENANT=true for every organisation, "
            "or ENTRADA_ONBOARDING=approval"
        )
    if onboarding and (tenant not in MANY_TENANTS or settings.any_tenant):
        faults.append("onboarding: is for tenant_id=organizations or common, without any_tenant")
    if settings.tenants and (tenant not in MANY_TENANTS or settings.any_tenant):
        faults.append("tenants: is for tenant_id=organizations or common, without any_tenant")
    if settings.any_tenant and tenant not in MANY_TENANTS:
        faults.append("any_tenant: is for tenant_id=organizations or common")
    if wrong := [each for each in settings.tenants if not GUID.fullmatch(each.lower())]:
        faults.append(f"tenants: {', '.join(wrong)}: each must be a tenant's GUID; a domain can change hands")
    if settings.personal_accounts and tenant not in {"common", CONSUMERS}:
        faults.append("personal_accounts: is for tenant_id=common or consumers")
    if tenant == CONSUMERS and not settings.personal_accounts:
        faults.append("tenant_id: consumers are personal accounts; set ENTRADA_PERSONAL_ACCOUNTS=true to let them in")
    return faults


def _secret_faults(settings: Values) -> list[str]:
    faults = []
    if settings.keys and settings.keys_file:
        faults.append("keys: set either keys or keys_file, not both")
    elif settings.keys_file and not settings.keys_file.is_file():
        faults.append(f"keys_file: {settings.keys_file} is not a file")
    else:
        faults += _key_faults(settings)
    return [*faults, *_credential_faults(settings), *_store_faults(settings)]


def _credential_faults(settings: Values) -> list[str]:
    faults = []
    if settings.client_secret is not None and not settings.client_secret.get_secret_value().strip():
        faults.append("client_secret: empty; set it, or leave it out for a public client")
    if settings.client_secret and settings.client_secrets:
        faults.append("client_secrets: set either client_secret or client_secrets, not both")
    if len(settings.client_secret_expires) > max(len(settings.client_secrets), bool(settings.client_secret)):
        faults.append("client_secret_expires: has more dates than there are secrets")
    for name in ("client_certificate", "client_assertion_file"):
        path = getattr(settings, name)
        if path and not path.is_file():
            faults.append(f"{name}: {path} is not a file")
    if settings.client_certificate_password and not settings.client_certificate:
        faults.append("client_certificate_password: there is no client_certificate")
    return faults


def _store_faults(settings: Values) -> list[str]:
    faults = []
    for parse, text in ((store_url.parse, settings.store), (store_url.parse_database, settings.database_url)):
        try:
            faults += parse(text).faults(production=settings.production) if text is not None else []
        except SettingsRefused as refused:
            faults += refused.faults
    return faults


def _key_faults(settings: Values) -> list[str]:
    try:
        if (text := settings.keys_text()) is not None:
            KeyRing.parse(text)
    except SettingsRefused as refused:
        return refused.faults
    except (OSError, UnicodeDecodeError) as error:
        return [f"keys_file: {settings.keys_file} cannot be read as text ({type(error).__name__})"]
    return []


def _production_faults(settings: Values) -> list[str]:
    """What only production refuses (SEC-183); docs/production.md lists each line and its test."""
    if not settings.production:
        return []
    faults = []
    if not settings.secure:
        faults.append("base_url: production needs https")
    if settings.keys is None and settings.keys_file is None:
        faults.append("keys: production needs its own: set ENTRADA_KEYS to the output of `python -m entrada.keyring`")
    if any(_host(origin) in LOOPBACK for origin in settings.cors_origins):
        faults.append("cors_origins: an origin of this machine is for development; any program there can have it")
    secrets = [settings.client_secret] if settings.client_secret else settings.client_secrets
    if any(secret.get_secret_value().strip().lower().startswith(SAMPLE_SECRETS) for secret in secrets):
        faults.append("client_secret: is a sample value; make one in the portal under Certificates & secrets")
    return [*faults, *_emulator_faults(settings), *_network_faults(settings)]


def _emulator_faults(settings: Values) -> list[str]:
    """Refuse every address and id by which the emulator, or anything else of this machine, would be believed."""
    faults = []
    authority = (settings.tenant_id, settings.authority, settings.issuer, *settings.tenants)
    if any(EMULATOR_MARK in (value or "").lower() for value in authority):
        faults.append("tenant_id: this tenant is the emulator's, which lets anybody in")
    if any(_is_loopback(url) for url in (settings.entra_authority, settings.issuer, settings.graph_url)):
        faults.append("authority, issuer, graph_url: an address of this machine is for development")
    if any(_is_loopback(f"https://{host}") for host in settings.endpoint_hosts):
        faults.append("endpoint_hosts: a name of this machine is for development")
    return faults


def _network_faults(settings: Values) -> list[str]:
    """Refuse networks that would let production call this machine, or every address there is."""
    named = [ip_network(each) for each in settings.private_networks if is_network(each)]
    if any(each.prefixlen == 0 or each.is_loopback for each in named):
        return ["private_networks: 0.0.0.0/0 and this machine's own addresses are too much; name the house's networks"]
    return []


def environment_faults(environment: Mapping[str, str]) -> list[str]:
    """What production refuses beside the settings: variables that other software reads and that undo TLS."""
    if environment.get("SSLKEYLOGFILE"):
        return ["SSLKEYLOGFILE: has the keys of every TLS connection written to a file; unset it in production"]
    return []


def _url_faults(name: str, url: str | None) -> list[str]:
    if url is None:
        return []
    here = url.startswith("http://") and _host(url) in LOOPBACK and name == "issuer"
    if not url.startswith("https://") and not here:
        return [f"{name}: must begin with https://"]
    if not _host(url) or any(mark in url for mark in "?#@\\ \t\r\n"):
        return [f"{name}: must be an address without user name, query and fragment"]
    return []


def _named(fault: str) -> str:
    return fault.partition(":")[0]


def _host(url: str) -> str | None:
    """Return the address's host in lower case, or None when it has none or is malformed."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.port != 0 else None
    except ValueError:
        return None


def _is_loopback(url: str | None) -> bool:
    host = _host(url or "") or ""
    return host in LOOPBACK or host.endswith(".localhost") or host.startswith("127.")
