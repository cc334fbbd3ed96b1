"""A request that wants more proof than its session has: where its person goes to give it, and how they come back.

A page is sent there and opened again. A form is put on hold, and sent again afterwards. A script is told the address.
"""

from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import urlencode

from starlette.requests import HTTPConnection

from entrada.errors import EntradaError, InteractionRequired, StepUpInVain, StepUpRequired
from entrada.web import return_to
from entrada.web.context import Context, context_of
from entrada.web.failures import PRIVATE, Refused, RefusedSocket, navigates, page_of_form, refuse

OneStep: TypeAlias = StepUpRequired | InteractionRequired
SAFE = frozenset({"GET", "HEAD"})


async def refused(connection: HTTPConnection, error: EntradaError, *, begun: bool = False) -> Refused | RefusedSocket:
    """Return the exception that refuses a request; where a step of the person's mends it, it leads there and back.

    `begun`: the application has begun with it, so that it must not be sent again by itself.
    """
    if connection.scope["type"] == "websocket" or not isinstance(error, StepUpRequired | InteractionRequired):
        return refuse(connection, error)
    try:
        return await _with_a_way(connection, error, begun=begun)
    except EntradaError as failed:
        return refuse(connection, failed)


async def _with_a_way(connection: HTTPConnection, error: OneStep, *, begun: bool) -> Refused | RefusedSocket:
    from entrada.flows.stepping_up.step_up import Proof, proof_of

    context = context_of(connection.scope)
    session = None if context.bearer else await context.session()
    opening = connection.scope["method"] in SAFE and navigates(connection)
    if session is None or (opening and isinstance(error, InteractionRequired)):
        return refuse(connection, error)
    step_ups = context.house.step_ups
    proof = proof_of(error) if isinstance(error, StepUpRequired) else Proof()
    in_vain = isinstance(error, StepUpRequired) and step_ups.in_vain(session, proof)
    if isinstance(error, StepUpRequired) and in_vain:
        error = StepUpInVain(error.missing, contexts=error.contexts, max_age=error.max_age, mfa=error.mfa)
    back, kept = await _way_back(connection, context, begun=begun)
    sealed = step_ups.seal(session, proof, return_to=back)
    error.login, error.kept = f"{context.house.path('step-up')}?{urlencode({'for': sealed})}", kept and not in_vain
    if opening and not in_vain:
        return Refused(error, status=HTTPStatus.FOUND, headers={"location": error.login, **PRIVATE})
    return refuse(connection, error)


async def _way_back(connection: HTTPConnection, context: Context, *, begun: bool) -> tuple[str | None, bool]:
    """Return the address to come back to, and whether the request itself is on hold there."""
    here = return_to.of_request(connection.scope["path"], connection.scope["query_string"])
    if connection.scope["method"] in SAFE and navigates(connection):
        return here, False
    posting = connection.scope["method"] == "POST" and navigates(connection) and not begun
    request_id = await _held(context, here) if posting and here else None
    if request_id is None:
        return page_of_form(context), False
    return f"{context.house.path('resume')}?{urlencode({'of': request_id})}", True


async def _held(context: Context, address: str) -> str | None:
    """Put the form on hold and return its id; None when it is too long, or of a kind that is not held."""
    session, recorded = await context.session(), context.body
    body = await recorded.body() if recorded else None
    if session is None or recorded is None or body is None:
        return None
    return await context.house.step_ups.on_hold.hold(
        session, address=address, content_type=recorded.content_type, body=body
    )
