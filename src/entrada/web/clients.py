"""HTTP clients that call an API as the person who is signed in (TOK-6)."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Literal

import httpx2
from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.errors import EntradaError, InteractionRequired, RenewalRefused, ScopeNotAskedFor
from entrada.provider.msal_cache import canonical
from entrada.web.context import Context, context_of
from entrada.web.failures import refuse
from entrada.web.outbound import Outbound


class ApiClient(httpx2.AsyncClient):
    """An AsyncClient for one API with the caller's access token, which never goes to another origin."""

    token_source: Literal["cache", "identity_provider"]
    """Whether the token was still valid or had to be renewed for this request."""

    def __init__(
        self, base: str, *, token: str, source: Literal["cache", "identity_provider"], outbound: Outbound
    ) -> None:
        address = outbound.address(base)
        auth = _BearerTo(httpx2.URL(address), token)
        super().__init__(base_url=address, auth=auth, transport=outbound, trust_env=False, follow_redirects=False)
        self.token_source = source


class _BearerTo(httpx2.Auth):
    """Adds the token to requests for one origin and to no others."""

    def __init__(self, base: httpx2.URL, token: str) -> None:
        self._origin = _origin(base)
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if _origin(request.url) == self._origin:
            request.headers["authorization"] = self._header
        yield request


def api_client(base: str, *scopes: str) -> Any:
    """Return a dependency that gives an ApiClient for `base` with the caller's token for `scopes`.

    The token comes from the session, renewed when it is about to expire. When the authority will not renew, the session
    ends and the person signs in again; when it wants consent to scopes that the setting `scopes` does not name, the
    answer is 403 and the session stays, for signing in again would not bring them. `https://graph.microsoft.com` means
    the Graph of the settings.
    """
    if not scopes:
        raise ValueError("api_client needs the scopes to ask for, such as 'User.Read'")

    async def client(connection: HTTPConnection) -> ApiClient:
        context = context_of(connection.scope)
        try:
            return await _client_for(context, base, scopes)
        except EntradaError as error:
            raise refuse(connection, error) from None

    dependency: Callable[[HTTPConnection], Awaitable[ApiClient]] = client
    return Depends(dependency)


async def _client_for(context: Context, base: str, scopes: tuple[str, ...]) -> ApiClient:
    session = await context.require_session()
    try:
        token = await context.house.tokens.for_session(session, scopes, tell=context.tell)
    except InteractionRequired as required:  # the session goes on: the person takes the step, or does without
        if missing := _never_asked_for(context, scopes):
            raise ScopeNotAskedFor(f"add {', '.join(missing)} to ENTRADA_SCOPES: sign-in does not ask for it") from None
        await context.tell("renewal_failed", user=session.user, reason=required.code)
        raise
    except RenewalRefused:
        context.forget_session()
        raise
    return ApiClient(base, token=token.value, source=token.source, outbound=context.house.outbound)


def _never_asked_for(context: Context, scopes: tuple[str, ...]) -> list[str]:
    """Return those of an API's scopes that no sign-in asks for, so that signing in again would not bring them."""
    asked = canonical(context.house.settings.sign_in_scopes)
    return [scope for scope in scopes if not canonical([scope]) <= asked]


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
