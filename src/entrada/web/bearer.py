"""Who calls, by the one Authorization header of a request (RFC 6750 section 2.1); query, form and cookies do not count.

What is remembered of a token costs a look-up; see `flows.bearer`.
"""

from string import ascii_letters, digits

from entrada.errors import BearerMalformed, BearerRefused, NotAllowed
from entrada.principal import App, Principal, User
from entrada.web.context import Context

TOKEN_BYTES = (ascii_letters + digits + "-._~+/").encode()  # b64token; "=" may follow at the end
SCHEME_BYTES = 16  # what the scheme and blanks may take beside the token


async def principal_of(context: Context) -> Principal:
    """Return who calls by the request's bearer token.

    BearerMalformed, BearerRefused, NotAdmitted or Unavailable say why nobody may.
    """
    headers, bearers = context.authorization, context.house.bearers
    if len(headers) != 1:
        raise BearerMalformed("several Authorization headers")
    return context.caller or bearers.known(headers[0]) or await bearers.admit(headers[0], _token(headers[0]))


def token_of(context: Context) -> str:
    """Return the request's bearer token; for whoever has let `principal_of` find it good."""
    return _token(context.authorization[0])


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


def _token(header: bytes) -> str:
    from entrada.provider.jws import MAX_BYTES

    if len(header) > MAX_BYTES + SCHEME_BYTES:
        raise BearerRefused("form: too long")
    scheme, _, rest = header.strip(b" \t").partition(b" ")
    token = rest.lstrip(b" ")
    body = token.rstrip(b"=")
    if scheme.lower() != b"bearer" or not body or body.translate(None, TOKEN_BYTES):
        raise BearerMalformed("the Authorization header is not `Bearer` and one token")
    return token.decode("ascii")
