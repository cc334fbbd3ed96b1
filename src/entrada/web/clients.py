"""The dependency that gives an HTTP client for an API, as the person who is signed in (TOK-6).

What it needs is loaded when the application is installed: an application that only names it does not wait for it.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.errors import EntradaError, InteractionRequired, RenewalRefused, ScopeNotAskedFor
from entrada.web.context import Context, context_of
from entrada.web.failures import refuse
from entrada.web.step_up import refused

if TYPE_CHECKING:
    from entrada.flows.tokens import AccessToken
    from entrada.web.api_client import ApiClient


def api_client(base: str, *scopes: str) -> Any:
    """Return a dependency that gives an ApiClient for `base` with the caller's token for `scopes`.

    The token comes from the session, renewed when it is about to expire. When the authority will not renew, the session
    ends and the person signs in again; when it wants consent to scopes that the setting `scopes` does not name, the
    answer is 403 and the session stays, for signing in again would not bring them. `https://graph.microsoft.com` means
    the Graph of the settings.
    """
    if not scopes:
        raise ValueError("api_client needs the scopes to ask for, such as 'User.Read'")

    async def client(connection: HTTPConnection) -> "ApiClient":
        context = context_of(connection.scope)
        try:
            return await _client_for(connection, context, base, scopes)
        except EntradaError as error:
            raise await refused(connection, error) from None

    dependency: Callable[[HTTPConnection], Awaitable[ApiClient]] = client
    return Depends(dependency)


async def _client_for(connection: HTTPConnection, context: Context, base: str, scopes: tuple[str, ...]) -> "ApiClient":
    from entrada.web.api_client import ApiClient

    session = await context.require_session()
    tokens = context.house.tokens

    async def challenged(refused: str, claims: str) -> str:
        asked = tokens.challenged(session, scopes, refused=refused, claims=claims, tell=context.tell)
        try:
            return (await _had(context, scopes, asked)).value
        except EntradaError as error:
            raise refuse(connection, error) from None

    token = await _had(context, scopes, tokens.for_session(session, scopes, tell=context.tell))
    return ApiClient(
        base, token=token.value, source=token.source, outbound=context.house.outbound, challenged=challenged
    )


async def _had(context: Context, scopes: tuple[str, ...], asked: "Awaitable[AccessToken]") -> "AccessToken":
    try:
        return await asked
    except InteractionRequired as required:  # the session goes on: the person takes the step, or does without
        missing = () if required.claims else _never_asked_for(context, scopes)
        if missing:
            raise ScopeNotAskedFor(f"add {', '.join(missing)} to ENTRADA_SCOPES: sign-in does not ask for it") from None
        raise
    except RenewalRefused:
        context.forget_session()
        raise


def _never_asked_for(context: Context, scopes: tuple[str, ...]) -> list[str]:
    """Return those of an API's scopes that no sign-in asks for, so that signing in again would not bring them."""
    from entrada.provider.msal_cache import canonical

    asked = canonical(context.house.settings.sign_in_scopes)
    return [scope for scope in scopes if not canonical([scope]) <= asked]
