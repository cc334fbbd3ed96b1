"""Who calls, by the one Authorization header of a request (RFC 6750 section 2.1); query, form and cookies do not count.

What is remembered of a token costs a look-up; see `flows.bearer`.
"""

from string import ascii_letters, digits

from entrada.errors import BearerMalformed, BearerRefused, EntradaError, NotAllowed, Unavailable
from entrada.principal import App, Principal, User
from entrada.web.context import Context

TOKEN_BYTES = (ascii_letters + digits + "-._~+/").encode()  # b64token; "=" may follow at the end
FOREIGN = 0
OWN_OR_FOREIGN = bytes(byte if byte in TOKEN_BYTES else FOREIGN for byte in range(256))
SCHEME_BYTES = 16  # what the scheme and blanks may take beside the token


async def principal_of(context: Context) -> Principal:
    """Return who calls by the request's bearer token.

    BearerMalformed, BearerRefused, NotAdmitted or Unavailable say why nobody may.
    """
    context.caller = context.caller or context.house.bearers.known(_header(context)) or await admitted(context)
    return context.caller


async def present(context: Context) -> Principal | None:
    """Return the caller as they are now, None if the token lets nobody in any more; Unavailable if nobody can say."""
    try:
        return context.house.bearers.known(_header(context)) or await admitted(context)
    except Unavailable:
        raise
    except EntradaError:
        return None


def believed_until(context: Context) -> float:
    """Return until when the token that let the request in is good, in seconds since 1970; 0 when that is forgotten."""
    return context.house.bearers.believed_until(_header(context))


async def admitted(context: Context) -> Principal:
    """Return who calls by a bearer token that was just seen not to be remembered; errors like `principal_of`."""
    return await context.house.bearers.admit(_header(context), _token(context))


def token_of(context: Context) -> str:
    """Return the request's bearer token; for whoever has let `principal_of` find it good."""
    return _token(context)


def person(principal: Principal) -> User:
    """Return the person who calls; NotAllowed for an application."""
    if isinstance(principal, User):
        return principal
    raise NotAllowed("a person; an application's token is not taken here")


def application(principal: Principal) -> App:
    """Return the application that calls; NotAllowed for a person."""
    if isinstance(principal, App):
        return principal
    raise NotAllowed("an application's own token; a person's is not taken here")


def _header(context: Context) -> bytes:
    if len(context.authorization) != 1:
        raise BearerMalformed("several Authorization headers")
    return context.authorization[0]


def _token(context: Context) -> str:
    header = _header(context)
    if len(header) > context.house.bearers.most_bytes + SCHEME_BYTES:
        raise BearerRefused("form: too long")
    scheme, _, rest = header.strip(b" \t").partition(b" ")
    token = rest.lstrip(b" ")
    body = token.rstrip(b"=")
    if scheme.lower() != b"bearer" or not body or FOREIGN in body.translate(OWN_OR_FOREIGN):
        raise BearerMalformed("the Authorization header is not `Bearer` and one token")
    return token.decode("ascii")
