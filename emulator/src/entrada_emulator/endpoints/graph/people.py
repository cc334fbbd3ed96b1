"""The person in Graph: profile, picture, userinfo, and the end of their sign-ins."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada_emulator.directory.model import User
from entrada_emulator.endpoints.graph.caller import Caller, graph
from entrada_emulator.endpoints.graph.errors import DENIED, GraphError
from entrada_emulator.endpoints.graph.paging import page, selected
from entrada_emulator.instance import Emulator

Json = dict[str, Any]
READ_ME = ("User.Read", "User.ReadWrite", "User.Read.All", "Directory.Read.All")
READ_BASIC = ("User.ReadBasic.All",)
READ_ANYBODY = ("User.Read.All", "Directory.Read.All")


def me(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """The person, whole or only the members of `$select`."""
    caller.needs(*READ_ME)
    return JSONResponse(_selected(emulator, caller.person, request))


def user(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Anybody of the caller's tenant, by object id or user principal name."""
    caller.needs(*READ_BASIC, *READ_ANYBODY)
    return JSONResponse(_selected(emulator, caller.named(request, emulator), request))


def users(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Everybody of the caller's tenant, a hundred at a time."""
    caller.needs(*READ_BASIC, *READ_ANYBODY)
    shown = _whole if selected(request) else _profile
    people = [shown(one) for one in emulator.world.users_of(caller.tenant_id)]
    return JSONResponse(page(request, emulator, people, context="users"))


def photo(_: Request, __: Emulator, caller: Caller) -> Response:
    """The person's picture."""
    caller.needs(*READ_ME)
    picture = caller.person.photo
    if picture is None:
        raise GraphError(404, "ImageNotFound", "Exception of type 'ImageNotFoundException' was thrown.")
    kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
    return Response(picture, media_type=kind)


def organization(_: Request, emulator: Emulator, caller: Caller) -> Response:
    """The caller's own organisation."""
    caller.needs(*READ_ME)
    tenant = emulator.world.tenant(caller.tenant_id)
    domains = [
        {"name": name, "isDefault": at == 0, "isInitial": at == 0, "type": "Managed"}
        for at, name in enumerate(tenant.domains if tenant else ())
    ]
    told = {"id": caller.tenant_id, "displayName": tenant.display_name if tenant else None, "verifiedDomains": domains}
    context = f"{emulator.origins.graph}/v1.0/$metadata#organization"
    return JSONResponse({"@odata.context": context, "value": [told]})


def revoke_sign_in_sessions(request: Request, emulator: Emulator, caller: Caller) -> Response:
    """Ends everything that was issued to the person until now; others' only for an administrator."""
    caller.needs("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
    meant = caller.named(request, emulator)
    if caller.user and meant != caller.user and not caller.user.is_admin:
        raise GraphError(403, *DENIED)
    emulator.state.revoke_sessions(meant)
    return JSONResponse({"@odata.context": f"{emulator.origins.graph}/v1.0/$metadata#Edm.Boolean", "value": True})


def userinfo(_: Request, emulator: Emulator, caller: Caller) -> Response:
    """The OpenID claims of the person; `sub` is that of the client's ID token."""
    caller.needs("openid")
    user, claims = caller.person, {"sub": caller.claims["sub"]}
    if "profile" in caller.permissions:
        claims |= {"name": user.display_name, "family_name": user.surname, "given_name": user.given_name}
        claims["picture"] = f"{emulator.origins.graph}/v1.0/me/photo/$value"
    if "email" in caller.permissions and user.mail:
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


def _whole(user: User) -> Json:
    """With the members that come only when selected."""
    more = {
        "accountEnabled": user.account_enabled,
        "department": user.department,
        "userType": "Guest" if user.is_guest else "Member",
    }
    return _profile(user) | more


def _selected(emulator: Emulator, user: User, request: Request) -> Json:
    names, context = selected(request), f"{emulator.origins.graph}/v1.0/$metadata#users"
    if not names:
        return {"@odata.context": f"{context}/$entity"} | _profile(user)
    known = _whole(user)
    chosen = {name: known[name] for name in names if name in known}
    return {"@odata.context": f"{context}({','.join(names)})/$entity"} | chosen


routes = [
    Route("/v1.0/me", graph(me)),
    Route("/v1.0/me/photo/$value", graph(photo)),
    Route("/v1.0/me/photos/{size}/$value", graph(photo)),
    Route("/v1.0/organization", graph(organization)),
    Route("/v1.0/me/revokeSignInSessions", graph(revoke_sign_in_sessions), methods=["POST"]),
    Route("/v1.0/users", graph(users)),
    Route("/v1.0/users/{user}", graph(user)),
    Route("/v1.0/users/{user}/revokeSignInSessions", graph(revoke_sign_in_sessions), methods=["POST"]),
    Route("/oidc/userinfo", graph(userinfo), methods=["GET", "POST"]),
]
