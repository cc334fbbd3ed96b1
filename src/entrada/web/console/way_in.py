"""Who may come in: administrators, in a session of their own browser; the rule is that of the admin API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import EntradaError
from entrada.flows.administration import Actor
from entrada.principal import ADMIN_ROLE, User
from entrada.requirements import Rule, all_of, lack_of, mfa, role
from entrada.sessions.session import Session
from entrada.web.context import Context, House, context_of
from entrada.web.embedding import refuse_embedding
from entrada.web.failures import answer_refusal
from entrada.web.requires import refusal
from entrada.web.step_up import refused

LATELY = timedelta(minutes=15)  # a coffee break after which a stranger at the desk deletes nobody
ADMINISTRATOR = role(ADMIN_ROLE)
PROVEN = all_of(ADMINISTRATOR, mfa(within=LATELY))


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an administrator's."""

    request: Request
    context: Context
    session: Session

    @property
    def house(self) -> House:
        """The parts of the application."""
        return self.context.house

    @property
    def user(self) -> User:
        """Who asks."""
        return self.session.user

    @property
    def actor(self) -> Actor:
        """Who asks, as the audit log is to have it."""
        facts = self.context.facts
        return Actor(
            label=self.user.label,
            user_key=self.user.key,
            tenant_id=self.user.tenant_id,
            address=facts.address,
            user_agent=facts.user_agent,
            correlation_id=self.context.correlation_id,
        )


Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def administrators_only(page: Page, *, rule: Rule = ADMINISTRATOR) -> Endpoint:
    """Return the endpoint of a page that whoever meets the rule may see, and of which others learn nothing."""

    async def endpoint(request: Request) -> Response:
        context = context_of(request.scope)
        try:
            refuse_embedding(context)
            session = await context.require_session()
            if lack := lack_of(session.user, rule, context.house.clock()):
                raise refusal(lack, session.user)
            return await page(Visit(request, context, session))
        except EntradaError as error:
            return await answer_refusal(request, await refused(request, error))

    return endpoint
