"""The `Date` of each answer by the emulated clock, as the real service's is by its own: clients compare theirs."""

from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada_emulator.clock import Clock


class DateHeader:
    """Dates every answer; the server in front must not."""

    def __init__(self, app: ASGIApp, *, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and the answer with its date (RFC 9110, section 6.6.1)."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["date"] = format_datetime(self._clock.now(), usegmt=True)
            await send(message)

        await self._app(scope, receive, dated)
