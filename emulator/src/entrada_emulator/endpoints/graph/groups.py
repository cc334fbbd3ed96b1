"""Groups in Graph: whose member somebody is, and the answer to a token that could not hold them all."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada_emulator.directory.model import Group
from entrada_emulator.endpoints.graph.caller import Caller, caller_of
from entrada_emulator.endpoints.graph.caller import graph as guarded
from entrada_emulator.endpoints.graph.errors import NOT_FOUND, GraphError, refusal
from entrada_emulator.endpoints.graph.paging import page
from entrada_emulator.instance import Emulator, emulator_of

GROUP_TYPE = "#microsoft.graph.group"
MOST_CHECKED = 20  # group ids in one checkMemberGroups
READ_GROUPS = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
READ_MY_GROUPS = ("User.Read", "User.ReadWrite", *READ_GROUPS)
Json = dict[str, Any]


def member_of(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Somebody's groups, a hundred at a time; one's own need `User.Read` alone."""
    _may_read(request, caller)
    groups = emulator.world.groups_of(caller.named(request, emulator))
    return JSONResponse(page(request, emulator, [_group(one) for one in groups], context="directoryObjects"))


def groups(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """All groups of the caller's tenant."""
    caller.needs(*READ_GROUPS)
    found = [_group(one) for one in emulator.world.groups if one.tenant_id == caller.tenant_id]
    return JSONResponse(page(request, emulator, found, context="groups"))


def group(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """One group of the caller's tenant."""
    caller.needs(*READ_GROUPS)
    found = _group(_there(request, emulator, caller))
    context = f"{emulator.origins.graph}/v1.0/$metadata#groups/$entity"
    return JSONResponse({"@odata.context": context} | found)


def members(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Who belongs to a group."""
    caller.needs(*READ_GROUPS)
    of = _there(request, emulator, caller)
    people = [
        {"@odata.type": "#microsoft.graph.user", "id": user.id, "displayName": user.display_name}
        for user in emulator.world.users_of(of.tenant_id)
        if of.id in user.group_ids
    ]
    return JSONResponse(page(request, emulator, people, context="directoryObjects"))


def get_member_groups(request: Request, emulator: Emulator, caller: Caller, body: Json) -> Json:
    """All ids at once, where a token shows `_claim_sources` instead: `{"securityEnabledOnly": bool}` asks for them."""
    _may_read(request, caller)
    if not isinstance(body.get("securityEnabledOnly"), bool):
        raise GraphError(400, "Request_BadRequest", "securityEnabledOnly must be true or false.")
    return {"value": list(caller.named(request, emulator).group_ids)}


def check_member_groups(request: Request, emulator: Emulator, caller: Caller, body: Json) -> Json:
    """Which of up to twenty group ids the person belongs to: `{"groupIds": [...]}`."""
    _may_read(request, caller)
    asked = body.get("groupIds")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_CHECKED:
        raise GraphError(400, "Request_BadRequest", "groupIds must list one to twenty ids.")
    held = set(caller.named(request, emulator).group_ids)
    return {"value": [one for one in asked if isinstance(one, str) and one in held]}


Action = Callable[[Request, Emulator, Caller, Json], Json]


def action(perform: Action) -> Callable[[Request], Awaitable[Response]]:
    """Makes an endpoint of a function that takes a JSON body."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        try:
            caller = caller_of(request, emulator)
            ids = perform(request, emulator, caller, await _json(request))
            context = {"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#Collection(Edm.String)"}
            answer: Response = JSONResponse(context | ids)
        except GraphError as refused:
            answer = refusal(refused, request, emulator)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    return endpoint


def _there(request: Request, emulator: Emulator, caller: Caller) -> Group:
    found = emulator.world.group(request.path_params["group"])
    if found is None or found.tenant_id != caller.tenant_id:
        raise GraphError(404, *NOT_FOUND)
    return found


def _may_read(request: Request, caller: Caller) -> None:
    is_about_me = request.path_params.get("user") is None
    caller.needs(*(READ_MY_GROUPS if is_about_me else READ_GROUPS))


async def _json(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
    return body


def _group(group: Group) -> Json:
    return {"@odata.type": GROUP_TYPE, "id": group.id, "displayName": group.display_name, "securityEnabled": True}


PERSON = ("/v1.0/me", "/v1.0/users/{user}", "/v1.0/directoryObjects/{user}")
routes = [
    Route("/v1.0/groups", guarded(groups)),
    Route("/v1.0/groups/{group}", guarded(group)),
    Route("/v1.0/groups/{group}/members", guarded(members)),
    *(
        Route(f"{person}/{name}", guarded(member_of))
        for person in PERSON
        for name in ("memberOf", "transitiveMemberOf")
    ),
    *(
        Route(f"{person}/{name}", action(get_member_groups), methods=["POST"])
        for person in PERSON
        for name in ("getMemberObjects", "getMemberGroups")
    ),
    *(Route(f"{person}/checkMemberGroups", action(check_member_groups), methods=["POST"]) for person in PERSON),
]
