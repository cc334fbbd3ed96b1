"""What an application asks of a policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from entrada_emulator.b2c.errors import B2CError
from entrada_emulator.b2c.policy import PolicyPath
from entrada_emulator.clients.checks import TenantPath, checked_challenge, registered_redirect
from entrada_emulator.directory.model import Application
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, noted
from entrada_emulator.signing_in.authorization_request import RESPONSE_MODES, Client, ResponseMode, correlation_id_of

PROMPTS = frozenset({"", "none", "login", "consent", "select_account"})
OLDEST = 2**31 - 1  # seconds
SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """An authorization request at a policy."""

    path: PolicyPath
    client: Client
    scope: tuple[str, ...]
    prompt: str = ""
    login_hint: str = ""
    max_age: int | None = None
    """In seconds."""
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    code_challenge_method: Literal["S256", "plain"] | None = None
    client_info: bool = False


@dataclass(frozen=True, slots=True)
class ApiScopes:
    """The resource of an access token: an API of the tenant, or the client itself."""

    resource: Application
    values: tuple[str, ...]


def client_of(world: World, path: PolicyPath, given: Mapping[str, str]) -> Client:
    """Who asks. Every `B2CError` it raises is to be shown, never redirected."""
    if not given.get("client_id"):
        raise B2CError(90008)
    application = application_of(world, path, given["client_id"])
    redirect_uri = given.get("redirect_uri", "")
    try:
        registered = registered_redirect(application, redirect_uri)
    except EntraError:
        raise B2CError(90006, redirect_uri=redirect_uri[:256], client_id=application.client_id) from None
    mode = given.get("response_mode") or "query"
    return Client(
        path=TenantPath(path.name, path.tenant),
        application=application,
        redirect_uri=redirect_uri,
        registered=registered,
        response_mode=cast("ResponseMode", mode) if mode in RESPONSE_MODES else "query",
        state=given.get("state"),
        correlation_id=correlation_id_of(given),
    )


@checking("application")
def application_of(world: World, path: PolicyPath, client_id: str) -> Application:
    """The application, if it is registered in this tenant. Raises 90018."""
    application = world.application(client_id)
    if application is None or application.tenant_id != path.tenant.id or not application.enabled:
        raise B2CError(90018, client_id=client_id[:64], tenant=path.tenant.default_domain)
    noted(application=application.display_name, client_id=application.client_id, policy=path.flow.name)
    return application


def policy_request(world: World, path: PolicyPath, client: Client, given: Mapping[str, str]) -> PolicyRequest:
    """What is asked. Every `B2CError` it raises goes to the client's redirect URI."""
    if given.get("response_type") != "code":
        raise B2CError(90013, response_type=given.get("response_type", "")[:64])
    if given.get("response_mode", "query") not in RESPONSE_MODES:
        raise B2CError(90014, response_mode=given["response_mode"][:64])
    if not given.get("scope"):
        raise B2CError(90010)
    if given.get("prompt", "") not in PROMPTS:
        raise B2CError(90043)
    scope = tuple(given["scope"].split())
    api_scopes(world, path, client.application, scope)
    return PolicyRequest(
        path=path,
        client=client,
        scope=scope,
        prompt=given.get("prompt", ""),
        login_hint=given.get("login_hint", "")[:256],
        max_age=_max_age(given.get("max_age", "")),
        nonce=given.get("nonce"),
        code_challenge=given.get("code_challenge") or None,
        code_challenge_method=_challenge_method(client, given),
        client_info=given.get("client_info") == "1",
    )


@checking("scopes")
def api_scopes(world: World, path: PolicyPath, application: Application, scope: tuple[str, ...]) -> ApiScopes | None:
    """The API that the scopes name, or the client itself by its id; None for sign-in alone. Raises 90012."""
    named: dict[str, list[str]] = {}
    for word in scope:
        if word in SIGN_IN_SCOPES:
            continue
        if word.lower() == application.client_id:
            named.setdefault(application.client_id, [])
            continue
        identifier, _, value = word.rpartition("/")
        resource = world.resource(identifier) if identifier else None
        if resource is None or resource.tenant_id != path.tenant.id or value not in {s.value for s in resource.scopes}:
            raise B2CError(90012, scope=word[:256])
        named.setdefault(resource.client_id, []).append(value)
    if not named:
        return None
    client_id, values = next(iter(named.items()))
    return ApiScopes(world.application(client_id) or application, tuple(values))


def _max_age(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(OLDEST)) and int(text) <= OLDEST):
        raise B2CError(90120, max_age=text[:64], most=str(OLDEST))
    return int(text)


def _challenge_method(client: Client, given: Mapping[str, str]) -> Literal["S256", "plain"] | None:
    challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
    if not challenge and client.registered.kind == "spa":
        raise B2CError(99059)
    try:
        return checked_challenge(challenge, method, redirect=client.registered)
    except EntraError:
        raise B2CError(90184) from None
