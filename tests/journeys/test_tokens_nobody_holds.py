"""Tokens that a renewal brings for nobody: whose session ended meanwhile, or by what the renewal said (RFC 7009)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from entrada_emulator.pytest_plugin import Entra

from entrada import User
from tests.front_door import BASE, SESSION, FrontDoor
from tests.journeys.test_back_channel import session_of
from tests.journeys.test_ended_elsewhere import asked, handles, revoked
from tests.journeys.test_sign_out_elsewhere import application
from tests.journeys.test_sign_out_elsewhere import provider as provider  # noqa: PLC0414
from tests.standard_provider import StandardProvider


class Rotating:
    """The provider in front of whose answers to token requests something else happens; refresh tokens rotate."""

    def __init__(self, provider: StandardProvider) -> None:
        self.provider = provider
        self.answers = 0
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if scope["path"] == "/token" and "body" in message:
                self.answers += 1
                message = message | {"body": message["body"].replace(b'"refresh-', b'"token%d-' % self.answers)}
                first, self.meanwhile = self.meanwhile, None
                if first:
                    await first()
            await send(message)

        await self.provider(scope, receive, sent)


async def renewal(door: FrontDoor, session: str) -> int:
    """Have the session's token renewed, which is over; return how the application answers."""
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    return (await door.raw("GET", f"{BASE}/graph", headers=headers)).status_code


async def test_signed_out_while_the_provider_answers(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """OUT-1, SEC-097: the successor that arrives after the sign-out is revoked like the token that it follows."""
    rotating = Rotating(provider)
    async with application(entra, rotating, tmp_path, scopes=("User.Read",), session_idle_minutes=600) as door:
        session = await session_of(door, provider, sub="ada", sid="one")
        known = await handles(door, session)
        entra.state.clock.move(timedelta(hours=1))
        rotating.meanwhile = lambda: asked(door, session, known[True])
        assert await renewal(door, session) == 401
        assert await revoked(provider, number=2) == ["token1-0", "token2-0"]


async def test_refused_by_what_the_renewal_says(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """SEC-134: whom the application's rule lets in no more is out, and the token that told of it is taken back."""
    welcome = {"ada"}

    def rule(user: User) -> User | None:
        return user if user.subject in welcome else None

    rotating = Rotating(provider)
    values = {"scopes": ("User.Read",), "session_idle_minutes": 600, "options": {"provision": rule}}
    async with application(entra, rotating, tmp_path, **values) as door:
        session = await session_of(door, provider, sub="ada", sid="one")
        welcome.clear()
        entra.state.clock.move(timedelta(hours=1))
        assert await renewal(door, session) == 401
        assert await revoked(provider, number=1) == ["token2-0"]
