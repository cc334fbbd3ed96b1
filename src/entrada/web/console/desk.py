"""The desk of whoever asks."""

from entrada.flows.admin.desk import Desk, Office
from entrada.flows.admin.policy import AdminPolicy
from entrada.flows.administration import Actor
from entrada.principal import User
from entrada.requirements import lack_of
from entrada.web.context import Context
from entrada.web.requires import refusal


async def desk_of(context: Context, user: User, *, fresh: bool = False) -> Desk:
    """Return the desk of this person."""
    house = context.house
    policy = AdminPolicy.from_settings(house.settings)
    person = await house.people.directory.known(user)
    scope = policy.scope_of(user, person)
    if lack := lack_of(user, policy.fresh_proof if fresh else policy.proof, house.clock()):
        raise refusal(lack, user)
    assert person
    facts = context.facts
    actor = Actor(
        label=user.label,
        user_key=user.key,
        tenant_id=user.tenant_id,
        address=facts.address,
        user_agent=facts.user_agent,
        correlation_id=context.correlation_id,
    )
    office = Office(house.administration, house.sessions, house.endings, house.audit.trail, house.events, house.clock)
    return Desk(office, person=person, scope=scope, actor=actor)
