"""`GET /health` and `GET /ready`: for whoever watches the process; in production no detail for strangers."""

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada.errors import AuthorityUnavailable, EntradaError
from entrada.logs import log
from entrada.web.context import House, context_of
from entrada.web.failures import status_of
from entrada.web.routes.watchers import may_see_details

FRESH = {"cache-control": "no-store"}
STOPPING = "entrada_stopping"
"""The key under which a server that was told to stop says so in the life span's state."""


async def health(_request: Request) -> Response:
    """Answer that the process lives."""
    return JSONResponse({"status": "ok"}, headers=FRESH)


async def ready(request: Request) -> Response:
    """Answer whether to send people here: not while metadata, keys or a store are missing, nor while it is stopping.

    `failing` names the background work that went wrong when it was last done, and `users` while their database does
    not answer: nobody signs in then, but whoever is signed in goes on, which only people who are sent here can do.
    `credential_days` counts the days until a client secret or certificate ends, from 30 days before. In production both
    are for those who may read `/metrics`; everybody else gets the status alone.
    """
    context = context_of(request.scope)
    house = context.house
    if request.scope.get("state", {}).get(STOPPING):
        return JSONResponse({"status": "stopping"}, 503, headers={"retry-after": "5", **FRESH})
    for part, check in (("store", _store), ("authority", _authority)):
        try:
            await check(house)
        except EntradaError as error:
            log.warning("not_ready", part=part, reason=str(error))
            return JSONResponse({"status": "unavailable"}, status_of(error), headers={"retry-after": "5", **FRESH})
    if not may_see_details(context):
        return JSONResponse({"status": "ready"}, headers=FRESH)
    troubles = {"failing": await _failing(house) or None, "credential_days": house.expiry.days_left()}
    shown = {name: value for name, value in troubles.items() if value is not None}
    return JSONResponse({"status": "ready", **shown}, headers=FRESH)


async def _failing(house: House) -> list[str]:
    try:
        await house.database.check()
    except EntradaError as error:
        log.warning("users_database_not_reached", reason=str(error))
        return sorted((*house.chores.failing, "users"))
    return list(house.chores.failing)


async def _store(house: House) -> None:
    await house.sessions.load(secrets.token_urlsafe(32))


async def _authority(house: House) -> None:
    if not house.discovery.ready and not await house.discovery.prepare():
        raise AuthorityUnavailable("metadata or keys are missing")
