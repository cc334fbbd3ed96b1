"""Who may come in: administrators, in a session of their own browser; who that is, is decided as for the admin API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import EntradaError
from entrada.flows.admin.desk import Desk
from entrada.sessions.session import Session
from entrada.web.console.desk import desk_of
from entrada.web.context import Context, House, context_of
from entrada.web.embedding import refuse_embedding
from entrada.web.failures import answer_refusal
from entrada.web.step_up import refused


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an administrator's; `desk` is what they may see and do."""

    request: Request
    context: Context
    session: Session
    desk: Desk

    @property
    def house(self) -> House:
        """The parts of the application."""
        return self.context.house


Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def administrators_only(page: Page, *, fresh: bool = False) -> Endpoint:
    """Return the endpoint of a page for administrators; `fresh`: who have lately proven who they are (SEC-140)."""

    async def visit(request: Request) -> Response:
        context = context_of(request.scope)
        session = await context.require_session()
        desk = await desk_of(context, session.user, fresh=fresh)
        return await page(Visit(request, context, session, desk))

    return told_in_full(visit)


def told_in_full(page: Endpoint) -> Endpoint:
    """Return the endpoint of a page that no other site may embed; refusals say what to do, and lead there and back."""

    async def endpoint(request: Request) -> Response:
        try:
            refuse_embedding(context_of(request.scope))
            return await page(request)
        except EntradaError as error:
            return await answer_refusal(request, await refused(request, error))

    return endpoint
