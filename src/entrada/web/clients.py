"""HTTP clients that call an API as the person who is signed in (TOK-6)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import httpx2
from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.errors import EntradaError, InteractionRequired, RenewalRefused, ScopeNotAskedFor
from entrada.flows.challenge import claims_in
from entrada.provider.msal_cache import canonical
from entrada.web.context import Context, context_of
from entrada.web.failures import refuse
from entrada.web.outbound import Outbound

if TYPE_CHECKING:
    from entrada.flows.tokens import AccessToken


class ApiClient(httpx2.AsyncClient):
    """An AsyncClient for one API with the caller's access token, which never goes to another origin."""

    token_source: Literal["cache", "identity_provider"]
    """Whether the token was still valid or had to be renewed for this request."""

    def __init__(
        self,
        base: str,
        *,
        token: str,
        source: Literal["cache", "identity_provider"],
        outbound: Outbound,
        challenged: "Challenged",
    ) -> None:
        address = outbound.address(base)
        auth = _BearerTo(httpx2.URL(address), token, challenged)
        super().__init__(base_url=address, auth=auth, transport=outbound, trust_env=False, follow_redirects=False)
        self.token_source = source


Challenged: TypeAlias = Callable[[str, str], Awaitable[str]]
"""Gets another token in place of a refused one, for the claims of a challenge; raises what answers the request else."""


class _BearerTo(httpx2.Auth):
    """Adds the token to requests for one origin and to no others; answers its claims challenges, once for a request."""

    def __init__(self, base: httpx2.URL, token: str, challenged: Challenged) -> None:
        self._origin = _origin(base)
        self._token = token
        self._challenged = challenged

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if _origin(request.url) != self._origin:
            yield request
            return
        sent = self._token
        request.headers["authorization"] = f"Bearer {sent}"
        answer = yield request
        if answer.status_code != httpx2.codes.UNAUTHORIZED:
            return
        if claims := claims_in(answer.headers.get_list("www-authenticate")):
            self._token = await self._challenged(sent, claims)
            if isinstance(request.stream, httpx2.ByteStream):  # another body has been read, and cannot be sent again
                request.headers["authorization"] = f"Bearer {self._token}"
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
            return await _client_for(connection, context, base, scopes)
        except EntradaError as error:
            raise refuse(connection, error) from None

    dependency: Callable[[HTTPConnection], Awaitable[ApiClient]] = client
    return Depends(dependency)


async def _client_for(connection: HTTPConnection, context: Context, base: str, scopes: tuple[str, ...]) -> ApiClient:
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
    asked = canonical(context.house.settings.sign_in_scopes)
    return [scope for scope in scopes if not canonical([scope]) <= asked]


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
