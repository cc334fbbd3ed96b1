"""The emulated tenant in a process of its own, where many sessions of one person began: `… storm_authority NUMBER`.

Prints one JSON line with its port, the person and a refresh token for each session; serves until its input ends, then
prints how many token requests it has answered and how many it answered at a time.
"""

import asyncio
import json
import sys
import threading
from typing import Any

import uvicorn
from entrada_emulator.app import create_app
from entrada_emulator.directory import seeds
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.refresh import RefreshGrant
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.tokens import pairwise_sub

PERSON = "mia@birch.example"
SCOPES = ("openid", "profile", "email", "offline_access", "User.Read")


class Counted:
    """The emulator, with a count of what its token endpoint is asked."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.total = self.now = self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand on and count."""
        asked = scope["type"] == "http" and scope["path"].endswith("/token")
        self.total += asked
        self.now += asked
        self.most = max(self.most, self.now)
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= asked


def _begun(emulator: Emulator, *, sessions: int) -> dict[str, Any]:
    """Return the person, and the refresh tokens of so many sign-ins of theirs."""
    world, state = emulator.world, emulator.state
    user, application = world.user_by_name(PERSON), world.application(seeds.WEB_APP)
    if user is None or application is None:
        raise LookupError(PERSON)
    permissions = parse_scopes(world, SCOPES).permissions(application)
    state.consents.grant(application.client_id, user=user, permissions=permissions)
    now = state.clock.now()
    tokens = [
        state.refresh_tokens.issue(
            RefreshGrant(
                client_id=application.client_id,
                redirect_kind=application.redirect_uris[0].kind,
                tenant_id=user.tenant_id,
                user_id=user.id,
                scopes=SCOPES,
                sid=f"session-{number}",
                auth_time=now,
                amr=("pwd",),
                first_issued_at=now,
            )
        )
        for number in range(sessions)
    ]
    person = {"subject": pairwise_sub(application.client_id, user), "object_id": user.id, "tenant_id": user.tenant_id}
    person |= {"issuer": f"https://login.microsoftonline.com/{user.tenant_id}/v2.0", "username": PERSON, "name": "Mia"}
    return {"person": person, "refresh_tokens": tokens}


async def serve(sessions: int) -> None:
    """Serve until the input ends."""
    inner = create_app()
    app = Counted(inner)
    begun = _begun(inner.state.emulator, sessions=sessions)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))

    def stop_with_parent() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    print(json.dumps({"port": server.servers[0].sockets[0].getsockname()[1], **begun}), flush=True)
    await task
    print(json.dumps({"asked": app.total, "at_a_time": app.most}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
