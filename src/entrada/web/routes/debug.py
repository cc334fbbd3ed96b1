"""`GET /debug-info`: how this application is set up, for the person who develops it, on their own machine only.

The route does not exist in production, nor where the application is reached by another name than this machine's.
It shows no secret: of a secret it says whether one is set; of the session, when it began and ends.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import Unavailable
from entrada.settings import Settings
from entrada.versions import version_of
from entrada.web.context import Context, context_of
from entrada.well_known import LOOPBACK

PATH = "/debug-info"
PACKAGES = ("entrada", "fastapi", "starlette", "msal", "cryptography")


def offered(settings: Settings) -> bool:
    """Say whether there is such a page: in development, on this machine."""
    return not settings.production and urlsplit(settings.base_url).hostname in LOOPBACK


async def debug_info(request: Request) -> Response:
    """Show settings, authority, session and versions."""
    context = context_of(request.scope)
    return context.house.pages.render(
        "debug.html",
        headers={"referrer-policy": "same-origin"},  # or a browser without Sec-Fetch-Site hides where its form is from
        sign_out=context.house.path("logout"),
        csrf_token=context.csrf_token if await context.session() else "",
        sections={
            "This browser": await _browser(context),
            "Authority": await _authority(context),
            "Settings": shown(context.house.settings),
            "Versions": {name: version_of(name) or "not installed as a package" for name in PACKAGES},
        },
    )


async def _browser(context: Context) -> Mapping[str, str]:
    session = await context.session()
    if session is None:
        return {"signed in": "no"}
    return {
        "signed in": f"yes, as {session.user.name or session.user.key}",
        "since": f"{session.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "ends unless used": f"{session.idle_expires_at:%Y-%m-%d %H:%M:%S} UTC",
        "ends in any case": f"{session.expires_at:%Y-%m-%d %H:%M:%S} UTC",
        "roles": " ".join(sorted(session.user.roles)) or "none",
    }


async def _authority(context: Context) -> Mapping[str, str]:
    discovery = context.house.discovery
    try:
        metadata = await discovery.metadata()
    except Unavailable as error:
        return {"answers": f"no: {error}"}
    return {
        "answers": "yes" if discovery.ready else "its metadata only: no keys yet",
        "issuer": metadata.issuer,
        "authorize": metadata.authorization_endpoint,
        "token": metadata.token_endpoint,
        "sign-out": metadata.end_session_endpoint or "not offered",
        "redirect URI to register": context.house.settings.callback_uri,
    }


def shown(settings: Settings) -> Mapping[str, str]:
    """Return what may be read of each setting; of what its repr leaves out, an address with a password, its kind."""
    fields = type(settings).model_fields
    return {name: _shown(getattr(settings, name), whole=field.repr) for name, field in fields.items()}


def _shown(value: object, *, whole: bool) -> str:
    if value is None or value in {"", ()}:
        return "not set"
    if isinstance(value, SecretStr):
        return "set"
    if not whole:
        return str(value).partition(":")[0]
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
