"""What came of the requests that were passed on to one upstream, and how long its answers were waited for."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from entrada.meters import Counts, Waits
from entrada.web.middleware.headers import BrokenOff
from entrada.web.proxy.body import ClientGone
from entrada.web.unreachable import SLOW

FIRST_FAULT = 500  # of the statuses by which a server says that it is at fault
ENDS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.CancelledError, "left"),
    (ClientGone, "left"),
    (BrokenOff, "broke_off"),
    *((each, "too_slow") for each in SLOW),
    (httpx2.TransportError, "unreachable"),
    (BaseException, "refused"),
)
OUTCOMES = ("answered", "failed", *dict.fromkeys(word for _, word in ENDS))


class Meter:
    """The numbers of one upstream."""

    def __init__(self) -> None:
        self.outcomes = Counts(OUTCOMES)
        self.waits = Waits()
        """How long it took until an answer began."""

    @contextmanager
    def passing(self) -> Iterator["Passing"]:
        """Count what comes of the request that is passed on in this block."""
        one = Passing(self.waits)
        try:
            yield one
        except BaseException as error:
            self.outcomes.add(next(word for kind, word in ENDS if isinstance(error, kind)))
            raise
        self.outcomes.add("failed" if one.status >= FIRST_FAULT else "answered")


class Passing:
    """One request on its way."""

    def __init__(self, waits: Waits) -> None:
        self.status = 0
        self._waits = waits
        self._began = time.monotonic()

    def begins(self, status: int) -> None:
        """Note that the answer begins."""
        self.status = status
        self._waits.add(time.monotonic() - self._began)
