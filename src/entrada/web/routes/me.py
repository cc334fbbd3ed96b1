"""`GET {prefix}/me`: who is signed in (SES-9)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada.errors import CsrfRefused
from entrada.web.context import Context, context_of

PRIVATE = {"cache-control": "no-store", "cross-origin-resource-policy": "same-origin"}  # SEC-096


async def me(request: Request) -> Response:
    """Answer the user and the times of the session; 401 without one. Never a token."""
    context = context_of(request.scope)
    _refuse_embedding(context)
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


def _refuse_embedding(context: Context) -> None:
    """Refuse another site's page that loads this as a script, an image or a frame (SEC-096).

    A `cors` request is left to the browser, which gives the answer to no other origin.
    """
    headers = context.headers
    elsewhere = headers.get(b"sec-fetch-site") in {b"cross-site", b"same-site"}
    opened = headers.get(b"sec-fetch-mode") == b"cors" or headers.get(b"sec-fetch-dest") == b"document"
    if elsewhere and not opened:
        raise CsrfRefused("`me` embedded by another site")
