"""Who is calling, for path operations: aliases to annotate a parameter with.

Each takes an HTTPConnection, so it serves HTTP and WebSocket alike, and only reads what the gate put into the scope.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.errors import EntradaError
from entrada.principal import User
from entrada.web.context import context_of
from entrada.web.failures import refuse


async def current_user(connection: HTTPConnection) -> User:
    """Return who is signed in; else a page that is being opened is sent to sign in, and anything else gets 401."""
    try:
        return (await context_of(connection.scope).require_session()).user
    except EntradaError as error:
        raise refuse(connection, error) from None


async def optional_user(connection: HTTPConnection) -> User | None:
    """Return who is signed in, or None; a bearer token that came with the request is refused."""
    context = context_of(connection.scope)
    try:
        if context.bearer:
            return (await context.require_session()).user
        session = await context.session()
    except EntradaError as error:
        raise refuse(connection, error) from None
    return session.user if session else None


async def csrf_token(connection: HTTPConnection) -> str:
    """Return the value for the form field `csrf_token`; empty when nobody is signed in."""
    return context_of(connection.scope).csrf_token


CurrentUser = Annotated[User, Depends(current_user)]
"""The person who is signed in; without one the request is sent to sign in or refused."""

SessionUser = Annotated[User, Depends(current_user)]
"""The person who is signed in by a browser session; a bearer token is not taken."""

OptionalUser = Annotated[User | None, Depends(optional_user)]
"""The person who is signed in, or None."""

CsrfToken = Annotated[str, Depends(csrf_token)]
"""What a form that changes something carries in its first field, `csrf_token`."""
