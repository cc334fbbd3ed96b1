"""The `scope` parameter: which resources a client asks for and with which permissions."""

from collections.abc import Iterable
from dataclasses import dataclass

from entrada_emulator.directory.consents import Consents, Permission
from entrada_emulator.directory.graph_resource import GRAPH, OIDC_SCOPES
from entrada_emulator.directory.model import Application, User
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError

DEFAULT = ".default"
REGISTERED_UNASKED = ("User.Read",)
"""What the portal puts into every new registration."""


@dataclass(frozen=True, slots=True)
class ResourceScopes:
    """What is asked of one resource."""

    resource: Application
    identifier: str
    """As the client wrote it; a version 1 token repeats it in `aud`."""
    values: tuple[str, ...]
    """Scope values as the resource spells them; empty with `.default`."""
    is_default: bool = False

    def wire(self, value: str) -> str:
        """A granted scope as the token response names it: short for Graph, in full for other APIs."""
        return value if self.resource is GRAPH else f"{self.identifier}/{value}"


@dataclass(frozen=True, slots=True)
class RequestedScopes:
    """A parsed scope parameter."""

    oidc: tuple[str, ...]
    apis: tuple[ResourceScopes, ...]
    """One per resource, in the order of their first mention."""

    @property
    def first(self) -> ResourceScopes:
        """The resource a token is for: the first one named, or Graph when only OpenID scopes are."""
        return self.apis[0] if self.apis else ResourceScopes(GRAPH, GRAPH.client_id, ())

    def check_one_resource(self) -> None:
        """Raises 700022 when several resources are named: a token is for one."""
        if len(self.apis) > 1:
            raise EntraError(700022)

    def permissions(self, application: Application) -> frozenset[Permission]:
        """Everything that needs consent. `.default` stands for what the application's registration asks of the API."""
        asked = {Permission(GRAPH.client_id, scope) for scope in self.oidc}
        for api in self.apis:
            values = _registered(application, api) if api.is_default else api.values
            asked |= {Permission(api.resource.client_id, value) for value in values}
        return frozenset(asked)


def parse_scopes(world: World, scope: str | Iterable[str], *, tenant: str = "") -> RequestedScopes:
    """Reads a scope parameter.

    Raises 70011 for a scope nobody offers or a mix of `.default` with named scopes, 500011 for a resource that is not
    known in the `tenant` of that name.
    """
    words = scope.split() if isinstance(scope, str) else list(scope)
    oidc = tuple(name for name in OIDC_SCOPES if name in {_oidc_name(word) for word in words})
    known: dict[str, Application] = {}
    found: dict[str, list[tuple[str, str]]] = {}
    for word in words:
        if _oidc_name(word) is None:
            identifier, value = _split(word)
            resource = world.resource(identifier)
            if resource is None:
                raise EntraError(500011, resource=identifier, tenant=tenant)
            known[resource.client_id] = resource
            found.setdefault(resource.client_id, []).append((identifier, _offered(resource, value, word)))
    apis = (_of_resource(known[client_id], asked) for client_id, asked in found.items())
    return RequestedScopes(oidc, tuple(apis))


def parse_client_credentials_scope(world: World, scope: str, *, tenant: str) -> ResourceScopes:
    """The resource of an application's own token: exactly one `{resource}/.default`; anything else raises 70011.

    The scopes of OpenID mean nothing here and are let be: MSAL for Go sends them along with every request.
    """
    requested = parse_scopes(world, scope, tenant=tenant)
    if len(requested.apis) != 1 or not requested.apis[0].is_default:
        raise EntraError(70011, scope=scope)
    return requested.apis[0]


def granted_permissions(
    world: World, consents: Consents, application: Application, *, user: User
) -> frozenset[Permission]:
    """What the application may do for the person: by its registration in its own tenant, and by consent."""
    registered: frozenset[Permission] = frozenset()
    if application.tenant_id == user.tenant_id:
        registered = parse_scopes(world, application.pre_consented).permissions(application)
    return registered | consents.granted(application.client_id, user=user)


def missing_permissions(
    world: World, consents: Consents, application: Application, *, user: User, requested: RequestedScopes
) -> frozenset[Permission]:
    """What nobody has agreed to yet. `.default` asks only when nothing at all is granted on its resource."""
    granted = granted_permissions(world, consents, application, user=user)
    settled = {
        api.resource.client_id
        for api in requested.apis
        if api.is_default and any(p.resource == api.resource.client_id for p in granted)
    }
    return frozenset(
        p
        for p in requested.permissions(application) - granted
        if p.resource not in settled or p.value in requested.oidc
    )


def _registered(application: Application, api: ResourceScopes) -> tuple[str, ...]:
    names = {uri.rstrip("/") for uri in (*api.resource.identifier_uris, api.resource.client_id)}
    named = tuple(_split(scope)[1] for scope in application.pre_consented if _split(scope)[0].rstrip("/") in names)
    if api.resource is GRAPH:
        return named or REGISTERED_UNASKED
    return named or tuple(scope.value for scope in api.resource.scopes if not scope.admin_only)


def _split(word: str) -> tuple[str, str]:
    """`api://x/y` → (`api://x`, `y`); a bare word is Graph's."""
    identifier, slash, value = word.rpartition("/")
    return (identifier, value) if slash else (GRAPH.client_id, word)


def _oidc_name(word: str) -> str | None:
    identifier, value = _split(word)
    is_graph = identifier.rstrip("/") in (GRAPH.client_id, *GRAPH.identifier_uris)
    return value.lower() if is_graph and value.lower() in OIDC_SCOPES else None


def _offered(resource: Application, value: str, word: str) -> str:
    if value == DEFAULT:
        return DEFAULT
    offered = next((scope.value for scope in resource.scopes if scope.value.lower() == value.lower()), None)
    if offered is None:
        raise EntraError(70011, scope=word)
    return offered


def _of_resource(resource: Application, asked: list[tuple[str, str]]) -> ResourceScopes:
    identifier = asked[0][0]
    values = tuple(dict.fromkeys(value for _, value in asked))
    if DEFAULT in values and len(values) > 1:
        raise EntraError(70011, scope=f"{identifier}/{DEFAULT}")
    return ResourceScopes(
        resource,
        identifier,
        () if DEFAULT in values else values,
        is_default=DEFAULT in values,
    )
