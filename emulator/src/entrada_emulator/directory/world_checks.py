"""What a directory must satisfy; each fault says where it is and how to mend it."""

import re
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from entrada_emulator.clients.checks import is_registered
from entrada_emulator.clients.credentials import BadCredential, read_certificate, read_key_set
from entrada_emulator.directory.model import (
    GRAPH_APP_ID,
    TENANT_MARK,
    Application,
    Group,
    Policy,
    RedirectUri,
    Tenant,
    User,
)
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError
from entrada_emulator.issuing.scopes import parse_scopes

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1"})
REDIRECT_URI_LENGTH = 256  # §2.3 of the Entra facts: longer ones are refused at registration
FORBIDDEN_IN_REDIRECT = re.compile(r"[!$'(),;\s#*\\]")
FLOW_NAME = re.compile(r"B2C_1A?_[A-Za-z0-9_-]{1,60}", re.IGNORECASE)
CUSTOM_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")

T = TypeVar("T")

Fault = tuple[str, str]
"""Place in the directory, such as `users[3].group_ids`, and what is wrong with how to mend it."""


class WorldError(ValueError):
    """The directory contradicts itself. The text names every place and its mend."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{place}: {text}" for place, text in self.faults))


def checked_world(
    *,
    tenants: tuple[Tenant, ...],
    users: tuple[User, ...] = (),
    groups: tuple[Group, ...] = (),
    applications: tuple[Application, ...] = (),
    policies: tuple[Policy, ...] = (),
) -> World:
    """A directory that holds together; raises `WorldError` that lists everything wrong at once."""
    world = World(tenants, users, groups, applications, policies)
    faults = [fault for check in CHECKS for fault in check(world)]
    if faults:
        raise WorldError(faults)
    return world


def with_redirect_uris(world: World, application: Application, uris: tuple[str, ...]) -> World:
    """The directory with more redirect URIs of one application, of the kind that it has; raises `WorldError`."""
    kind = application.redirect_uris[0].kind if application.redirect_uris else "web"
    more = tuple(RedirectUri(uri, kind) for uri in uris if not is_registered(application, uri))
    changed = replace(application, redirect_uris=(*application.redirect_uris, *more))
    return checked_world(
        tenants=world.tenants,
        users=world.users,
        groups=world.groups,
        applications=tuple(changed if one == application else one for one in world.applications),
        policies=world.policies,
    )


def tenants_are_marked(world: World) -> Iterator[Fault]:
    """Every tenant id is a GUID that begins with the mark."""
    if not world.tenants:
        yield "tenants", "there is none; list at least one"
    for at, tenant in enumerate(world.tenants):
        if not is_guid(tenant.id) or not (tenant.id.startswith(TENANT_MARK) or tenant.is_personal):
            told = f"must be a lower-case GUID that begins with {TENANT_MARK!r}, or that of personal accounts"
            yield f"tenants[{at}].id", f"{tenant.id!r} {told}"
        if not tenant.domains:
            yield f"tenants[{at}].domains", "there is none; name at least one verified domain"


def identifiers_are_unique(world: World) -> Iterator[Fault]:
    """No two things share an id, a domain, a user principal name or an App ID URI."""
    yield from _repeated("tenants", world.tenants, lambda t: [t.id, *(d.lower() for d in t.domains)])
    yield from _repeated("users", world.users, lambda u: [u.id])
    yield from _repeated("users", world.users, lambda u: [u.user_principal_name.lower()])
    yield from _repeated("groups", world.groups, lambda g: [g.id])
    yield from _repeated("applications", world.applications, lambda a: [a.client_id])
    yield from _repeated("applications", world.applications, lambda a: [uri.lower() for uri in a.identifier_uris])


def people_fit(world: World) -> Iterator[Fault]:
    """Each person's tenant, home, groups and roles exist."""
    for at, user in enumerate(world.users):
        place = f"users[{at}]"
        yield from _guid(f"{place}.id", user.id)
        yield from _known_tenant(world, place, user.tenant_id)
        if user.home and world.user(user.home.tenant_id, user.home.object_id) is None:
            yield f"{place}.home", "nobody has this object_id in that tenant_id; add the person at home first"
        yield from _groups_fit(world, place, user)
        for client_id, roles in user.app_roles.items():
            yield from _roles_fit(world, f"{place}.app_roles", client_id, roles, "User")


def groups_fit(world: World) -> Iterator[Fault]:
    """Each group belongs to a known tenant."""
    for at, group in enumerate(world.groups):
        yield from _guid(f"groups[{at}].id", group.id)
        yield from _known_tenant(world, f"groups[{at}]", group.tenant_id)


def applications_fit(world: World) -> Iterator[Fault]:
    """Each application's ids, tenant, redirect URIs and granted roles are sound."""
    for at, application in enumerate(world.applications):
        place = f"applications[{at}]"
        yield from _guid(f"{place}.client_id", application.client_id)
        if application.client_id == GRAPH_APP_ID:
            yield f"{place}.client_id", "Microsoft Graph is always there; leave it out"
        yield from _known_tenant(world, place, application.tenant_id)
        for number, redirect in enumerate(application.redirect_uris):
            yield from _redirect_uri_fits(f"{place}.redirect_uris[{number}]", redirect)
        yield from _scopes_fit(world, f"{place}.pre_consented", application)
        for client_id, roles in application.granted_app_roles.items():
            yield from _roles_fit(world, f"{place}.granted_app_roles", client_id, roles, "Application")


def credentials_fit(world: World) -> Iterator[Fault]:
    """Each certificate and each foreign key set can be read."""
    for at, application in enumerate(world.applications):
        place = f"applications[{at}]"
        for number, certificate in enumerate(application.certificates):
            yield from _readable(f"{place}.certificates[{number}].pem", partial(read_certificate, certificate.pem))
        for number, federated in enumerate(application.federated_credentials):
            yield from _readable(f"{place}.federated_credentials[{number}].jwks", partial(read_key_set, federated.jwks))


def user_flows_fit(world: World) -> Iterator[Fault]:
    """A B2C tenant has user flows, each with a name of its own that B2C would take; no other tenant has any."""
    for at, tenant in enumerate(world.tenants):
        place = f"tenants[{at}].user_flows"
        if tenant.kind == "b2c" and not tenant.user_flows:
            yield place, "there is none; a tenant of kind b2c needs at least one, such as {name: B2C_1_susi}"
        if tenant.kind != "b2c" and tenant.user_flows:
            yield place, "only a tenant of kind b2c has user flows"
        yield from _repeated(place, tenant.user_flows, lambda flow: [flow.name.lower()])
        for number, flow in enumerate(tenant.user_flows):
            if not FLOW_NAME.fullmatch(flow.name):
                yield f"{place}[{number}].name", f"{flow.name!r} must begin with B2C_1_ or B2C_1A_"


def policies_fit(world: World) -> Iterator[Fault]:
    """Each policy's tenant, people and applications exist."""
    yield from _repeated("policies", world.policies, lambda p: [p.id])
    for at, policy in enumerate(world.policies):
        yield from policy_fits(world, f"policies[{at}]", policy)


def policy_fits(world: World, place: str, policy: Policy) -> Iterator[Fault]:
    """What is wrong with one policy."""
    yield from _guid(f"{place}.id", policy.id)
    yield from _known_tenant(world, place, policy.tenant_id)
    for name in policy.users:
        by_name = world.user_by_name(name, tenant_id=policy.tenant_id)
        if by_name is None and world.user(policy.tenant_id, name) is None:
            yield f"{place}.users", f"nobody in that tenant is called {name!r}"
    for client_id in policy.applications:
        if world.application(client_id) is None:
            yield f"{place}.applications", f"no application has the client_id {client_id!r}"


CHECKS: tuple[Callable[[World], Iterator[Fault]], ...] = (
    tenants_are_marked,
    identifiers_are_unique,
    groups_fit,
    people_fit,
    applications_fit,
    credentials_fit,
    user_flows_fit,
    policies_fit,
)


def is_guid(text: str) -> bool:
    """Whether the text is a GUID as Entra writes it: lower case, with hyphens."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _guid(place: str, text: str) -> Iterator[Fault]:
    if not is_guid(text):
        yield place, f"{text!r} must be a lower-case GUID"


def _known_tenant(world: World, place: str, tenant_id: str) -> Iterator[Fault]:
    if all(tenant.id != tenant_id for tenant in world.tenants):
        yield f"{place}.tenant_id", f"no tenant has the id {tenant_id!r}; add it under tenants or correct it"


def _groups_fit(world: World, place: str, user: User) -> Iterator[Fault]:
    for group_id in user.group_ids:
        group = world.group(group_id)
        if group is None or group.tenant_id != user.tenant_id:
            yield f"{place}.group_ids", f"no group {group_id!r} in the person's tenant; add it under groups"


def _roles_fit(world: World, place: str, client_id: str, roles: tuple[str, ...], member: str) -> Iterator[Fault]:
    application = world.application(client_id)
    if application is None:
        yield place, f"no application has the client_id {client_id!r}"
        return
    offered = {role.value for role in application.app_roles if member in role.allowed_for}
    for role in roles:
        if role not in offered:
            yield (
                place,
                f"{application.display_name!r} offers no role {role!r} for {member}; it offers {sorted(offered)}",
            )


def _scopes_fit(world: World, place: str, application: Application) -> Iterator[Fault]:
    for scope in application.pre_consented:
        try:
            parse_scopes(world, scope)
        except EntraError as refused:
            yield place, f"{scope!r} is offered by no application; {refused.text}"


def _redirect_uri_fits(place: str, redirect: RedirectUri) -> Iterator[Fault]:
    parts = urlsplit(redirect.uri)
    if len(redirect.uri) > REDIRECT_URI_LENGTH or FORBIDDEN_IN_REDIRECT.search(redirect.uri):
        yield f"{place}.uri", f"{redirect.uri!r} is longer than 256 characters or has one that is not allowed"
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
        yield f"{place}.uri", f"{redirect.uri!r} must be https, except on localhost"
    elif parts.scheme not in {"http", "https"} and (
        redirect.kind != "public" or not CUSTOM_SCHEME.fullmatch(parts.scheme)
    ):
        yield f"{place}.uri", f"{redirect.uri!r} must be https; only kind public may have a scheme of its own"
    elif parts.scheme in {"http", "https"} and not parts.hostname:
        yield f"{place}.uri", f"{redirect.uri!r} names no host"


def _readable(place: str, read: Callable[[], object]) -> Iterator[Fault]:
    try:
        read()
    except BadCredential as refused:
        yield place, str(refused)


def _repeated(place: str, things: tuple[T, ...], names: Callable[[T], Iterable[Hashable]]) -> Iterator[Fault]:
    seen: set[Hashable] = set()
    for at, thing in enumerate(things):
        for name in names(thing):
            if name in seen:
                yield f"{place}[{at}]", f"{name!r} is already taken; give it another"
            seen.add(name)
