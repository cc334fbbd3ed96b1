"""Which refusals are denied access, and are told as such: somebody wanted what they may not have (SEC-145).

A stranger who is not signed in is not denied anything yet; outdated pages, wrong addresses and outages are no denials.
"""

from starlette.types import Scope

from entrada.errors import (
    BearerMalformed,
    BearerRefused,
    CsrfRefused,
    EntradaError,
    NotAllowed,
    PageOutdated,
    SignInRefused,
)
from entrada.principal import App, Principal, User
from entrada.web.context import Context

DENIALS = (NotAllowed, BearerRefused, BearerMalformed, CsrfRefused, SignInRefused)


async def tell(context: Context, scope: Scope, error: EntradaError) -> None:
    """Tell of a refusal if it is one of these."""
    if not isinstance(error, DENIALS) or isinstance(error, PageOutdated):
        return
    principal = _who(context)
    app = {"application": principal.key} if isinstance(principal, App) else {}
    await context.tell(
        "access_denied",
        user=principal if isinstance(principal, User) else None,
        reason=error.code,
        resource=f"{scope.get('method', 'WEBSOCKET')} {scope['path']}",
        details={"said": error.public, **app, **_check(error)},
    )


def _check(error: EntradaError) -> dict[str, str]:
    """Name the check that a bearer token failed, in our words."""
    named = error.check.partition(":")[0] if isinstance(error, BearerRefused) else ""
    return {"check": named} if named else {}


def _who(context: Context) -> Principal | None:
    """Return who asked, as far as the request has found that out already."""
    if context.bearer and len(context.authorization) == 1:
        return context.house.bearers.known(context.authorization[0])
    session = None if context.bearer else context.found_session
    return session.user if session else None
