"""The directory as a whole: tenants, people, groups and applications, with the look-ups everything else uses."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.directory.model import PERSONAL_TENANT, Application, Group, Policy, Tenant, User


@dataclass(frozen=True, slots=True)
class World:
    """An immutable directory. Build it with `world_checks.checked_world`, which refuses one that contradicts itself."""

    tenants: tuple[Tenant, ...]
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    applications: tuple[Application, ...] = ()
    policies: tuple[Policy, ...] = ()
    _tenants: dict[str, Tenant] = field(init=False, repr=False, compare=False)
    _users: dict[tuple[str, str], User] = field(init=False, repr=False, compare=False)
    _groups: dict[str, Group] = field(init=False, repr=False, compare=False)
    _applications: dict[str, Application] = field(init=False, repr=False, compare=False)
    _resources: dict[str, Application] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Builds the indexes."""
        known = (*self.applications, GRAPH)
        object.__setattr__(self, "_tenants", {name: t for t in self.tenants for name in _tenant_names(t)})
        object.__setattr__(self, "_users", {(u.tenant_id, u.id): u for u in self.users})
        object.__setattr__(self, "_groups", {g.id: g for g in self.groups})
        object.__setattr__(self, "_applications", {a.client_id: a for a in known})
        object.__setattr__(self, "_resources", {name: a for a in known for name in _resource_names(a)})

    def tenant(self, segment: str) -> Tenant | None:
        """The tenant that a path segment names: its GUID or a verified domain, in any case."""
        return self._tenants.get(segment.lower())

    def user(self, tenant_id: str, object_id: str) -> User | None:
        """The person with this object id in this tenant."""
        return self._users.get((tenant_id, object_id))

    def user_by_name(self, name: str, *, tenant_id: str | None = None) -> User | None:
        """The person who signs in with this name, in one tenant or in any.

        A user principal name counts first; then a verified mail address, if only one person has it. An unverified
        mail address never does: that is the hostile tenant's.
        """
        wanted = name.strip().lower()
        people = [u for u in self.users if tenant_id in {None, u.tenant_id}]
        by_upn = [u for u in people if u.user_principal_name.lower() == wanted]
        by_mail = [u for u in people if u.mail and u.mail_verified and not u.is_guest and u.mail.lower() == wanted]
        found = by_upn or (by_mail if len(by_mail) == 1 else [])
        return found[0] if found else None

    def users_of(self, tenant_id: str) -> tuple[User, ...]:
        """Everybody in one tenant, guests included, in the order of the file."""
        return tuple(u for u in self.users if u.tenant_id == tenant_id)

    def in_tenant(self, user: User, tenant_id: str) -> User | None:
        """Who this person is in a tenant: themselves at home, their guest entry elsewhere, or nobody."""
        home = home_of(user)
        at_home = self.user(home[0], home[1])
        if at_home is not None and at_home.tenant_id == tenant_id:
            return at_home
        return next((u for u in self.users_of(tenant_id) if u.is_guest and home_of(u) == home), None)

    def group(self, group_id: str) -> Group | None:
        """The group with this object id."""
        return self._groups.get(group_id)

    def groups_of(self, user: User) -> tuple[Group, ...]:
        """The groups a person belongs to, in the order of the person's entry."""
        return tuple(self._groups[group_id] for group_id in user.group_ids)

    def application(self, client_id: str) -> Application | None:
        """The app registration with this client id, in whichever tenant it lives."""
        return self._applications.get(client_id.lower())

    def available_in(self, application: Application, tenant_id: str) -> bool:
        """Whether people of the tenant can use the application: it lives there or takes other organisations."""
        if self.is_personal(tenant_id):
            return application.personal_accounts or application.client_id == GRAPH.client_id
        return application.multi_tenant or application.tenant_id == tenant_id

    def is_personal(self, tenant_id: str) -> bool:
        """Whether the id is that of all personal accounts."""
        return tenant_id == PERSONAL_TENANT

    def resource(self, identifier: str) -> Application | None:
        """The API that a scope names by client id or App ID URI; a trailing slash is forgiven."""
        return self._resources.get(identifier.lower().rstrip("/"))


def home_of(user: User) -> tuple[str, str]:
    """Home tenant id and home object id of a person: what `client_info` names as utid and uid."""
    return (user.home.tenant_id, user.home.object_id) if user.home else (user.tenant_id, user.id)


def _tenant_names(tenant: Tenant) -> Iterable[str]:
    return (tenant.id.lower(), *(domain.lower() for domain in tenant.domains))


def _resource_names(application: Application) -> Iterable[str]:
    return (application.client_id, *(uri.lower().rstrip("/") for uri in application.identifier_uris))
