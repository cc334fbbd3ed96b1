"""`/{tenant}/oauth2/v2.0/logout`: signs out here, tells the applications in hidden frames, and leads back."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entrada_emulator.clients.checks import TenantPath, is_registered, tenant_path
from entrada_emulator.endpoints.parameters import Parameters, parameters_of
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import failed, framed, linked, noted, passed, skipped
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.pages import Policy, render
from entrada_emulator.signing_in.login_hint import username_of
from entrada_emulator.signing_in.outcome import error_page
from entrada_emulator.signing_in.sso import SignedIn
from entrada_emulator.signing_in.views import picked
from entrada_emulator.signing_in.visit import Visit

CARRIED = ("post_logout_redirect_uri", "state", "client_id")


@dataclass(frozen=True, slots=True)
class Frame:
    """A hidden frame with an application's front-channel logout URL."""

    url: str
    app: str


async def logout(request: Request) -> Response:
    """Signs one account out: the hinted one, the only one, or the one that the person picks."""
    emulator = emulator_of(request)
    try:
        path = tenant_path(emulator.world, request.path_params["tenant"])
        given = await parameters_of(request)
    except EntraError as error:
        return error_page(emulator.state, error)
    visit = Visit(request)
    if request.method == "POST" and not visit.is_known:
        return _again_as_get(path, given)
    target = _target(emulator, path, given)
    if not visit.accounts:
        return visit.answer(_leave(target, frames=(), heading="You are signed out"))
    account = _meant(visit, given)
    if account is None:
        return visit.answer(_picker(visit, path, given, target))
    frames = _frames(emulator, account)
    noted(person=account.user.user_principal_name, sid=account.sid)
    visit.sign_out(account)
    return visit.answer(_leave(target, frames=frames, heading="You signed out of your account"))


def _again_as_get(path: TenantPath, given: Parameters) -> Response:
    """A POST from another site comes without this browser's Lax cookies; as a GET it brings them."""
    return RedirectResponse(f"{_url(path)}?{urlencode(given)}", 303, {"cache-control": "no-store"})


def _url(path: TenantPath) -> str:
    return f"/{path.name}/oauth2/v2.0/logout"


def _meant(visit: Visit, given: Parameters) -> SignedIn | None:
    """The account to sign out, or None where the person has to say."""
    if given.get("session"):
        return next((a for a in visit.accounts if a.sid == given["session"]), None)
    hint = username_of(visit.emulator.world, given.get("logout_hint", "")).lower()
    hinted = [a for a in visit.accounts if a.user.user_principal_name.lower() == hint]
    if hinted:
        return hinted[0]
    return visit.accounts[0] if len(visit.accounts) == 1 else None


def _target(emulator: Emulator, path: TenantPath, given: Parameters) -> str | None:
    """Where to go afterwards: only a URI that an application registered, with the state; None for nowhere."""
    uri = given.get("post_logout_redirect_uri")
    if not uri:
        skipped("logout_redirect_uri", "The request names no address to go back to.")
        return None
    if not _is_registered(emulator, path, uri, client_id=given.get("client_id")):
        failed("logout_redirect_uri", "No application registered this address, so nobody is sent there.")
        return None
    passed("logout_redirect_uri")
    state = urlencode({"state": given["state"]}) if "state" in given else ""
    return f"{uri}{'&' if '?' in uri else '?'}{state}" if state else uri


def _is_registered(emulator: Emulator, path: TenantPath, uri: str, *, client_id: str | None) -> bool:
    return any(
        is_registered(application, uri)
        for application in emulator.world.applications
        if client_id in {None, "", application.client_id}
        and (path.tenant is None or emulator.world.available_in(application, path.tenant.id))
    )


def _frames(emulator: Emulator, account: SignedIn) -> tuple[Frame, ...]:
    """One frame for each application that the account entered and that registered a logout URL."""
    entered = [(emulator.world.application(client_id), tenant_id) for client_id, tenant_id in sorted(account.clients)]
    return tuple(
        Frame(_frame_url(emulator, app.logout_url, sid=account.sid, tenant_id=tenant_id), app.display_name)
        for app, tenant_id in entered
        if app and app.logout_url
    )


def _frame_url(emulator: Emulator, logout_url: str, *, sid: str, tenant_id: str) -> str:
    told = {"sid": sid}
    if emulator.state.logout_sends_iss:
        told["iss"] = emulator.origins.issuer(tenant_id)
    return f"{logout_url}{'&' if '?' in logout_url else '?'}{urlencode(told)}"


def _leave(target: str | None, *, frames: tuple[Frame, ...], heading: str) -> Response:
    """Goes on at once where nobody has to be told; otherwise by a page that shows the frames first."""
    if target and not frames:
        return RedirectResponse(target, 302, {"cache-control": "no-store"})
    for frame in frames:
        framed(frame.app, frame.url)
    noted(page="signed_out")
    text = "We are telling the applications that you used." if frames else "You can close this window."
    policy = Policy(frames=tuple(frame.url for frame in frames), scripts=bool(target))
    return render("signed_out.html", policy=policy, heading=heading, text=text, target=target, frames=frames)


def _picker(visit: Visit, path: TenantPath, given: Parameters, target: str | None) -> Response:
    noted(page="logout_accounts")
    for account in visit.accounts:
        linked("logout", account.sid)
    return render(
        "logout_accounts.html",
        policy=Policy(leads_to=(target,) if target else ()),
        action=_url(path),
        accounts=[picked(account) for account in visit.accounts],
        fields=[(name, given[name]) for name in CARRIED if name in given],
    )


routes = [
    Route("/{tenant}/oauth2/v2.0/logout", logout, methods=["GET", "POST"]),
    Route("/{tenant}/oauth2/logout", logout, methods=["GET", "POST"]),
]
