"""A WebSocket passed on: the token goes with the handshake, then messages both ways as fast as the slower side reads.

It ends with the session, as every WebSocket that a session let in (`open_sockets`): here that looks like a browser that
has closed it, and the upstream is told so.
"""

import asyncio
import logging
import ssl
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import cast

import httpcore2
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from entrada.errors import ApiTooSlow, ApiUnavailable, EntradaError
from entrada.flows.stepping_up.challenge import claims_in
from entrada.logs import log
from entrada.provider.network import Reach, allowed_addresses, trusted_certificates
from entrada.settings import Settings
from entrada.web.clients import asking
from entrada.web.context import context_of
from entrada.web.failures import answer, refuse
from entrada.web.proxy.asked import Asked
from entrada.web.proxy.upstream import Upstream

LARGEST_MESSAGE = 16 * 1024 * 1024  # bytes; what servers take from browsers, too
CLOSE_SECONDS = 5.0  # for the other side to say goodbye
NORMAL, GOING_AWAY, NO_CODE, ABNORMAL, BAD_GATEWAY = 1000, 1001, 1005, 1006, 1014
SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})
QUIET = logging.Logger("entrada.upstream_sockets", logging.CRITICAL)  # that of the library would write the token


class Straight(connect):
    """A handshake that follows no redirect, least of all with a token."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Leave it at the answer."""
        return exc


async def join(websocket: WebSocket, upstream: Upstream) -> None:
    """Join the browser's WebSocket with one of the upstream's; refused before it is open if that cannot be."""
    try:
        upper = await _opened(websocket, upstream)
    except EntradaError as error:
        await _deny(websocket, answer(websocket, error), error)
    except InvalidStatus as refused:
        status = refused.response.status_code
        await _deny(websocket, Response(status_code=status), ApiUnavailable(f"the upstream answered {status}"))
    else:
        await _joined(websocket, upper)


async def _opened(websocket: WebSocket, upstream: Upstream) -> ClientConnection:
    """Return the WebSocket of the upstream; InvalidStatus when the upstream refuses whoever asks."""
    context = context_of(websocket.scope)
    handshake = Handshake(websocket, upstream)
    ask, again = await asking(context, upstream.scopes)
    token = (await ask()).value
    try:
        return await handshake.made(token)
    except InvalidStatus as refused:
        claims = claims_in(refused.response.headers.get_all("www-authenticate"))
        if refused.response.status_code != HTTPStatus.UNAUTHORIZED or not claims:
            raise
        return await handshake.made((await again(token, claims)).value)


class Handshake:
    """One handshake with the upstream, which may be made again with another token."""

    def __init__(self, websocket: WebSocket, upstream: Upstream) -> None:
        context = context_of(websocket.scope)
        self._settings: Settings = context.house.settings
        self._asked = Asked.of(websocket.scope, context.house.outbound.address(upstream.base))
        self._lines = self._asked.lines(websocket.scope, context, upstream)
        self._subprotocols = cast("list[Subprotocol]", list(websocket.scope.get("subprotocols", ())))
        self._patience = upstream.patience.total_seconds()

    async def made(self, token: str) -> ClientConnection:
        """Return the connection; ApiUnavailable, ApiTooSlow, or InvalidStatus with what the upstream said instead."""
        host = self._asked.url.host
        try:
            return await self._made(token)
        except InvalidStatus as refused:
            status = refused.response.status_code
            if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise ApiUnavailable(f"{host}: answered a handshake with {status}") from None
        except TimeoutError:
            raise ApiTooSlow(f"{host}: no handshake in time") from None
        except (OSError, InvalidHandshake, InvalidURI, httpcore2.ConnectError) as error:
            raise ApiUnavailable(f"{host}: {type(error).__name__}") from None

    async def _made(self, token: str) -> ClientConnection:
        url, secure = self._asked.url, self._asked.url.scheme == "https"
        reach = Reach(not self._settings.production, private_networks=self._settings.private_networks)
        port = url.port or (443 if secure else 80)
        failure: OSError = ConnectionRefusedError()
        for address in await allowed_addresses(url.host, port, reach):
            try:
                return await Straight(
                    str(url.copy_with(scheme="wss" if secure else "ws")),
                    host=address,
                    port=port,
                    additional_headers=self._headers(token),
                    subprotocols=self._subprotocols or None,
                    compression=None,
                    user_agent_header=None,
                    proxy=None,
                    open_timeout=self._patience,
                    close_timeout=CLOSE_SECONDS,
                    max_size=LARGEST_MESSAGE,
                    logger=QUIET,
                    ssl=_trust(self._settings.ca_file) if secure else None,
                )
            except TimeoutError:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _headers(self, token: str) -> list[tuple[str, str]]:
        lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._lines if name != b"host"]
        return [*lines, ("authorization", f"Bearer {token}")]


async def _joined(websocket: WebSocket, upper: ClientConnection) -> None:
    await websocket.accept(subprotocol=upper.subprotocol)
    going_up = asyncio.create_task(_up(websocket, upper))
    try:
        await _down(upper, websocket)
    finally:
        going_up.cancel()
        await asyncio.gather(going_up, return_exceptions=True)


async def _up(websocket: WebSocket, upper: ClientConnection) -> None:
    """Pass on what the browser says, and at the end why it went; whatever the end is, it is the upstream's too."""
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            text: str | None = message.get("text")
            await upper.send(message["bytes"] if text is None else text)
        code = message.get("code", NO_CODE)
        await upper.close(code if code in SENDABLE else GOING_AWAY, message.get("reason") or "")
    except ConnectionClosed:  # of which `_down` tells the browser
        pass
    finally:
        await upper.close(GOING_AWAY)


async def _down(upper: ClientConnection, websocket: WebSocket) -> None:
    """Pass on what the upstream says, and at the end why it went; the end of either is the end of this."""
    with suppress(WebSocketDisconnect, RuntimeError):  # the browser has gone, which `_up` tells the upstream
        with suppress(ConnectionClosed):
            while True:
                said = await upper.recv()
                await (websocket.send_text(said) if isinstance(said, str) else websocket.send_bytes(said))
        if websocket.client_state is WebSocketState.CONNECTED:
            await websocket.close(*_goodbye(upper))


def _goodbye(upper: ClientConnection) -> tuple[int, str]:
    """Return the code and reason for the browser: the upstream's own, or that it has gone without a word."""
    code = upper.close_code or ABNORMAL
    if code == NO_CODE:
        return NORMAL, ""
    return (code, upper.close_reason or "") if code in SENDABLE else (BAD_GATEWAY, "")


async def _deny(websocket: WebSocket, said: Response, error: EntradaError) -> None:
    """Refuse a handshake with an answer, where the server can give one."""
    log.info("socket_not_passed_on", reason=error.code)
    if "websocket.http.response" not in websocket.scope.get("extensions", {}):
        raise refuse(websocket, error)
    await websocket.send_denial_response(said)


@cache
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    return trusted_certificates(ca_file)
