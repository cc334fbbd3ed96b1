"""The authorization request, as a value that only the checks can make.

Two kinds of refusal: until application and redirect URI are known to belong together, a fault is shown at the authority
and never redirected; after that it goes to the redirect URI. Source: sections 2.1 to 2.4 of the Entra facts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from entrada_emulator.clients.checks import (
    ChallengeMethod,
    TenantPath,
    application_at,
    checked_challenge,
    registered_redirect,
    tenant_path,
)
from entrada_emulator.directory.model import Application, RedirectUri
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, skipped
from entrada_emulator.issuing.scopes import RequestedScopes, parse_scopes
from entrada_emulator.signing_in.claims_request import parse_claims
from entrada_emulator.signing_in.login_hint import username_of

ResponseMode = Literal["query", "fragment", "form_post"]
Purpose = Literal["code", "admin_consent", "device_code"]
Parameters = Mapping[str, str]

PROMPTS = frozenset({"login", "none", "consent", "select_account", "create"})
RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NOT_ENABLED = {"token": 700051, "id_token": 700054}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application with a redirect URI that is registered for it. Only `registered_client` makes one."""

    path: TenantPath
    application: Application
    redirect_uri: str
    """As the request names it: on localhost the port may differ from the registration."""
    registered: RedirectUri
    response_mode: ResponseMode = "query"
    state: str | None = field(default=None, repr=False)
    correlation_id: str = ""
    """The request's `client-request-id`, if it is a GUID."""
    version: Literal[1, 2] = 2
    """Of the endpoint that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a client asks of a person."""

    client: Client
    purpose: Purpose = "code"
    scope: tuple[str, ...]
    """As the client named them."""
    scopes: RequestedScopes
    prompts: frozenset[str] = frozenset()
    username_hint: str = ""
    """The user principal name that `login_hint` stands for."""
    domain_hint: str | None = None
    sid: str | None = None
    max_age: int | None = None
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    code_challenge_method: ChallengeMethod | None = None
    client_info: bool = False
    user_code: str = field(default="", repr=False)
    """What the waiting device shows, where the sign-in is for one."""
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def for_organisation(self) -> bool:
        """Whether an administrator is asked to agree for everybody."""
        return self.purpose == "admin_consent"

    @property
    def silent(self) -> bool:
        """Whether no page may be shown."""
        return "none" in self.prompts


def registered_client(world: World, segment: str, parameters: Parameters) -> Client:
    """Who asks. Every `EntraError` it raises is to be shown at the authority, never redirected."""
    path = tenant_path(world, segment)
    application = _application(world, path, _required(parameters, "client_id"))
    redirect_uri = parameters.get("redirect_uri") or _only_redirect_uri(application)
    registered = registered_redirect(application, redirect_uri)
    mode = parameters.get("response_mode") or "query"
    return Client(
        path=path,
        application=application,
        redirect_uri=redirect_uri,
        registered=registered,
        response_mode=cast("ResponseMode", mode) if mode in RESPONSE_MODES else "query",
        state=parameters.get("state"),
        correlation_id=correlation_id_of(parameters),
    )


def authorization_request(world: World, client: Client, parameters: Parameters) -> AuthorizationRequest:
    """What is asked. Every `EntraError` it raises goes to the client's redirect URI."""
    _check_response(parameters)
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    with checking("scopes"):
        scope = _required(parameters, "scope")
        scopes = parse_scopes(world, scope, tenant=client.path.directory)
    return AuthorizationRequest(
        client=client,
        scope=tuple(scope.split()),
        scopes=scopes,
        prompts=_prompts(parameters),
        username_hint=username_of(world, parameters.get("login_hint", "")),
        domain_hint=(parameters.get("domain_hint") or "").lower() or None,
        sid=parameters.get("sid") or None,
        max_age=_max_age(parameters.get("max_age")),
        nonce=parameters.get("nonce"),
        code_challenge=challenge or None,
        code_challenge_method=checked_challenge(challenge, method, redirect=client.registered),
        client_info=parameters.get("client_info") == "1",
        claims=parse_claims(parameters.get("claims")),
    )


def correlation_id_of(parameters: Parameters) -> str:
    """The caller's `client-request-id` where it is a GUID, so that nothing else is ever repeated on a page."""
    given = parameters.get("client-request-id", "")
    return given.lower() if GUID.fullmatch(given) else ""


def _application(world: World, path: TenantPath, client_id: str) -> Application:
    if world.application(client_id) is None:
        # A page names the directory that was asked; only the token endpoint says that the id is of nothing at all.
        raise EntraError(700016, client_id=client_id, tenant=path.directory)
    return application_at(world, client_id, path)


def _only_redirect_uri(application: Application) -> str:
    """The registered one where the request may leave it out because there is no choice."""
    if len(application.redirect_uris) != 1:
        raise EntraError(900971)
    return application.redirect_uris[0].uri


@checking("response_type")
def _check_response(parameters: Parameters) -> None:
    response_type = _required(parameters, "response_type")
    if response_type != "code":
        first = next((word for word in response_type.split() if word in NOT_ENABLED), "")
        raise EntraError(NOT_ENABLED.get(first, 70005), response_type=response_type)
    if parameters.get("response_mode", "query") not in RESPONSE_MODES:
        raise EntraError(90023, reason="unsupported response_mode")
    if "resource" in parameters:
        raise EntraError(901002)


@checking("prompt")
def _prompts(parameters: Parameters) -> frozenset[str]:
    prompts = frozenset(parameters.get("prompt", "").split())
    if not prompts:
        skipped("prompt", "The request has none: pages are shown where they are needed.")
    if not prompts <= PROMPTS:
        raise EntraError(90023, reason="unsupported prompt value")
    if "none" in prompts and len(prompts) > 1:
        raise EntraError(90023, reason="prompt=none cannot be combined with another value")
    if "select_account" in prompts and parameters.get("login_hint"):
        raise EntraError(90005)
    return prompts


def _max_age(value: str | None) -> int | None:
    if value is None or value == "":
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 9):  # noqa: PLR2004 - thirty years in seconds
        raise EntraError(90023, reason="max_age must be a number of seconds")
    return int(value)


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not value:
        raise EntraError(900144, parameter=name)
    return value
