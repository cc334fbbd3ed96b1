"""The door of administration: in a session of one's own, with the rights, with the proof; in this order.

Whoever lacks the rights is never asked for another factor in vain. A bearer token is not taken: a client that may call
the API for a person is not one that may administer for them (decision 0270).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada.errors import MethodRefused
from entrada.flows.admin.administration import Actor
from entrada.flows.admin.desk import Desk
from entrada.principal import User
from entrada.requirements import lack_of
from entrada.web.context import Context, context_of
from entrada.web.embedding import PRIVATE, refuse_embedding
from entrada.web.failures import Refused
from entrada.web.requires import refusal, with_groups
from entrada.web.routes.admin.schemas import Schema
from entrada.web.step_up import refused

Handler = Callable[[Request, Desk], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Way:
    """What answers one method of one address."""

    handler: Handler
    answer: str
    """The schema of what it answers."""
    query: Mapping[str, Schema] = field(default_factory=dict)
    """The schemas of its parameters."""
    body: str | None = None
    """The schema of what it takes."""
    versioned: bool = False
    """Whether If-Match may say for which version it is."""
    fresh: bool = False
    """Whether the proof must be fresh: it cannot be undone, or it gives rights (SEC-140)."""
    head: bool = True
    """Whether HEAD may ask for it too."""
    kinds: tuple[str, ...] = ("application/json",)
    """The media types of what it answers."""


def route(path: str, ways: Mapping[str, Way]) -> Route:
    """Return the route of one address with its methods."""

    async def endpoint(request: Request) -> Response:
        way = ways[request.method] if request.method in ways else ways["GET"]
        if request.method not in ways and not way.head:
            raise MethodRefused("HEAD would be written down as an export", allowed=tuple(ways))
        desk = await administrator(request)
        if way.fresh:
            await prove_freshly(request)
        answer = await way.handler(request, desk)
        answer.headers.update(PRIVATE)
        return answer

    return Route(path, endpoint, methods=list(ways))


async def administrator(request: Request) -> Desk:
    """Return the desk of whoever calls; NotSignedIn, NotAllowed or StepUpRequired say why there is none."""
    context = context_of(request.scope)
    refuse_embedding(context)
    user = await _user(context)
    desk = await context.house.administrators.desk(user, _actor(user, context))
    await _prove(request, context, user, fresh=False)
    return desk


async def prove_freshly(request: Request) -> None:
    """StepUpRequired when the administrator's proof is too old for what they want to do."""
    context = context_of(request.scope)
    await _prove(request, context, await _user(context), fresh=True)


async def _prove(request: Request, context: Context, user: User, *, fresh: bool) -> None:
    policy = context.house.administrators.policy
    lack = lack_of(user, policy.fresh_proof if fresh else policy.proof, context.house.clock())
    if lack is None:
        return
    answer = await refused(request, refusal(lack, user))
    if isinstance(answer, Refused) and answer.status_code != HTTPStatus.FOUND:
        raise answer.error
    raise answer


async def _user(context: Context) -> User:
    """Return who calls, with the groups that had no room in their token where groups matter."""
    user = (await context.require_session()).user
    if context.house.administrators.policy.group is None:
        return user
    person = await with_groups(user, context)
    return person if isinstance(person, User) else user


def _actor(user: User, context: Context) -> Actor:
    facts = context.facts
    return Actor(
        label=user.label,
        user_key=user.key,
        tenant_id=user.tenant_id,
        address=facts.address,
        user_agent=facts.user_agent,
        correlation_id=context.correlation_id,
    )
