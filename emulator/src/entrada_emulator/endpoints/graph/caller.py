"""Who calls Graph: a person through an application, or an application for itself, by a verified access token."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.directory.model import User
from entrada_emulator.endpoints.graph.errors import DENIED, NOT_FOUND, GraphError, refusal
from entrada_emulator.endpoints.graph.paging import refuse_unknown_options
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.issuing.jwt import NotOurToken, read
from entrada_emulator.issuing.tokens import CHALLENGEABLE

AUDIENCES = frozenset({GRAPH.client_id, *GRAPH.identifier_uris, *(f"{uri}/" for uri in GRAPH.identifier_uris)})
INVALID = "InvalidAuthenticationToken"
REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
    "TokenIssuedBeforeRevocationTimestamp"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls and with which permissions."""

    tenant_id: str
    user: User | None
    """None where an application calls for itself."""
    permissions: frozenset[str]
    """Scopes that the person delegated, or roles that the application holds."""
    claims: Mapping[str, Any] = field(repr=False)

    @checking("permission")
    def needs(self, *any_of: str) -> None:
        """Raises 403 unless one of the permissions was granted."""
        if not self.permissions & set(any_of):
            raise GraphError(403, *DENIED)

    @property
    def person(self) -> User:
        """The person; `/me` means nothing without one."""
        if self.user is None:
            text = "/me request is only valid with delegated authentication flow."
            raise GraphError(400, "Request_BadRequest", text)
        return self.user

    def named(self, request: Request, emulator: Emulator) -> User:
        """The person in the path, by object id or user principal name, in the caller's tenant; else the caller."""
        name = request.path_params.get("user")
        if name is None:
            return self.person
        by_name = emulator.world.user_by_name(name, tenant_id=self.tenant_id)
        found = emulator.world.user(self.tenant_id, by_name.id if by_name else name)
        if found is None:
            raise GraphError(404, *NOT_FOUND)
        return found


Handler = Callable[[Request, Emulator, Caller], Response]


def graph(handler: Handler) -> Callable[[Request], Any]:
    """Makes a handler an endpoint that verifies the token first and refuses in Graph's shape."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        try:
            caller = caller_of(request, emulator)
            refuse_unknown_options(request)
            answer = handler(request, emulator, caller)
        except GraphError as refused:
            answer = refusal(refused, request, emulator)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return endpoint


def caller_of(request: Request, emulator: Emulator) -> Caller:
    """Verifies the bearer token: signature, audience, time; raises 401 in Graph's words."""
    claims = _verified(request.headers.get("authorization", ""), emulator)
    now = emulator.state.clock.now().timestamp()
    with checking("token_times"):
        if not claims["nbf"] <= now + 1 or now >= claims["exp"]:
            raise GraphError(401, INVALID, "Lifetime validation failed, the token is expired.")
    if "scp" not in claims:
        return Caller(claims["tid"], None, frozenset(claims.get("roles", ())), claims)
    caller = Caller(claims["tid"], _user(emulator, claims), frozenset(claims["scp"].split()), claims)
    _evaluate(emulator, caller)
    return caller


def _verified(authorization: str, emulator: Emulator) -> dict[str, Any]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(401, INVALID, "Access token is empty.")
    claims = _signed_here(token, emulator)
    with checking("token_audience"):
        if claims.get("aud") not in AUDIENCES:
            raise GraphError(401, INVALID, "Access token validation failure. Invalid audience.")
    return claims


@checking("token_signature")
def _signed_here(token: str, emulator: Emulator) -> dict[str, Any]:
    try:
        return read(token, keys=emulator.state.keys)
    except NotOurToken:
        raise GraphError(401, INVALID, "Access token validation failure.") from None


@checking("person")
def _user(emulator: Emulator, claims: Mapping[str, Any]) -> User:
    user = emulator.world.user(claims["tid"], claims["oid"])
    if user is None or not user.account_enabled:
        raise GraphError(401, INVALID, "The account is disabled.")
    return user


@checking("not_revoked")
def _evaluate(emulator: Emulator, caller: Caller) -> None:
    """A token older than a revocation is refused before it expires, where its client said that it can be challenged."""
    valid_from = emulator.state.tokens_valid_from(caller.person)
    capable = CHALLENGEABLE in caller.claims.get("xms_cc", ())
    if valid_from is None or not (capable or emulator.state.continuous_access_evaluation):
        return
    if caller.claims["iat"] <= valid_from.timestamp():
        wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(valid_from.timestamp()))}}}
        raise GraphError(401, INVALID, REVOKED, claims=json.dumps(wanted, separators=(",", ":")))
