"""A form on hold is sent again: the page posts its number to the address, and here the body is put in its place.

So the body never leaves the server, whatever it is, and the request passes every check of a form of ours: where it
comes from, and the token of the session. The number is good once, in the session of the person whose form it is.
"""

import re
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from entrada.errors import NothingKept
from entrada.web import return_to
from entrada.web.context import Context
from entrada.web.request_body import Given, Recorded

FIELD = "entrada_resume"
LONGEST_FORM = 256  # bytes: the token, the number, and nothing else
FORM = b"application/x-www-form-urlencoded"
NUMBER = re.compile(r"[A-Za-z0-9_-]{22}")


async def resumed(scope: Scope, context: Context, receive: Receive) -> Receive:
    """Return the `receive` of the request on hold if this one is to resume it, else the one given.

    NothingKept when it is not there: sent already, too old, another person's, or of another address.
    """
    number = await _number(context)
    if number is None:
        return receive
    session = await context.require_session()
    held = await context.house.step_ups.on_hold.look(session, number)
    here = return_to.of_request(scope["path"], scope["query_string"])
    if held is None or held.address != here or not await context.house.step_ups.on_hold.take(session, number):
        raise NothingKept("no such request is on hold in this session")
    replaced = {b"content-type": held.content_type.encode("latin-1"), b"content-length": b"%d" % len(held.body)}
    lines = [(name, value) for name, value in scope["headers"] if name not in {*replaced, b"transfer-encoding"}]
    scope["headers"] = [*lines, *replaced.items()]
    context.headers = dict(scope["headers"])
    context.body = Recorded(Given(held.body, receive), held.content_type)
    return context.body


async def _number(context: Context) -> str | None:
    """Return the number of the request to resume, if this is the small form that says so and nothing else."""
    length = context.headers.get(b"content-length", b"")
    if context.headers.get(b"content-type") != FORM or not length.isdigit() or int(length) > LONGEST_FORM:
        return None
    body = await context.body.body() if context.body else None
    if body is None or FIELD.encode() not in body:
        return None
    found = [value for name, value in parse_qsl(body.decode("latin-1")) if name == FIELD]
    if len(found) != 1 or not NUMBER.fullmatch(found[0]):
        raise NothingKept("no number of a request on hold")
    return found[0]
