"""One request passed on, and its answer passed back as it comes: nothing is held but what is on its way."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import anyio
import httpx2
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from entrada.errors import EntradaError, Unavailable
from entrada.flows.stepping_up.challenge import claims_in
from entrada.logs import log
from entrada.web.api_client import Sender
from entrada.web.clients import sender_for
from entrada.web.context import context_of
from entrada.web.embedding import refuse_other_sites
from entrada.web.failures import refuse
from entrada.web.let_in import LetIn
from entrada.web.middleware.headers import BrokenOff
from entrada.web.proxy.asked import Asked
from entrada.web.proxy.body import Body, ClientGone
from entrada.web.proxy.headers import is_event_stream
from entrada.web.proxy.meter import Meter, Passing
from entrada.web.proxy.presence import Presence
from entrada.web.proxy.upstream import Upstream

CONNECT_SECONDS = 5.0  # within one house; longer, and it is not there
FIRST_FINAL_STATUS = 200


class Forwarded(Response):
    """The answer of an upstream to one request."""

    def __init__(self, sender: Sender, asked: Asked, upstream: Upstream, meter: Meter) -> None:
        self.background: BackgroundTask | None = None
        self._sender = sender
        self._asked = asked
        self._upstream = upstream
        self._patience = upstream.patience.total_seconds()
        self._meter = meter
        self._begun = self._streams = False

    @classmethod
    async def begun(cls, request: Request, upstream: Upstream) -> "Forwarded":
        """Return it with the caller's token; Refused when the path or the token is refused."""
        context = context_of(request.scope)
        house = context.house
        try:
            refuse_other_sites(context)
            asked = Asked.of(request.scope, house.outbound.address(upstream.base))
        except EntradaError as error:
            raise refuse(request, error) from None
        outbound = house.outbound.apart(upstream.base)
        sender = await sender_for(request, upstream.base, upstream.scopes, outbound=outbound)
        return cls(sender, asked, upstream, house.numbers.of_upstream(upstream.base))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the request up and the answer down, as long as somebody waits for it who may have it."""
        context = context_of(scope)
        try:
            body = await Body.begun(scope["method"], context.headers, receive)
            presence = Presence(context, body, receive)
            async with presence:
                with self._meter.passing() as passing:
                    await self._pass_on(scope, body, send, passing)
        except ClientGone:
            return
        if presence.ended is not None:
            await self._end(scope, send, presence.ended)
        elif self.background is not None:
            await self.background()

    async def _pass_on(self, scope: Scope, body: Body, send: Send, passing: Passing) -> None:
        answer = await self._answer(scope, body)
        passing.begins(answer.status_code)
        try:
            await self._pass_back(answer, send)
        except (httpx2.TransportError, TimeoutError) as error:
            if not self._begun:
                raise
            log.warning("upstream_broke_off", host=self._asked.url.host, reason=type(error).__name__)
            raise _broken_off(scope) from None
        finally:
            with anyio.CancelScope(shield=True):
                await answer.aclose()

    async def _answer(self, scope: Scope, body: Body) -> httpx2.Response:
        """Return the head of the answer; errors like a client's, ReadTimeout when nothing happens for too long."""
        sent = self._request(scope, body)
        try:
            async with asyncio.timeout(self._patience) as waiting:
                body.on_pause = lambda: waiting.reschedule(None)  # then it is the client who is waited for
                body.on_piece = lambda: waiting.reschedule(asyncio.get_running_loop().time() + self._patience)
                answer = await self._sender.send(sent)
        except TimeoutError:
            raise httpx2.ReadTimeout("no answer in time", request=sent) from None
        body.read.set()  # nobody wants the rest, if the upstream did not
        if answer.status_code < FIRST_FINAL_STATUS:
            await answer.aclose()
            raise httpx2.RemoteProtocolError("an answer that is none", request=sent)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and not isinstance(sent.stream, httpx2.ByteStream):
            await self._refuse_half_sent(scope, answer)
        return answer

    def _request(self, scope: Scope, body: Body) -> httpx2.Request:
        context, url = context_of(scope), self._asked.url
        lines = [*self._asked.lines(scope, context, self._upstream), *body.measure(context.headers)]
        timeout = {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS, "read": None, "write": None}
        return httpx2.Request(scope["method"], url, headers=lines, stream=body.stream, extensions={"timeout": timeout})

    async def _refuse_half_sent(self, scope: Scope, answer: httpx2.Response) -> None:
        """Ask for a body once more that was read already, when there is a token now that does."""
        if claims_in(answer.headers.get_list("www-authenticate")):
            await answer.aclose()
            raise refuse(
                Request(scope), Unavailable("the upstream wanted another token; now it is there", retry_after=1)
            )

    async def _pass_back(self, answer: httpx2.Response, send: Send) -> None:
        lines = self._asked.lines_back(answer)
        self._streams = is_event_stream(lines)
        await send({"type": "http.response.start", "status": answer.status_code, "headers": lines})
        self._begun = True
        async for piece in self._pieces(answer):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self, answer: httpx2.Response) -> AsyncIterator[bytes]:
        """Give the body as it comes, still encoded; TimeoutError when it stops coming, but for events."""
        pieces = answer.aiter_raw()
        while True:
            async with asyncio.timeout(None if self._streams else self._patience):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece

    async def _end(self, scope: Scope, send: Send, ended: LetIn) -> None:
        """End what somebody gets who may not have it any more: events simply stop, anything else is not whole."""
        log.info("stream_closed", reason=ended.ending)
        if not self._begun:
            raise refuse(Request(scope), ended.refusal)
        if not self._streams:
            raise _broken_off(scope)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _broken_off(scope: Scope) -> BrokenOff:
    """Return what closes the connection, counted, whatever layers of the application are in between."""
    context, broken = context_of(scope), BrokenOff()
    context.broken_off = True
    context.house.numbers.refused(broken)
    return broken
