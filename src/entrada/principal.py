"""Who is calling, and by which way: a person in a session, a person through a client's bearer token, an application."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn

ADMIN_ROLE = "entrada:admin"
"""The role of this application's administrators. Only `entrada users promote` and administrators grant it: the word of
an authority for it does not count, for there may be many tenants, each with administrators of its own."""


@dataclass(frozen=True, slots=True, repr=False)
class _Vouched:
    """Marks a field that only the gate fills: FastAPI and pydantic never read its class out of a request.

    A route that would have it so is refused where it is defined, or anybody could be anybody (0366).
    """

    who: str
    instead: str
    """How a parameter is annotated."""

    def __repr__(self) -> str:
        return "vouched for"

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> NoReturn:
        raise TypeError(
            f"{self.who} is no data of a request or an answer, or anybody could be anybody: annotate the parameter "
            f"with {self.instead}; answer with a model of your own"
        )


@dataclass(frozen=True, slots=True, repr=False)
class _AtParameters:
    """Tells whoever puts an alias such as CurrentUser into a list of dependencies where it goes.

    FastAPI asks what stands there for its `dependency`, and an alias hands each question on to its class.
    """

    alias: str
    function: str

    def __get__(self, _instance: object, _owner: type) -> NoReturn:
        raise AttributeError(
            f"an alias such as {self.alias} annotates a parameter; in a list of dependencies write "
            f"Depends({self.function}) or requires(…)"
        )


@dataclass(frozen=True, slots=True)
class Delegation:
    """A client that acts for a person, and how far."""

    client_id: str
    """The client's id at the authority: `azp`, `appid` or `client_id`."""
    scopes: frozenset[str] = frozenset()
    """What it may do for the person: `scp`, or `scope`."""
    capabilities: frozenset[str] = field(default=frozenset(), repr=False)
    """`xms_cc` in lower case: cp1 says that it understands claims challenges."""


@dataclass(frozen=True, slots=True)
class User:
    """A person whom the authority vouched for; `key` is the only thing to store or compare.

    Names and addresses are for display: they change, and a tenant's administrator can write anything into them.
    """

    issuer: Annotated[str, _Vouched("User", "CurrentUser, OptionalUser or Annotated[User, requires(role('…'))]")]
    subject: str
    """`sub`: pairwise, the same for this person at this application."""
    tenant_id: str | None = None
    """`tid`, a GUID in lower case; None where the provider has no tenants."""
    object_id: str | None = None
    """`oid`, the person's id in the tenant's directory."""
    name: str = ""
    username: str = ""
    """`preferred_username`; display only."""
    email: str | None = None
    """Display only: never a key, never a reason to let anybody in (nOAuth)."""
    roles: frozenset[str] = frozenset()
    auth_time: datetime | None = None
    amr: tuple[str, ...] = ()
    acrs: frozenset[str] = frozenset()
    sid: str | None = field(default=None, repr=False)
    login_hint: str | None = field(default=None, repr=False)
    """The opaque claim that tells the authority whom to sign out."""

    acr: str | None = None
    groups: frozenset[str] = frozenset()
    """Object ids of groups, as far as they are known."""
    groups_overage: bool = False
    """Whether there were too many groups for the token, so that `groups` does not tell them (SEC-132)."""
    granted: frozenset[str] = frozenset()
    """Those of the roles that were granted here and did not come from the authority."""
    delegation: Delegation | None = None
    """Through whom the person calls, by a bearer token; None in a session, where nobody stands between."""
    dependency = _AtParameters("CurrentUser", "current_user")

    @property
    def scopes(self) -> frozenset[str]:
        """What the client between may do for the person; a session has none."""
        return self.delegation.scopes if self.delegation else frozenset()

    @property
    def way(self) -> Literal["session", "bearer"]:
        """By which way the person came in."""
        return "bearer" if self.delegation else "session"

    def with_grants(self, granted: frozenset[str]) -> "User":
        """Return the person with the authority's roles, and with these instead of what was granted before."""
        if not granted and not self.granted and ADMIN_ROLE not in self.roles:
            return self
        claimed = self.roles - self.granted - {ADMIN_ROLE}
        added = granted - claimed
        if added == self.granted and claimed | added == self.roles:
            return self
        return replace(self, roles=claimed | added, granted=added)

    @property
    def label(self) -> str:
        """How the person is shown where only a text can be; it says nothing about who it is."""
        name, username = self.name, self.username
        return f"{name} ({username})" if name and username and name != username else name or username

    @property
    def key(self) -> str:
        """The person's permanent key: tenant and object id at Entra, issuer and subject elsewhere."""
        if self.tenant_id and self.object_id:
            return f"{self.tenant_id}:{self.object_id}"
        return f"{self.issuer}|{self.subject}"


@dataclass(frozen=True, slots=True)
class App:
    """An application that calls for itself, by a bearer token of its own; no person is behind it."""

    issuer: Annotated[str, _Vouched("App", "CurrentApp or Annotated[App, requires(app_role('…'))]")]
    client_id: str
    """Its id at the authority: `azp`, `appid` or `client_id`."""
    subject: str
    tenant_id: str | None = None
    """`tid`, a GUID in lower case; None where the provider has no tenants."""
    object_id: str | None = None
    """`oid` of its service principal in that tenant."""
    roles: frozenset[str] = frozenset()
    """The app roles that an administrator granted to it."""
    dependency = _AtParameters("CurrentApp", "current_app")

    @property
    def key(self) -> str:
        """The application's permanent key: tenant and client id at Entra, issuer and client id elsewhere."""
        return f"{self.tenant_id or self.issuer}|app|{self.client_id}"


Principal = User | App
