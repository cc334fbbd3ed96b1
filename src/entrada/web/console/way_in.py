"""Who may come in: who may use the admin API, by the same door; but a page sends whoever is nobody yet to sign in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import NotAllowed, NotSignedIn
from entrada.flows.admin.desk import Desk
from entrada.sessions.session import Session
from entrada.web.context import Context, House, context_of
from entrada.web.embedding import refuse_embedding
from entrada.web.failures import refuse
from entrada.web.routes.admin.door import administrator, prove_freshly


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

    @property
    def sees_everybody(self) -> bool:
        """Whether the administrator is of the application's operator: what is not one tenant's is for them."""
        return self.desk.scope.tenant_id is None


Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def administrators_only(page: Page, *, fresh: bool = False) -> Endpoint:
    """Return the endpoint of a page for administrators; `fresh`: whose proof is fresh (SEC-140)."""

    async def visit(request: Request, session: Session) -> Response:
        desk = await administrator(request)
        if fresh:
            await prove_freshly(request)
        return await page(Visit(request, context_of(request.scope), session, desk))

    return signed_in_only(visit)


def operators_only(page: Page) -> Page:
    """Return the page for administrators of the application's operator."""

    async def shown(visit: Visit) -> Response:
        if not visit.sees_everybody:
            raise NotAllowed("an administrator of this application's operator")
        return await page(visit)

    return shown


def signed_in_only(page: Callable[[Request, Session], Awaitable[Response]]) -> Endpoint:
    """Return the endpoint of a page for whoever is signed in, which no other site may embed."""

    async def endpoint(request: Request) -> Response:
        context = context_of(request.scope)
        refuse_embedding(context)
        try:
            session = await context.require_session()
        except NotSignedIn as error:
            raise refuse(request, error) from None
        return await page(request, session)

    return endpoint
