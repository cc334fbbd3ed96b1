"""The words of a directory: tenants, people, groups and app registrations, as frozen values.

Names are those of Microsoft Graph and of the app manifest, in snake case. Nothing here changes while the emulator runs:
what changes (codes, refresh tokens, browser sessions, consents, the clock) is in `state`.
"""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

TENANT_MARK = "e7712ada-"
"""Every emulated tenant's id begins so: an issuer that contains it can be refused at sight (SEC-190)."""

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The one tenant of all personal accounts, which `consumers` stands for. Real clients know it by this id."""

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
"""The application id of Microsoft Graph, the same in every tenant."""

RedirectKind = Literal["web", "spa", "public"]
MfaMethod = Literal["totp", "push"]
TenantKind = Literal["workforce", "b2c", "external"]
FlowKind = Literal["sign_up_or_sign_in", "sign_in", "sign_up", "password_reset", "profile_edit", "ropc"]
RefreshSemantics = Literal["entra", "strict"]
ClientAcr = Literal["0", "1", "2"]
"""`azpacr` and `appidacr`: 0 for a public client, 1 for a secret, 2 for a certificate or a federated assertion."""


@dataclass(frozen=True, slots=True)
class UserFlow:
    """A policy of a B2C tenant, such as `B2C_1_susi`; names compare without case."""

    name: str
    kind: FlowKind = "sign_up_or_sign_in"
    resets_passwords: bool = False
    """Whether "forgot your password?" is part of this flow; else the application is told AADB2C90118."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation's directory."""

    id: str
    display_name: str
    domains: tuple[str, ...]
    region: str = "EU"
    country: str | None = None
    """Two letters, told as `tenant_ctry` where an application asks for it."""
    hostile: bool = False
    kind: TenantKind = "workforce"
    """`b2c` for Azure AD B2C, `external` for External ID; both have customers instead of employees."""
    user_flows: tuple[UserFlow, ...] = ()
    policy_in_issuer: bool = False
    """Whether a B2C issuer names the policy, as OpenID Connect Discovery needs it."""

    @property
    def default_domain(self) -> str:
        """The first verified domain, in lower case."""
        return self.domains[0]

    @property
    def is_personal(self) -> bool:
        """Whether it is that of personal accounts."""
        return self.id == PERSONAL_TENANT

    @property
    def name(self) -> str:
        """The first label of its domain: `birchshop` of `birchshop.onmicrosoft.com`."""
        return self.default_domain.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Group:
    """A security group or directory role of one tenant."""

    id: str
    tenant_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where a guest really lives: the object id and tenant id that `client_info` names."""

    object_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class User:
    """A person in one tenant; a guest is a second user, with its own `id`, and a `home`."""

    id: str
    tenant_id: str
    user_principal_name: str
    display_name: str
    password: str = field(repr=False)
    given_name: str = ""
    surname: str = ""
    mail: str | None = None
    mail_verified: bool = True
    job_title: str | None = None
    department: str | None = None
    country: str | None = None
    """Two letters, told as `ctry` where an application asks for it."""
    account_enabled: bool = True
    mfa_required: bool = False
    mfa_methods: tuple[MfaMethod, ...] = ()
    totp_secret: str | None = field(default=None, repr=False)
    group_ids: tuple[str, ...] = ()
    app_roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Client id of the application → values of the roles assigned there."""
    extensions: dict[str, str] = field(default_factory=dict)
    """Custom attributes of a customer, told as `extension_{name}`."""
    is_admin: bool = False
    """Whether the person may consent for the whole organisation, as a Global Administrator."""
    home: Home | None = None
    photo: bytes | None = field(default=None, repr=False)
    note: str = ""
    """What this person is good for, shown beside "sign in as"."""

    @property
    def is_guest(self) -> bool:
        """Whether the person belongs to another tenant."""
        return self.home is not None


@dataclass(frozen=True, slots=True)
class Policy:
    """A Conditional Access policy: for whom, where, and what it demands."""

    id: str
    tenant_id: str
    display_name: str
    users: tuple[str, ...] = ()
    """User principal names or object ids; none stands for everybody."""
    applications: tuple[str, ...] = ()
    """Client ids of applications or of the APIs they call; none stands for all."""
    authentication_contexts: tuple[str, ...] = ()
    """With these the policy counts only where a request asks for one of them, as `acrs`."""
    requires: Literal["mfa", "block", "nothing"] = "mfa"
    sign_in_frequency: timedelta | None = None
    """After this long the person has to prove themselves again."""


@dataclass(frozen=True, slots=True)
class RedirectUri:
    """A registered redirect URI and the kind that decides its redemption rules."""

    uri: str
    kind: RedirectKind = "web"


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret; `value` is kept in clear because the emulator has nothing to protect."""

    value: str = field(repr=False)
    display_name: str = "default"
    lifetime: timedelta | None = None
    """How long after the emulator's start it expires; None means never."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose key signs the application's assertions."""

    pem: str = field(repr=False)
    display_name: str = "default"


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """A foreign issuer whose token, about this subject and for this audience, proves the application."""

    issuer: str
    subject: str
    jwks: str = field(default="", repr=False)
    """The issuer's public keys as a JWK set; empty where the issuer is a tenant of this emulator."""
    audiences: tuple[str, ...] = ("api://AzureADTokenExchange",)
    name: str = "default"


@dataclass(frozen=True, slots=True)
class Scope:
    """A delegated permission that an API offers (`oauth2PermissionScopes`)."""

    value: str
    description: str
    admin_only: bool = False


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role of an application, for people, for applications or for both."""

    value: str
    display_name: str
    allowed_for: tuple[Literal["User", "Application"], ...] = ("User",)


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration with its service principal in each tenant that may use it."""

    client_id: str
    tenant_id: str
    display_name: str
    redirect_uris: tuple[RedirectUri, ...] = ()
    secrets: tuple[Secret, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    federated_credentials: tuple[FederatedCredential, ...] = ()
    multi_tenant: bool = False
    personal_accounts: bool = False
    """Whether people with a personal account may use it, besides those of organisations."""
    allow_public_client: bool = False
    identifier_uris: tuple[str, ...] = ()
    """App ID URIs, such as `api://{client_id}`."""
    scopes: tuple[Scope, ...] = ()
    app_roles: tuple[AppRole, ...] = ()
    granted_app_roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Client id of the resource → application roles granted to this application."""
    pre_consented: tuple[str, ...] = ()
    """Scopes, as an authorize request names them, that nobody in the home tenant is asked about."""
    logout_url: str | None = None
    """The front-channel logout URL."""
    assignment_required: bool = False
    access_token_version: Literal[1, 2] = 2
    """What the manifest calls `requestedAccessTokenVersion`: it decides the tokens for this API."""
    optional_id_claims: tuple[str, ...] = ()
    optional_access_claims: tuple[str, ...] = ()
    """Of tokens for this API; a property follows after a colon: `idtyp:include_user_token`, `aud:use_guid`."""
    groups_claim: bool = False
    custom_signing_key: bool = False
    """Whether tokens for it are signed with a key of its own, as claims mapping asks; see `?appid=` on its metadata."""
    enabled: bool = True
    kind: str = "web"
    """What the seed calls it: web, spa, public, daemon or api; only for people to read."""

    def object_id(self, tenant_id: str) -> str:
        """The service principal's object id in a tenant, derived so that it is stable."""
        return str(uuid.uuid5(uuid.UUID(self.client_id), tenant_id))
