"""The part of Microsoft Graph that a sign-in needs: the person, their groups, their photo, userinfo."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada_emulator.graph_resource import GRAPH
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.jwt import NotOurToken, read
from entrada_emulator.model import Group, User
from entrada_emulator.responses import preflight

GROUP_TYPE = "#microsoft.graph.group"
PAGE_SIZE = 100
UNAUTHORIZED = 401
REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
    "TokenIssuedBeforeRevocationTimestamp"
)
Json = dict[str, Any]


class GraphError(Exception):
    """A refusal in Graph's own shape."""

    def __init__(self, status: int, code: str, message: str, *, claims: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.claims = claims
        """The claims challenge (JSON) that a new token would answer."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by a verified access token."""

    user: User
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(repr=False)

    def needs(self, *any_of: str) -> None:
        """Raises 403 unless one of the scopes was granted."""
        if not self.scopes & set(any_of):
            raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


Handler = Callable[[Request, Emulator, Caller], Response]


def caller_of(request: Request, emulator: Emulator) -> Caller:
    """Verifies the bearer token: signature, audience, time; raises 401 in Graph's words."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        claims = read(token, keys=emulator.state.keys)
    except NotOurToken:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure.") from None
    if claims.get("aud") not in (GRAPH.client_id, *GRAPH.identifier_uris, *(f"{u}/" for u in GRAPH.identifier_uris)):
        raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    now = emulator.state.clock.now().timestamp()
    if not claims["nbf"] <= now + 1 or now >= claims["exp"]:
        raise GraphError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    caller = _person(emulator, claims)
    _evaluate(emulator, caller)
    return caller


def _evaluate(emulator: Emulator, caller: Caller) -> None:
    """With continuous access evaluation, a token older than a revocation is refused before it expires."""
    valid_from = emulator.state.tokens_valid_from(caller.user)
    if not emulator.state.continuous_access_evaluation or valid_from is None:
        return
    if caller.claims["iat"] <= valid_from.timestamp():
        wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(valid_from.timestamp()))}}}
        raise GraphError(401, "InvalidAuthenticationToken", REVOKED, claims=json.dumps(wanted, separators=(",", ":")))


def _person(emulator: Emulator, claims: Mapping[str, Any]) -> Caller:
    user = emulator.world.user(claims["tid"], claims["oid"])
    if user is None:
        raise GraphError(400, "Request_BadRequest", "/me request is only valid with delegated authentication flow.")
    if not user.account_enabled:
        raise GraphError(401, "InvalidAuthenticationToken", "The account is disabled.")
    return Caller(user, frozenset(claims.get("scp", "").split()), claims)


def graph(handler: Handler) -> Callable[[Request], Any]:
    """Makes a handler an endpoint that verifies the token first and refuses in Graph's shape."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        try:
            answer = handler(request, emulator, caller_of(request, emulator))
        except GraphError as refused:
            answer = _refusal(refused, request, emulator)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return endpoint


def me(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """The person, whole or only the members of `$select`."""
    caller.needs("User.Read", "User.ReadWrite", "User.Read.All")
    context = f"{emulator.origins.graph}/v1.0/$metadata#users"
    return JSONResponse(_selected(caller.user, request.query_params.get("$select"), context))


def member_of(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """The person's groups, a hundred at a time."""
    caller.needs("User.Read", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
    groups, start = emulator.world.groups_of(caller.user), _skipped(request)
    address = f"{emulator.origins.graph}{request.scope['path']}"
    body: Json = {"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#directoryObjects"}
    if start + PAGE_SIZE < len(groups):
        body["@odata.nextLink"] = f"{address}?$skiptoken={start + PAGE_SIZE}"
    return JSONResponse(body | {"value": [_group(group) for group in groups[start : start + PAGE_SIZE]]})


def photo(_: Request, __: Emulator, caller: Caller) -> Response:
    """The person's picture."""
    caller.needs("User.Read", "User.ReadWrite", "User.Read.All")
    if caller.user.photo is None:
        raise GraphError(404, "ImageNotFound", "Exception of type 'ImageNotFoundException' was thrown.")
    kind = "image/png" if caller.user.photo.startswith(b"\x89PNG") else "image/jpeg"
    return Response(caller.user.photo, media_type=kind)


def revoke_sign_in_sessions(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Ends everything that was issued to the person until now; others' only for an administrator."""
    caller.needs("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
    user = _named(request, emulator, caller)
    if user != caller.user and not caller.user.is_admin:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    emulator.state.revoke_sessions(user)
    return JSONResponse({"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#Edm.Boolean", "value": True})


def _named(request: Request, emulator: Emulator, caller: Caller) -> User:
    """The person in the path, by object id or user principal name, in the caller's tenant; else the caller."""
    name = request.path_params.get("user")
    if name is None:
        return caller.user
    by_name = emulator.world.user_by_name(name)
    found = emulator.world.user(caller.user.tenant_id, by_name.id if by_name else name)
    if found is None:
        raise GraphError(404, "Request_ResourceNotFound", "The resource does not exist in the directory.")
    return found


def userinfo(_: Request, emulator: Emulator, caller: Caller) -> Response:
    """The OpenID claims of the person; `sub` is that of the client's ID token."""
    caller.needs("openid")
    user, claims = caller.user, {"sub": caller.claims["sub"]}
    if "profile" in caller.scopes:
        claims |= {"name": user.display_name, "family_name": user.surname, "given_name": user.given_name}
        claims["picture"] = f"{emulator.origins.graph}/v1.0/me/photo/$value"
    if "email" in caller.scopes and user.mail:
        claims["email"] = user.mail
    return JSONResponse(claims)


def _profile(user: User) -> Json:
    return {
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": user.given_name or None,
        "jobTitle": user.job_title,
        "mail": user.mail,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": user.surname or None,
        "userPrincipalName": user.user_principal_name,
        "id": user.id,
    }


def _more(user: User) -> Json:
    """Members that come only when selected."""
    return {
        "accountEnabled": user.account_enabled,
        "department": user.department,
        "userType": "Guest" if user.is_guest else "Member",
    }


def _selected(user: User, select: str | None, context: str) -> Json:
    if not select:
        return {"@odata.context": f"{context}/$entity"} | _profile(user)
    names = [name.strip() for name in select.split(",")]
    known = _profile(user) | _more(user)
    chosen = {name: known[name] for name in names if name in known}
    return {"@odata.context": f"{context}({','.join(names)})/$entity"} | chosen


def _group(group: Group) -> Json:
    return {"@odata.type": GROUP_TYPE, "id": group.id, "displayName": group.display_name, "securityEnabled": True}


def _skipped(request: Request) -> int:
    token = request.query_params.get("$skiptoken", "0")
    if not token.isascii() or not token.isdigit():
        raise GraphError(400, "Request_UnsupportedQuery", "The $skiptoken is not one of ours.")
    return int(token)


def _refusal(refused: GraphError, request: Request, emulator: Emulator) -> Response:
    request_id = str(uuid.uuid4())
    inner = {
        "date": emulator.state.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    body = {"error": {"code": refused.code, "message": refused.message, "innerError": inner}}
    challenge = f'Bearer realm="", authorization_uri="{emulator.origins.pages}/common/oauth2/v2.0/authorize"'
    if refused.claims is not None:
        asked = base64.b64encode(refused.claims.encode()).decode()
        challenge += f', error="insufficient_claims", claims="{asked}"'
    headers = {"request-id": request_id} | ({"WWW-Authenticate": challenge} if refused.status == UNAUTHORIZED else {})
    return JSONResponse(body, refused.status, headers=headers)


routes = [
    Route("/v1.0/me", graph(me)),
    Route("/v1.0/me/memberOf", graph(member_of)),
    Route("/v1.0/me/transitiveMemberOf", graph(member_of)),
    Route("/v1.0/me/photo/$value", graph(photo)),
    Route("/v1.0/me/revokeSignInSessions", graph(revoke_sign_in_sessions), methods=["POST"]),
    Route("/v1.0/users/{user}/revokeSignInSessions", graph(revoke_sign_in_sessions), methods=["POST"]),
    Route("/oidc/userinfo", graph(userinfo), methods=["GET", "POST"]),
    Route("/v1.0/{rest:path}", preflight, methods=["OPTIONS"]),
    Route("/oidc/userinfo", preflight, methods=["OPTIONS"]),
]
