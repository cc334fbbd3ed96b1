"""`/api/admin/statistics` and `/api/admin/health`: how much happens, and how the application does."""

import secrets
from datetime import timedelta
from typing import get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada.errors import AuthorityUnavailable, NotAllowed
from entrada.flows.admin.condition import Condition, answers
from entrada.flows.admin.desk import Desk
from entrada.flows.admin.statistics import SPANS, Per, Span
from entrada.web.context import House, context_of
from entrada.web.routes.admin import schemas
from entrada.web.routes.admin.asked import Query

PER: tuple[Per, ...] = get_args(Per)
SHOWN = {"hour": timedelta(days=1), "day": timedelta(days=30)}  # when nobody says since when


async def show_statistics(request: Request, desk: Desk) -> Response:
    """Answer how many signed in and failed, by the day or by the hour (UTC)."""
    asked = Query(request, schemas.WHEN)
    per = asked.choice("per", PER) or "day"
    until = asked.time("until") or context_of(request.scope).house.clock()
    since = asked.time("since") or until - SHOWN[per] + SPANS[per]
    spans = await desk.statistics(since=since, until=until, per=per)
    return JSONResponse(
        {
            "per": per,
            "since": spans[0].at.isoformat(),
            "until": until.isoformat(),
            "spans": [_span(span) for span in spans],
        }
    )


def _span(span: Span) -> dict[str, object]:
    shown: dict[str, object] = {"at": span.at.isoformat(), "people": span.people, "renewals": span.renewals}
    return shown | {"active_sessions": span.active_sessions} | dict(span.counts)


async def show_health(request: Request, desk: Desk) -> Response:
    """Answer how the worker that was asked does; for those who see everybody, as it is not one tenant's."""
    Query(request, {})
    if desk.scope.tenant_id is not None:
        raise NotAllowed("an administrator of this application's operator")
    house = context_of(request.scope).house
    condition = await condition_of(house)
    return JSONResponse(
        {
            "status": "ok" if condition.good else "attention",
            "parts": {part: "ok" if good else "unavailable" for part, good in condition.parts.items()},
            "failing": list(condition.failing),
            "audit": {"waiting": condition.audit_waiting, "lost": condition.audit_lost},
            "credential_days": condition.credential_days,
        }
    )


async def condition_of(house: House) -> Condition:
    """Return how the application does just now."""

    async def authority() -> None:
        if not house.discovery.ready and not await house.discovery.prepare():
            raise AuthorityUnavailable("metadata or keys are missing")

    async def store() -> None:
        await house.sessions.load(secrets.token_urlsafe(32))

    trail = house.audit.trail
    return Condition(
        parts=await answers({"store": store, "users": house.database.check, "authority": authority}),
        failing=tuple(house.chores.failing),
        audit_waiting=trail.waiting,
        audit_lost=trail.lost,
        credential_days=house.expiry.days_left(),
    )
