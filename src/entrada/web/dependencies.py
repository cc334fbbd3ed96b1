"""Who is calling, for path operations: aliases to annotate a parameter with.

Each takes an HTTPConnection, so it serves HTTP and WebSocket alike, and only reads what the gate put into the scope.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from entrada.errors import BearerMissing, CallerUnknown, EntradaError
from entrada.principal import App, Principal, User
from entrada.web import bearer
from entrada.web.context import Context, context_of
from entrada.web.failures import refuse


async def current_user(connection: HTTPConnection) -> User:
    """Return the person who calls, by session or by bearer token; a bad token never falls back to the session.

    Without either a page that is being opened is sent to sign in, and anything else gets 401.
    """
    context = context_of(connection.scope)
    if isinstance(context.caller, User):  # whoever counted the request has found out already
        return context.caller
    try:
        return bearer.person(await caller(context))
    except EntradaError as error:
        raise refuse(connection, error) from None


async def session_user(connection: HTTPConnection) -> User:
    """Return who is signed in by a session of this browser; else as `current_user`."""
    try:
        return (await context_of(connection.scope).require_session()).user
    except EntradaError as error:
        raise refuse(connection, error) from None


async def bearer_user(connection: HTTPConnection) -> User:
    """Return the person for whom a client calls with a bearer token; a session is not taken, and no page is shown."""
    context = context_of(connection.scope)
    if isinstance(context.caller, User):
        return context.caller
    try:
        return bearer.person(await bearer_caller(context))
    except EntradaError as error:
        raise refuse(connection, error) from None


async def current_app(connection: HTTPConnection) -> App:
    """Return the application that calls for itself, with a bearer token of its own."""
    try:
        return bearer.application(await bearer_caller(context_of(connection.scope)))
    except EntradaError as error:
        raise refuse(connection, error) from None


async def optional_user(connection: HTTPConnection) -> User | None:
    """Return the person who calls, or None when neither a session nor a bearer token came."""
    context = context_of(connection.scope)
    try:
        if context.bearer:
            return bearer.person(await bearer.principal_of(context))
        session = await context.session()
    except EntradaError as error:
        raise refuse(connection, error) from None
    return session.user if session else None


async def csrf_token(connection: HTTPConnection) -> str:
    """Return the value for the form field `csrf_token`; empty when nobody is signed in."""
    return context_of(connection.scope).csrf_token


async def caller(context: Context) -> Principal:
    """Return who calls, by whichever way is there."""
    if context.bearer:
        return await bearer.principal_of(context)
    session = await context.session()
    if session is None:
        raise CallerUnknown
    return session.user


async def bearer_caller(context: Context) -> Principal:
    """Return who calls by bearer token; BearerMissing when none came."""
    if not context.bearer:
        raise BearerMissing
    return await bearer.principal_of(context)


# `scope` says nothing that is not so without it, and spares FastAPI two questions about the function at each request
CurrentUser = Annotated[User, Depends(current_user, scope="request")]
"""The person who calls, in a session or by bearer token; without one the request is sent to sign in or refused."""

SessionUser = Annotated[User, Depends(session_user, scope="request")]
"""The person who is signed in by a browser session; a bearer token is not taken."""

BearerUser = Annotated[User, Depends(bearer_user, scope="request")]
"""The person for whom a client calls with a bearer token; a session is not taken."""

CurrentApp = Annotated[App, Depends(current_app, scope="request")]
"""The application that calls for itself, with a bearer token of its own."""

OptionalUser = Annotated[User | None, Depends(optional_user, scope="request")]
"""The person who calls, or None; a bearer token that is there must be good."""

CsrfToken = Annotated[str, Depends(csrf_token, scope="request")]
"""What a form that changes something carries in its first field, `csrf_token`."""
