"""`requires(…)`: a dependency that lets in whoever meets the rules, by session or by bearer token.

    @app.get("/orders")
    async def orders(user: Annotated[User, requires(any_of(in_session(), scope("Orders.Read")))]): ...

The refusal says what was missing. Where more proof would do, the answer asks for it (RFC 9470, Entra's challenge).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from starlette.requests import HTTPConnection

from entrada.errors import EntradaError, NotAllowed, StepUpRequired
from entrada.principal import Principal, User
from entrada.requirements import Anybody, Lack, Rule, all_of, lack_of
from entrada.web.context import Context, context_of
from entrada.web.dependencies import caller
from entrada.web.needed import Needed
from entrada.web.step_up import refused

F = TypeVar("F", bound=Callable[..., Any])
RULE = "entrada_rule"
CLAIMS_CHALLENGE = "cp1"  # the capability by which a client says that it answers claims challenges


def requires(*rules: Rule) -> Any:
    """Return a dependency that gives the User, or App, who meets all the rules.

    People come in by session or bearer token; without rules any person does. An application is let in by an `app_role`
    only. Annotate the parameter with User, or with App where the rules name an app role.
    """
    rule = all_of(*rules) if rules else Anybody()

    async def allowed(connection: HTTPConnection) -> Principal:
        context = context_of(connection.scope)
        try:
            principal = await caller(context)
            if rule.groups:
                principal = await with_groups(principal, context)
            if lack := lack_of(principal, rule, context.house.clock()):
                raise refusal(lack, principal)
        except EntradaError as error:
            raise await refused(connection, error) from None
        context.rules = (*context.rules, rule)
        return principal

    return Needed(ruled(allowed, rule), written="requires(…)")


def ruled(dependency: F, rule: Rule) -> F:
    """Note on a dependency which rule it holds, for the OpenAPI document to say."""
    setattr(dependency, RULE, rule)
    return dependency


def rule_of(dependency: object) -> Rule | None:
    """Return the rule that a dependency of ours holds; None for any other."""
    return getattr(dependency, RULE, None)


async def with_groups(principal: Principal, context: Context) -> Principal:
    """Return the person with the groups that had no room in their token, as far as Graph tells them."""
    if not isinstance(principal, User) or not principal.groups_overage:
        return principal
    groups = await context.house.groups.of(principal)
    return principal if groups is None else replace(principal, groups=groups, groups_overage=False)


def refusal(lack: Lack, principal: Principal) -> NotAllowed:
    """Return the error that says what was missing, and how to get there where that is possible."""
    if not lack.step_up or not isinstance(principal, User):
        return NotAllowed(lack.said, scopes=lack.scopes)
    delegation = principal.delegation
    return StepUpRequired(
        lack.said,
        contexts=lack.contexts,
        max_age=None if lack.max_age is None else int(lack.max_age.total_seconds()),
        mfa=lack.mfa,
        understands_claims=delegation is not None and CLAIMS_CHALLENGE in delegation.capabilities,
    )
