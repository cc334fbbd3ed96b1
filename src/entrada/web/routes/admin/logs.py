"""`/api/admin/audit-logs` and `/api/admin/users/{id}/audit-logs`: what happened, newest first; and the export."""

from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from entrada.audit.filters import Filter
from entrada.audit.log import MOST_AT_ONCE, MOST_OFFSET, Page
from entrada.audit.recorded import Recorded
from entrada.audit.rows import STREAMS
from entrada.events import EVENT_NAMES, Outcome
from entrada.flows.admin.desk import Desk
from entrada.web.context import context_of
from entrada.web.routes.admin import export, schemas
from entrada.web.routes.admin.asked import Query, user_id

PAGE = 100
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


async def list_logs(request: Request, desk: Desk) -> Response:
    """Answer a page of the log; `next` is where older rows begin, `looked_until`: a short page looked so far."""
    asked = Query(request, schemas.FILTER | schemas.PLACE)
    wanted = _filter(asked)
    limit, offset = _bounds(asked)
    page, total = await desk.log_and_total(wanted, limit=limit, after=asked.text("after"), offset=offset)
    counted = {"total": total.rows, "total_is_least": total.more, "limit": limit, "offset": offset}
    until = page.looked_until.isoformat() if page.looked_until else None
    return JSONResponse(_page(page) | counted | {"looked_until": until})


async def list_logs_of_user(request: Request, desk: Desk) -> Response:
    """Answer what one person did and what was done to them."""
    asked = Query(request, schemas.PLACE)
    limit, offset = _bounds(asked)
    page = await desk.history(user_id(request), limit=limit, after=asked.text("after"), offset=offset)
    return JSONResponse(_page(page) | {"limit": limit, "offset": offset})


async def export_logs(request: Request, desk: Desk) -> Response:
    """Send all rows that the filter lets through, as CSV or JSON; that they were asked for is in the log."""
    asked = Query(request, schemas.FILTER | schemas.FORMAT)
    bom = bool(asked.flag("bom"))
    form = asked.choice("format", export.FORMS) or "csv"
    shown = {"format": form} | asked.shown(but=("format", "bom"))
    rows = await desk.exported(_filter(asked), shown=shown)
    day = f"{context_of(request.scope).house.clock():%Y-%m-%d}"
    headers = {"content-disposition": f'attachment; filename="audit-log-{day}.{form}"'}
    entries = (entry(row) async for row in rows)
    lines = await export.begun(export.lines(form, entries, bom=bom))
    return StreamingResponse(lines, headers=headers, media_type=export.TYPES[form])


def entry(row: Recorded) -> dict[str, Any]:
    """Return one row as the API shows it; nobody's `user_id` is that of a person who was deleted."""
    kind, _, resource_id = (row.resource or "").partition(":")
    return {
        "id": row.id,
        "created_at": row.at.isoformat(),
        "action": row.action,
        "outcome": row.outcome,
        "reason": row.reason,
        "user_id": str(row.user.id) if row.user else None,
        "user_email": row.user.email if row.user else None,
        "display_name": row.user.name if row.user else row.label,
        "tenant_id": row.tenant_id,
        "resource_type": kind if resource_id else ("request" if row.resource else None),
        "resource_id": resource_id or row.resource,
        "details": dict(row.details),
        "ip_address": row.address,
        "user_agent": row.user_agent,
        "correlation_id": row.correlation_id,
        "uti": row.uti,
        "stream": row.stream,
    }


def _page(page: Page) -> dict[str, Any]:
    return {"logs": [entry(row) for row in page.rows], "next": page.next}


def _bounds(asked: Query) -> tuple[int, int]:
    limit = asked.number("limit", PAGE, least=1, most=MOST_AT_ONCE)
    return limit, asked.number("offset", 0, least=0, most=MOST_OFFSET)


def _filter(asked: Query) -> Filter:
    return Filter(
        actions=asked.choices("action", EVENT_NAMES),
        outcome=asked.choice("outcome", OUTCOMES),
        person=asked.uuid("user"),
        about=asked.uuid("about"),
        tenant_id=(asked.text("tenant") or "").lower() or None,
        address=asked.text("address"),
        since=asked.time("since"),
        until=asked.time("until"),
        stream=asked.choice("stream", STREAMS),
        correlation_id=asked.text("correlation_id"),
        text=asked.text("q"),
    )
