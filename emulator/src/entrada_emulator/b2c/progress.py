"""Moves a journey on: from what is known to the next page, or to its end at the application."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from starlette.responses import RedirectResponse, Response

from entrada_emulator.b2c.errors import B2CError, description, redirect_fields
from entrada_emulator.b2c.journey import Journey, Step, first_wish, next_step
from entrada_emulator.b2c.replies import NAMES
from entrada_emulator.b2c.request import PolicyRequest
from entrada_emulator.b2c.tokens import customer_info
from entrada_emulator.directory.model import User
from entrada_emulator.inspector.notes import noted
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.pages import Policy, render
from entrada_emulator.signing_in.authorization_request import Client
from entrada_emulator.signing_in.outcome import UNREGISTERED, deliver, trace
from entrada_emulator.signing_in.sso import SignedIn
from entrada_emulator.signing_in.visit import Visit
from entrada_emulator.state import State, issue_code

OFFERED = 25  # customers worth a button


def start(visit: Visit, request: PolicyRequest) -> Response:
    """The first answer to an authorization request: a page, or at once an end."""
    journey = Journey(
        id=secrets.token_urlsafe(32),
        browser=visit.browser,
        request=request,
        started_at=visit.emulator.state.clock.now(),
        wish=first_wish(request),
        email=request.login_hint,
    )
    account = _session_of(visit, request)
    too_old = account is not None and _is_too_old(visit, request, account)
    if account and not too_old and request.prompt != "login" and journey.wish == "sign_in":
        journey = replace(journey, customer_id=account.user.id, auth_time=account.auth_time)
    if request.prompt == "none" and next_step(journey) is not Step.DONE:
        return refuse(request.client, B2CError(90121 if too_old else 90077), visit.emulator.state)
    return go_on(visit, journey)


def go_on(visit: Visit, journey: Journey, *, posted: bool = False) -> Response:
    """The next page, or the journey's end. After a POST a page is only pointed at, so that it can be loaded anew."""
    step = next_step(journey)
    if step is Step.DONE:
        return _succeed(visit, journey)
    visit.emulator.state.journeys.keep(journey)
    if posted:
        return RedirectResponse(f"{page_url(journey)}?journey={journey.id}", 303, {"cache-control": "no-store"})
    return _show(visit, journey, step)


def end(visit: Visit, journey: Journey, error: B2CError) -> Response:
    """Ends the journey with an error for the application."""
    visit.emulator.state.journeys.end(journey)
    return refuse(journey.request.client, error, visit.emulator.state)


def refuse(client: Client, error: B2CError, state: State) -> Response:
    """Sends an error to the application's redirect URI."""
    return deliver(client, redirect_fields(error, trace(state, client.correlation_id), state=client.state))


def error_page(state: State, error: B2CError, *, correlation_id: str = "") -> Response:
    """Shows an error where the application cannot be told."""
    noted(refusal=error.text)
    request = trace(state, correlation_id)
    facts = [("Correlation ID", request.correlation_id), ("Timestamp", request.timestamp)]
    text = description(error, request).partition("\r\n")[0]
    return render("error.html", text=text, advice=UNREGISTERED if error.code == 90006 else None, facts=facts)  # noqa: PLR2004


def page_url(journey: Journey) -> str:
    """Where the journey goes on."""
    return f"{journey.request.path.path}/page"


def _succeed(visit: Visit, journey: Journey) -> Response:
    state, request = visit.emulator.state, journey.request
    customer = _customer(visit, journey)
    if customer is None or journey.auth_time is None:
        return end(visit, journey, B2CError(90128))
    state.journeys.end(journey)
    account = _signed_in(visit, customer, journey)
    noted(person=customer.mail or customer.user_principal_name, sid=account.sid)
    account.clients.add((request.client.application.client_id, customer.tenant_id))
    fields = {"code": issue_code(state, _grant(journey, account))}
    if request.client_info:
        fields["client_info"] = customer_info(customer, request.path)
    if request.client.state is not None:
        fields["state"] = request.client.state
    return deliver(request.client, fields)


def _grant(journey: Journey, account: SignedIn) -> CodeGrant:
    request = journey.request
    return CodeGrant(
        client_id=request.client.application.client_id,
        redirect_uri=request.client.redirect_uri,
        redirect_kind=request.client.registered.kind,
        path_tenant=request.path.name,
        tenant_id=request.path.tenant.id,
        user_id=account.user.id,
        scopes=request.scope,
        sid=account.sid,
        auth_time=account.auth_time,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        code_challenge_method=request.code_challenge_method,
        new_user=journey.is_new,
    )


def _signed_in(visit: Visit, customer: User, journey: Journey) -> SignedIn:
    """The customer's entry at this browser, new where they have just proved themselves."""
    known = visit.account(customer)
    auth_time = journey.auth_time or visit.emulator.state.clock.now()
    if known and known.auth_time == auth_time:
        return known
    return visit.renew_session().sign_in(customer, auth_time=auth_time, amr=("pwd",))


def _session_of(visit: Visit, request: PolicyRequest) -> SignedIn | None:
    mine = [account for account in visit.accounts if account.user.tenant_id == request.path.tenant.id]
    return mine[-1] if mine else None


def _is_too_old(visit: Visit, request: PolicyRequest, account: SignedIn) -> bool:
    """Whether `max_age` refuses what the customer proved earlier."""
    age = visit.emulator.state.clock.now() - account.auth_time
    return request.max_age is not None and age > timedelta(seconds=request.max_age)


def _customer(visit: Visit, journey: Journey) -> User | None:
    tenant_id = journey.request.path.tenant.id
    return visit.emulator.state.customers.get(visit.emulator.world, tenant_id, journey.customer_id or "")


def _names(customer: User | None) -> dict[str, str]:
    return {name: getattr(customer, name) if customer else "" for name in NAMES}


def _show(visit: Visit, journey: Journey, step: Step) -> Response:
    request = journey.request
    noted(page=f"b2c_{step.value}", problem=journey.problem.text if journey.problem else "")
    context: Mapping[str, Any] = {
        "journey": journey.id,
        "step": step.value,
        "action": page_url(journey),
        "app": request.client.application.display_name,
        "directory": request.path.tenant.display_name,
        "flow": request.path.flow,
        "wish": journey.wish,
        "email": journey.email,
        "mailed_code": journey.mailed_code,
        "names": journey.typed or _names(_customer(visit, journey)),
        "people": _offered(visit, journey) if step is Step.SIGN_IN else [],
        "problem": journey.problem,
    }
    policy = Policy(leads_to=(request.client.redirect_uri,))
    return render(f"b2c_{step.value}.html", policy=policy, **context)


def _offered(visit: Visit, journey: Journey) -> list[User]:
    everybody = visit.emulator.state.customers.all_of(visit.emulator.world, journey.request.path.tenant.id)
    return list(islice(everybody, OFFERED))
