"""`GET {prefix}/me`: who is signed in (SES-9)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada.web.context import context_of
from entrada.web.embedding import PRIVATE, refuse_embedding


async def me(request: Request) -> Response:
    """Answer the user and the times of the session; 401 without one. Never a token."""
    context = context_of(request.scope)
    refuse_embedding(context)
    session = await context.require_session()
    user = session.user
    document = {
        "key": user.key,
        "name": user.name,
        "username": user.username,
        "email": user.email,
        "tenant_id": user.tenant_id,
        "roles": sorted(user.roles),
        "amr": list(user.amr),
        "auth_time": user.auth_time.isoformat() if user.auth_time else None,
        "session": {
            "created_at": session.created_at.isoformat(),
            "last_seen_at": session.last_seen_at.isoformat(),
            "idle_expires_at": session.idle_expires_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
        },
    }
    return JSONResponse(document, headers=PRIVATE)
