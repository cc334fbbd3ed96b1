"""Every knob, with its default and the reason for it, and what follows from several of them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from entrada.settings.guards import GuardSettings, Words, split
from entrada.settings.monitoring import MonitoringSettings

PREFIX = "ENTRADA_"
ENTRA_HOST = "https://login.microsoftonline.com"


def named(name: str, *customary: str) -> AliasChoices:
    """Return the names under which a setting is read from the environment: ours first, then the customary ones."""
    return AliasChoices(PREFIX + name.upper(), *customary)


class Values(MonitoringSettings, GuardSettings):
    """What the settings of one application are; `Settings` reads and checks them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    profile: Literal["development", "production"] = "development"
    """`production` refuses every unsafe setting; `development` is for loopback addresses and says so."""
    base_url: str = "http://localhost:8000"
    """The public origin that people type; redirects and cookies are made from it, never from the request."""
    prefix: str = "/api/auth"
    """Where login, callback, logout and me are; empty for the root."""
    redirect_uri: str | None = Field(None, validation_alias=named("redirect_uri", "AZURE_REDIRECT_URI"))
    """As registered at the authority; by default base_url + prefix + /callback."""
    home: str = "/"
    """The page after sign-in when there was no page on the way."""
    hosts: Words = ()
    """Host names served besides that of base_url."""

    tenant_id: str | None = Field(None, validation_alias=named("tenant_id", "AZURE_TENANT_ID"))
    """The Entra tenant: its GUID or a verified domain; `organizations` or `common` for several."""
    tenants: Words = ()
    """The GUIDs of those whose people may sign in, where tenant_id is `organizations` or `common`."""
    any_tenant: bool = False
    """Whether the people of every organisation may sign in instead."""
    onboarding: Literal["off", "consent", "approval"] = "off"
    """Whether tenants beside those may be on-boarded: let in by their administrator's consent, or after approval."""
    personal_accounts: bool = False
    """Whether personal Microsoft accounts may sign in, with `common` or `consumers`."""
    guests: bool = True
    """Whether guests of a tenant may sign in; they are users of their own, whoever they are at home."""
    authority: str | None = Field(None, validation_alias=named("authority", "AZURE_AUTHORITY"))
    """The Entra authority without its version; by default login.microsoftonline.com and the tenant."""
    b2c_tenant: str | None = Field(None, validation_alias=named("b2c_tenant", "B2C_TENANT_ID"))
    """The Azure AD B2C tenant instead, such as contoso.onmicrosoft.com."""
    b2c_policy: str | None = Field(None, validation_alias=named("b2c_policy", "B2C_SIGNIN_POLICY"))
    """Its user flow for signing up and in."""
    b2c_reset_policy: str | None = Field(None, validation_alias=named("b2c_reset_policy", "B2C_RESET_POLICY"))
    """Its user flow for a forgotten password; without one the sign-in flow must have the reset in itself."""
    b2c_edit_policy: str | None = Field(None, validation_alias=named("b2c_edit_policy", "B2C_EDIT_POLICY"))
    """Its user flow for editing one's profile."""
    b2c_authority: str | None = Field(None, validation_alias=named("b2c_authority", "B2C_AUTHORITY"))
    """Where that tenant is; by default NAME.b2clogin.com and the tenant."""
    b2c_openid_config: str | None = Field(None, validation_alias=named("b2c_openid_config", "B2C_OPENID_CONFIG"))
    """Not needed: it follows from authority and user flow. When given, it must be of that tenant."""
    b2c_jwks_uri: str | None = Field(None, validation_alias=named("b2c_jwks_uri", "B2C_JWKS_URI"))
    """Not needed: keys are where the metadata say. When given, it must be of that tenant."""
    issuer: str | None = None
    """The issuer of any other OpenID provider, instead of a tenant."""
    endpoint_hosts: Words = ()
    """Hosts, beside the issuer's own, on which such a provider has its endpoints."""
    private_networks: Words = ()
    """Networks of the house, such as 10.20.0.0/16, that production may call beside public addresses."""
    client_id: str = Field("", validation_alias=named("client_id", "AZURE_CLIENT_ID", "B2C_CLIENT_ID"))
    """The application's id at the authority; the audience of its ID tokens."""
    client_secret: SecretStr | None = Field(
        None, validation_alias=named("client_secret", "AZURE_CLIENT_SECRET", "B2C_CLIENT_SECRET")
    )
    """Without a secret, certificate or assertion the application is a public client: PKCE alone."""
    client_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split)] = ()
    """Several secrets, tried in turn while one is changed for another; instead of client_secret."""
    client_secret_expires: Annotated[tuple[date, ...], NoDecode, BeforeValidator(split)] = ()
    """When the secrets end, such as 2027-01-31, in their order: /ready knows it, and it is warned about."""
    client_certificate: Path | None = Field(
        None, validation_alias=named("client_certificate", "AZURE_CLIENT_CERTIFICATE_PATH")
    )
    """A certificate with its private key, PEM or PFX; read again when the file changes."""
    client_certificate_password: SecretStr | None = Field(
        None, validation_alias=named("client_certificate_password", "AZURE_CLIENT_CERTIFICATE_PASSWORD")
    )
    """What opens the certificate's file."""
    client_assertion_file: Path | None = Field(
        None, validation_alias=named("client_assertion_file", "AZURE_FEDERATED_TOKEN_FILE")
    )
    """A file with a fresh assertion of the platform's, as Kubernetes keeps it for a workload identity."""
    scopes: Words = Field((), validation_alias=named("scopes", "B2C_SCOPE"))
    """Permissions asked for at sign-in beside openid, profile and offline_access; at Entra User.Read by default."""
    offline_access: bool = Field(default=True)
    """Whether to ask for a refresh token."""
    response_mode: Literal["query", "form_post"] = "query"
    """form_post keeps the code out of addresses and logs, and needs https for its SameSite=None cookie."""
    api_audiences: Words = ()
    """What this API is called in `aud` beside client_id; at Entra its App ID URIs, by default api:// and client_id."""
    api_clients: Words = ()
    """The client ids that may call this API with a bearer token; any that the authority lets, when there are none."""
    introspection: bool = False
    """Whether access tokens that are no JWT are asked about at a provider that has an introspection endpoint."""
    cors_origins: Words = ()
    """Origins whose scripts may call this API with a bearer token, such as https://spa.contoso.com; without cookies."""
    swagger_client_id: str | None = None
    """The registration by which /docs signs people in: a single-page application's, without a secret."""
    swagger_scopes: Words = ()
    """Scopes of this API that /docs offers, as the authority names them, beside those that routes require."""
    custom_signing_key: bool = False
    """Whether the registration at Entra has a signing key of its own, as claims mapping asks: its keys are fetched."""
    algorithms: Words = ("RS256",)
    """Signature algorithms accepted on tokens; asymmetric ones only."""
    leeway_seconds: int = Field(60, ge=0, le=300)
    """How far the authority's clock may be from ours; more than five minutes is a broken clock."""
    graph_url: str = "https://graph.microsoft.com"
    """Where Microsoft Graph is: the emulator's, or a sovereign cloud's."""
    graph_profile: bool = True
    """Whether names, address, department, job title and picture come from Graph after a sign-in with User.Read."""
    ca_file: Path | None = None
    """Certificates (PEM) of authorities trusted in addition, for every outbound call; checks cannot be turned off."""

    keys: SecretStr | None = None
    """The key ring, `id:secret` newest first; in development one is made and kept in data_dir."""
    keys_file: Path | None = None
    """A file that holds the key ring instead."""
    data_dir: Path = Path(".entrada")
    """The one directory for SQLite files and the development key, readable by its owner only."""
    store: str = Field("sqlite:", repr=False)
    """The session store: `sqlite:` (in data_dir), `sqlite:PATH`, `memory:`, or the address of Redis or PostgreSQL."""
    database_url: str | None = Field(None, repr=False)
    """The users' database: `sqlite+aiosqlite:///PATH` or `postgresql://…`; by default SQLite in data_dir."""

    audit_days: int = Field(400, ge=1, le=36_500)
    """How long the audit log keeps what people do."""
    audit_admin_days: int = Field(2_560, ge=1, le=36_500)
    """How long it keeps what administrators do, seven years; never shorter than audit_days."""

    admin: bool = False
    """Whether administration is served below /api/admin."""
    console: bool = False
    """Whether /admin is the administrators' console, and /account everybody's page about themselves."""
    admin_role: str | None = None
    """The app role whose people administer, beside those who were promoted here, such as Admin."""
    admin_group: str | None = None
    """The object id of the group whose members administer too."""
    admin_operators: Words = ()
    """Tenants, by GUID, whose administrators see the people of every tenant; others see their own tenant's only."""
    admin_mfa: bool = True
    """Whether administrators must have signed in with several factors."""
    admin_mfa_context: str | None = None
    """The authentication context that stands for several factors in the tenant, such as c1."""
    admin_proof_minutes: int = Field(15, ge=1, le=60 * 24)
    """How old a sign-in may be for what cannot be undone and for what gives rights; an older one is repeated."""
    admin_if_match: bool = False
    """Whether a change of a person must say by If-Match which version it was made for."""

    session_idle_minutes: int = Field(60, ge=1, le=60 * 24 * 30)
    """A session unused for so long has ended."""
    session_expiry_days: int = Field(
        7, ge=1, le=90, validation_alias=named("session_expiry_days", "SESSION_EXPIRY_DAYS")
    )
    """A session older than this has ended, used or not."""
    remember_days: int = Field(30, ge=0, le=90)
    """How long a session lasts, used or not, where the person chose to be remembered; 0 takes the choice away."""
    most_sessions: int = Field(100, ge=1, le=1000)
    """How many sessions one person may have at once; a sign-in beyond them ends the one that was longest unused."""
    session_binding: Annotated[tuple[Literal["address", "device"], ...], NoDecode, BeforeValidator(split)] = ()
    """What a session is bound to beside its cookie: `address`, `device` or both; by default to neither."""
    binding_ipv4_prefix: int = Field(24, ge=8, le=32)
    """How many bits of an IPv4 address must stay the same where sessions are bound to it."""
    binding_ipv6_prefix: int = Field(56, ge=16, le=128)
    """The same of an IPv6 address; 56 is what a household gets."""
    sign_in_minutes: int = Field(10, ge=1, le=60)
    """How long one attempt to sign in may take."""
    revoke_at_sign_out: bool = True
    """Whether sessions that people or the provider end have their refresh tokens revoked; Entra has no way to."""
    token_refresh_buffer_secs: int = Field(
        300, ge=0, le=3600, validation_alias=named("token_refresh_buffer_secs", "TOKEN_REFRESH_BUFFER_SECS")
    )
    """An access token with less than this left is renewed before it is handed out."""
    token_refresh_check_interval_secs: int = Field(
        60,
        ge=1,
        le=3600,
        validation_alias=named("token_refresh_check_interval_secs", "TOKEN_REFRESH_CHECK_INTERVAL_SECS"),
    )
    """How often tokens that will soon expire are looked for, to renew them before anybody has to wait."""

    @property
    def production(self) -> bool:
        """Whether the strict profile is on."""
        return self.profile == "production"

    @property
    def secure(self) -> bool:
        """Whether people reach the application by https."""
        return self.base_url.startswith("https://")

    @property
    def rests_on_a_secret(self) -> bool:
        """Whether an application of an Entra tenant proves itself by secrets alone, where it need not (SEC-027)."""
        others = self.client_certificate or self.client_assertion_file or not self.tenant_id
        return bool(self.client_secret or self.client_secrets) and not others

    @property
    def callback_uri(self) -> str:
        """The redirect URI that is sent to the authority, byte for byte (SEC-005)."""
        return self.redirect_uri or f"{self.base_url}{self.prefix}/callback"

    @property
    def onboarding_uri(self) -> str:
        """The redirect URI of the administrators' consent, to be registered beside that of sign-in."""
        return f"{self.base_url}{self.prefix}/onboarding/return"

    @property
    def entra_authority(self) -> str | None:
        """The authority in MSAL's form, or None for another OpenID provider."""
        if self.issuer:
            return None
        if self.b2c_tenant:
            name = self.b2c_tenant.partition(".")[0]
            base = self.b2c_authority or f"https://{name}.b2clogin.com/{self.b2c_tenant}"
            return f"{base.rstrip('/')}/{self.b2c_policy}"
        return self.authority or f"{ENTRA_HOST}/{self.tenant_id}"

    @property
    def sign_in_scopes(self) -> tuple[str, ...]:
        """The permissions asked for beside the reserved ones."""
        if self.b2c_tenant:
            return self.scopes or (self.client_id,)  # B2C's way to ask for an access token at all
        return self.scopes or (() if self.issuer else ("User.Read",))

    @property
    def api_identifiers(self) -> tuple[str, ...]:
        """What this API is called in `aud` beside client_id, without a final slash at Entra, which adds one at will."""
        if self.issuer:
            return self.api_audiences
        return tuple(each.rstrip("/") for each in self.api_audiences or (f"api://{self.client_id}",))

    @property
    def session_idle(self) -> timedelta:
        """The idle lifetime."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_absolute(self) -> timedelta:
        """The absolute lifetime."""
        return timedelta(days=self.session_expiry_days)

    @property
    def session_remembered(self) -> timedelta | None:
        """The lifetime of a session whose person chose to be remembered, never shorter; None without the choice."""
        return max(timedelta(days=self.remember_days), self.session_absolute) if self.remember_days else None

    @property
    def token_refresh_buffer(self) -> timedelta:
        """What an access token must have left to be handed out."""
        return timedelta(seconds=self.token_refresh_buffer_secs)

    @property
    def token_refresh_check_interval(self) -> timedelta:
        """How often tokens that will soon expire are looked for."""
        return timedelta(seconds=self.token_refresh_check_interval_secs)

    @property
    def sign_in_lifetime(self) -> timedelta:
        """How long one attempt to sign in may take."""
        return timedelta(minutes=self.sign_in_minutes)

    @property
    def served_hosts(self) -> frozenset[str]:
        """The host names that are answered, in lower case and without a port."""
        return frozenset(host.lower() for host in (urlsplit(self.base_url).hostname or "", *self.hosts))

    def keys_text(self) -> str | None:
        """Return the key ring's text form from the setting or its file, or None when neither is set."""
        if self.keys_file and self.keys_file.is_file():
            return self.keys_file.read_text("utf-8").strip()
        return self.keys.get_secret_value() if self.keys is not None else None
