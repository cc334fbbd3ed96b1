"""The dependencies that give an HTTP client for another API: as whoever calls, or as the application itself (TOK-6).

What they need is loaded when the application is installed: an application that only names them does not wait for it.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from entrada.errors import BearerRefused, EntradaError, InteractionRequired, RenewalRefused, ScopeNotAskedFor
from entrada.provider.aadsts import ScopesRefused
from entrada.requirements import Anybody
from entrada.web import bearer
from entrada.web.context import Context, context_of
from entrada.web.failures import refuse
from entrada.web.needed import Needed
from entrada.web.requires import ruled
from entrada.web.step_up import refused

if TYPE_CHECKING:
    from entrada.flows.renewing.handed_out import AccessToken
    from entrada.web.api_client import ApiClient, Challenged, Sender
    from entrada.web.outbound import Outbound

Ask = Callable[[], Awaitable["AccessToken"]]
Again = Callable[[str, str], Awaitable["AccessToken"]]
"""Gets another token than the refused one, for the claims of a challenge."""


def api_client(base: str, *scopes: str) -> Any:
    """Return a dependency that gives an ApiClient for `base` with the caller's token for `scopes`.

    In a session the token is the session's, renewed when it is about to expire. When the authority will not renew, the
    session ends and the person signs in again; when it wants consent to scopes that the setting `scopes` does not name,
    the answer is 403 and the session stays, for signing in again would not bring them. Who calls by bearer token gets a
    token on behalf of that person (Entra only); a step that the authority wants first is handed on to the caller as a
    claims challenge. `https://graph.microsoft.com` means the Graph of the settings.
    """
    if not scopes:
        raise ValueError("api_client needs the scopes to ask for, such as 'User.Read'")
    _check_base(base)

    async def client(connection: HTTPConnection) -> "ApiClient":
        return await client_for(connection, base, scopes)

    dependency: Callable[[HTTPConnection], Awaitable[ApiClient]] = client
    return Needed(ruled(dependency, Anybody()), written="api_client(…)")


def app_client(base: str, *scopes: str) -> Any:
    """Return a dependency that gives an ApiClient for `base` with a token of the application's own, whoever calls.

    By client credentials: at Entra name one scope, such as `api://…/.default`; other providers take several, or none.
    It can do what the application was granted, so let in only those who may have that done: beside `requires(…)`.
    Where people of several Entra tenants are let in, the token is of the caller's tenant: there a stranger gets 401.
    """
    _check_base(base)

    async def client(connection: HTTPConnection) -> "ApiClient":
        context = context_of(connection.scope)
        downstream = context.house.tokens.downstream
        try:
            tenant_id = await _tenant(context)
            return await _client(
                connection,
                base,
                lambda: downstream.for_itself(scopes, tenant_id=tenant_id),
                lambda old, claims: downstream.challenged_itself(
                    scopes, tenant_id=tenant_id, refused=old, claims=claims
                ),
            )
        except ScopesRefused as error:
            raise refuse(connection, _for_operators(error, scopes)) from None
        except EntradaError as error:
            raise refuse(connection, error) from None

    dependency: Callable[[HTTPConnection], Awaitable[ApiClient]] = client
    return Needed(dependency, written="app_client(…)")


async def client_for(connection: HTTPConnection, base: str, scopes: tuple[str, ...]) -> "ApiClient":
    """Return what `api_client` gives."""
    try:
        ask, again = await asking(context_of(connection.scope), scopes)
        return await _client(connection, base, ask, again)
    except EntradaError as error:
        raise await refused(connection, error) from None


async def sender_for(
    connection: HTTPConnection, base: str, scopes: tuple[str, ...], *, outbound: "Outbound"
) -> "Sender":
    """Return what sends requests as they are, with the token that `api_client` would have, by these connections."""
    from entrada.web.api_client import Sender

    try:
        ask, again = await asking(context_of(connection.scope), scopes)
        token = await ask()
    except EntradaError as error:
        raise await refused(connection, error) from None
    return Sender(base, token=token.value, outbound=outbound, challenged=_challenged(connection, again))


async def asking(context: Context, scopes: tuple[str, ...]) -> tuple[Ask, Again]:
    """Return what asks for the caller's token for these scopes, and for another after a claims challenge."""
    return await (_by_bearer if context.bearer else _by_session)(context, scopes)


def _for_operators(error: ScopesRefused, scopes: tuple[str, ...]) -> ScopeNotAskedFor:
    """Return what is raised instead: scopes that nobody gets tokens for are no outage of the authority's."""
    return ScopeNotAskedFor(f"{' '.join(scopes)}: {error}")


def _check_base(base: str) -> None:
    if not base.startswith(("https://", "http://")):
        raise ValueError("the API's address begins with https://, such as https://graph.microsoft.com/v1.0/")


async def _client(connection: HTTPConnection, base: str, ask: Ask, again: Again) -> "ApiClient":
    from entrada.web.api_client import ApiClient

    token, outbound = await ask(), context_of(connection.scope).house.outbound
    challenged = _challenged(connection, again)
    return ApiClient(base, token=token.value, source=token.source, outbound=outbound, challenged=challenged)


def _challenged(connection: HTTPConnection, again: Again) -> "Challenged":
    """Return what answers the claims challenges of an API within this request."""

    async def challenged(old: str, claims: str) -> str:
        try:
            return (await again(old, claims)).value
        except EntradaError as error:
            raise await refused(connection, error, begun=True) from None

    return challenged


async def _tenant(context: Context) -> str | None:
    """Return the tenant of whoever calls, where there are several; None where there is one, or none."""
    if not context.house.discovery.authority.many:
        return None
    if context.bearer:
        return (await bearer.principal_of(context)).tenant_id
    return (await context.require_session()).user.tenant_id


async def _by_session(context: Context, scopes: tuple[str, ...]) -> tuple[Ask, Again]:
    session, tokens = await context.require_session(), context.house.tokens

    async def had(asked: "Awaitable[AccessToken]") -> "AccessToken":
        try:
            return await asked
        except ScopesRefused as no_one:
            raise _for_operators(no_one, scopes) from None
        except InteractionRequired as required:  # the session goes on: the person takes the step, or does without
            missing = () if required.claims else _never_asked_for(context, scopes)
            if missing:
                hint = f"add {', '.join(missing)} to ENTRADA_SCOPES: sign-in does not ask for it"
                raise ScopeNotAskedFor(hint) from None
            raise
        except RenewalRefused:
            context.forget_session()
            raise

    return (
        lambda: had(tokens.for_session(session, scopes, tell=context.tell)),
        lambda old, claims: had(tokens.challenged(session, scopes, refused=old, claims=claims, tell=context.tell)),
    )


async def _by_bearer(context: Context, scopes: tuple[str, ...]) -> tuple[Ask, Again]:
    tenant_id = bearer.person(await bearer.principal_of(context)).tenant_id
    assertion, downstream = bearer.token_of(context), context.house.tokens.downstream

    async def had(asked: "Awaitable[AccessToken]") -> "AccessToken":
        try:
            return await asked
        except ScopesRefused as no_one:
            raise _for_operators(no_one, scopes) from None
        except InteractionRequired as required:
            if required.claims:  # our caller takes them to the authority, and comes back with another token
                raise
            hint = f"consent to {', '.join(scopes)} is missing: grant it to this application in the portal"
            raise ScopeNotAskedFor(f"{hint} ({required})") from None
        except RenewalRefused as over:
            raise BearerRefused("on_behalf_of: the authority does not take the token any more") from over

    return (
        lambda: had(downstream.for_person(assertion, scopes, tenant_id=tenant_id)),
        lambda old, claims: had(
            downstream.challenged(assertion, scopes, tenant_id=tenant_id, refused=old, claims=claims)
        ),
    )


def _never_asked_for(context: Context, scopes: tuple[str, ...]) -> list[str]:
    """Return those of an API's scopes that no sign-in asks for, so that signing in again would not bring them."""
    from entrada.provider.clients.msal_cache import canonical

    asked = canonical(context.house.settings.sign_in_scopes)
    return [scope for scope in scopes if not canonical([scope]) <= asked]
