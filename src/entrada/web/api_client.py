"""An HTTP client that carries the access token of the person who is signed in, and to one origin only (TOK-6)."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Literal, NoReturn, TypeAlias

import httpx2

from entrada.flows.stepping_up.challenge import claims_in
from entrada.web.outbound import Outbound

SENT_BY_US = "entrada.api_client"
"""The extension that marks the requests of an ApiClient."""


class ApiClient(httpx2.AsyncClient):
    """An AsyncClient for one API with the caller's access token, which never goes to another origin.

    An API that cannot be reached is httpx2's TransportError, as ever; where a path operation does not catch it, the
    answer is 502 `api_unavailable`.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> NoReturn:
        raise TypeError("an ApiClient is for one API: annotate the parameter with Annotated[ApiClient, api_client(…)]")

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


class Sender:
    """Sends requests to one API as an ApiClient does, but as they are: without its defaults, which take their time."""

    def __init__(self, base: str, *, token: str, outbound: Outbound, challenged: "Challenged") -> None:
        self._outbound = outbound
        self._auth = _BearerTo(httpx2.URL(outbound.address(base)), token, challenged)

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """Return the head of the answer, whose body is still to come; errors as of an ApiClient."""
        flow = self._auth.async_auth_flow(request)
        sent = await anext(flow)
        while True:
            answer = await self._outbound.handle_async_request(sent)
            try:
                sent = await flow.asend(answer)
            except StopAsyncIteration:
                return answer
            except BaseException:
                await answer.aclose()
                raise
            await answer.aclose()


class _BearerTo(httpx2.Auth):
    """Adds the token to requests for one origin and to no others; answers its claims challenges, once for a request."""

    def __init__(self, base: httpx2.URL, token: str, challenged: Challenged) -> None:
        self._origin = _origin(base)
        self._token = token
        self._challenged = challenged

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        request.extensions = {**request.extensions, SENT_BY_US: True}
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


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
