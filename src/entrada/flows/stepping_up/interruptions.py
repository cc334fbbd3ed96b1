"""Requests on hold: a form that met a step-up waits, sealed beside the session's tokens, and is sent again once.

It is bound to the session's row and person by the seal, goes over to the session of the same person's step-up and to no
other, and ends with it. Whoever takes it has it alone: the store replaces one version by one successor.
"""

import math
import secrets
from datetime import datetime, timedelta

from entrada.clock import Clock
from entrada.errors import NotSignedIn, StoreUnavailable
from entrada.flows.renewing.schedule import Schedule
from entrada.sessions.held import Interrupted
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session, SessionTokens

MOST_BYTES = 64 * 1024  # of one body; a form that people fill in has a few kilobytes
MOST_HELD = 3  # of one session: as many tabs at once
LIFETIME = timedelta(minutes=10)  # as long as an attempt to sign in
ID_BYTES = 16
MOST_COLLISIONS = 20  # with renewals and other tabs; each round one of them gets through


class Interruptions:
    """Holds requests and gives them back."""

    def __init__(self, sessions: Sessions, schedule: Schedule, *, clock: Clock) -> None:
        self._sessions = sessions
        self._schedule = schedule
        self._clock = clock

    async def hold(self, session: Session, *, address: str, content_type: str, body: bytes) -> str:
        """Keep a request, the oldest making room; return its id. NotSignedIn when the session has just ended."""
        until = math.ceil((self._clock() + LIFETIME).timestamp())
        request = Interrupted(secrets.token_urlsafe(ID_BYTES), until, address, content_type, body)
        for _ in range(MOST_COLLISIONS):
            tokens = await self._tokens(session)
            if await self._put(session, tokens, (*self._living(tokens), request)[-MOST_HELD:]):
                return request.id
        raise StoreUnavailable("the session was changed by too many requests at once")

    async def look(self, session: Session, request_id: str) -> Interrupted | None:
        """Return a request that waits in this session."""
        return _named(self._living(await self._tokens(session)), request_id)

    async def take(self, session: Session, request_id: str) -> Interrupted | None:
        """Return a request and hold it no longer: to one caller, on whichever worker."""
        for _ in range(MOST_COLLISIONS):
            tokens = await self._tokens(session)
            living = self._living(tokens)
            request = _named(living, request_id)
            if request is None:
                return None
            if await self._put(session, tokens, tuple(each for each in living if each is not request)):
                return request
        raise StoreUnavailable("the session was changed by too many requests at once")

    async def _tokens(self, session: Session) -> SessionTokens:
        tokens = await self._sessions.tokens(session)
        if tokens is None:
            raise NotSignedIn("the session has ended")
        return tokens

    async def _put(self, session: Session, tokens: SessionTokens, requests: tuple[Interrupted, ...]) -> bool:
        return await self._sessions.hold_requests(session, tokens, requests, due_at=self._due_at(tokens))

    def _due_at(self, tokens: SessionTokens) -> datetime | None:
        """Return when the tokens want renewal, as whoever noted the last failure or step has left it."""
        if tokens.step:
            return None
        return tokens.retry_at if tokens.retry_at > self._clock() else self._schedule.due_at(tokens.blob)

    def _living(self, tokens: SessionTokens) -> tuple[Interrupted, ...]:
        now = self._clock().timestamp()
        return tuple(request for request in tokens.interrupted if now < request.until)


def _named(requests: tuple[Interrupted, ...], request_id: str) -> Interrupted | None:
    return next((each for each in requests if secrets.compare_digest(each.id.encode(), request_id.encode())), None)
