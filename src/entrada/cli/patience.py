"""A connection that sends no whole request in time is closed: uvicorn itself waits for the head of one without end.

The time for a body is the application's to bound (`web.request_size`), whatever server is in front of it.
"""

from asyncio import Protocol, TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from entrada.web.routes.health import STOPPING

MOST_HEAD_BYTES = 64 * 1024  # the application itself reads less
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

Base: Any = AutoHTTPProtocol


def patient(head_seconds: float) -> type[Protocol]:
    """Return the protocol that waits so long for the head of a request."""
    return type("Patient", (PatientProtocol,), {"head_seconds": head_seconds})


class PatientProtocol(Base):  # type: ignore[misc]
    """uvicorn's own protocol, with an end to its patience while no request is under way."""

    head_seconds = 10.0
    """How long a head may take to come; browsers open connections ahead of need, and another where one was closed."""
    _timer: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came; between two requests, wait for so long and so many bytes and no more."""
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self or self._under_way():
            self._stop_waiting()
            self._let_go()
            return
        self._head_bytes += 0 if self._body_on_its_way() else len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        elif self._timer is None:
            self._wait()

    @property
    def silent(self) -> bool:
        """Whether it has been opened and nothing whole has been asked on it yet."""
        return self.cycle is None and not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _let_go(self) -> None:
        """While the process drains, have each answer end its connection: no request shall meet one that is closing."""
        if self.app_state.get(STOPPING) and self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def _under_way(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _body_on_its_way(self) -> bool:
        """Say whether this is the rest of a body whose request was answered before it was whole."""
        return self.cycle is not None and self.cycle.more_body

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._close)

    def _stop_waiting(self) -> None:
        self._head_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if not self._under_way():
            self.transport.close()
