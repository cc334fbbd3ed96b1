"""A failed sign-in, told at an address that has no code in it: what happened travels there sealed.

The callback's own address holds the authority's answer, which is nobody's to see or to bookmark. It leads on to this
page, once, and never to the authority (SEC-021).
"""

from datetime import datetime, timedelta

import msgspec

from entrada.clock import Clock
from entrada.keyring import Purpose
from entrada.sessions.sealing import Sealer

PURPOSE: Purpose = "failed-sign-in"
LIFETIME = timedelta(minutes=10)  # as long as an attempt; who reloads the page later reads that it is over
JUST_NOW = timedelta(seconds=30)  # a redirect takes no longer, and the count of visits is kept for a minute
LONGEST = 4096


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """What to say about one failed sign-in; all words are ours."""

    at: datetime
    status: int
    kind: str
    """The error's code."""
    title: str
    happened: str
    advice: str
    number: str | None
    """What can be looked up, such as AADSTS50011."""
    meaning: str | None
    correlation_id: str
    return_to: str | None
    again: str | None = None
    """Where it begins anew, where that is not a sign-in."""
    signed_in: tuple[str, str] | None = None
    """What happened and what to do, for somebody who is signed in still."""


class ToldLater:
    """Seals failures into addresses and opens them again."""

    def __init__(self, sealer: Sealer, *, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def seal(self, failure: Failure) -> str:
        """Return the failure as the value of a parameter."""
        return self._sealer.seal_text(msgspec.msgpack.encode(failure), purpose=PURPOSE, bound_to=())

    def open(self, text: str) -> Failure | None:
        """Return the failure; None when it was not sealed here, or is too old."""
        plain = self._sealer.open_text(text, purpose=PURPOSE, bound_to=()) if len(text) <= LONGEST else None
        if plain is None:
            return None
        try:
            failure = msgspec.msgpack.decode(plain, type=Failure)
        except msgspec.MsgspecError:
            return None
        return failure if self._age(failure) < LIFETIME else None

    def is_of_just_now(self, failure: Failure) -> bool:
        """Say whether it happened so lately that the browser must still have the cookies of the callback."""
        return self._age(failure) < JUST_NOW

    def _age(self, failure: Failure) -> timedelta:
        return self._clock() - failure.at
