"""Moves an attempt on: from what is known to the next page, or to its end."""

from dataclasses import replace

from starlette.responses import RedirectResponse, Response

from entrada_emulator.directory.model import User
from entrada_emulator.errors import UNNAMED, EntraError
from entrada_emulator.signing_in.conversation import (
    Attempt,
    Situation,
    Step,
    begin,
    forget_account,
    forget_proof,
    next_step,
)
from entrada_emulator.signing_in.outcome import decline_device, refuse, succeed
from entrada_emulator.signing_in.second_factor import absorb_phone, offer
from entrada_emulator.signing_in.situation import may_enter, situation_of
from entrada_emulator.signing_in.views import Scene, login_url, show
from entrada_emulator.signing_in.visit import Visit

SIGNED_IN = frozenset({Step.NEED_ADMIN, Step.CONSENT, Step.DEVICE, Step.DONE})
WHAT_SILENCE_LACKS = {
    Step.PASSWORD: (50058, "login_required"),
    Step.ENROL: (50079, "interaction_required"),
    Step.CODE: (50076, "interaction_required"),
    Step.PUSH: (50076, "interaction_required"),
    Step.BLOCKED: (53003, "access_denied"),
    Step.CONSENT: (65001, "consent_required"),
    Step.NEED_ADMIN: (90094, "consent_required"),
}
"""Where `prompt=none` stops: AADSTS code and OAuth word for the first page that it would take."""


def start(visit: Visit, attempt: Attempt, *, posted: bool = False) -> Response:
    """The first answer to an authorization request: a page, or at once an end."""
    world, path = visit.emulator.world, attempt.request.client.path
    known = tuple(a for a in visit.accounts if may_enter(world, attempt.request, a.user))
    welcome = tuple(a for a in known if path.tenant is None or world.in_tenant(a.user, path.tenant.id))
    begun = begin(attempt, welcome, now=visit.emulator.state.clock.now())
    if attempt.request.silent and begun.user is None:
        return end(visit, begun, EntraError(16000 if len(welcome) > 1 else 50058))
    if begun.user is None and begun.username and begun.another:
        begun = replace(begun, user=_hinted(visit, begun))
    return go_on(visit, begun, posted=posted)


def go_on(visit: Visit, attempt: Attempt, *, posted: bool = False) -> Response:
    """The next page, or the attempt's end. After a POST a page is only pointed at, so that it can be loaded anew."""
    try:
        attempt, step, situation = _advance(visit, attempt)
        account = visit.account(attempt.user)
        if step is Step.DONE and account:
            return succeed(visit, attempt, account)
        if attempt.request.silent:
            raise _silence_broken(attempt, step)
    except EntraError as error:
        return end(visit, attempt, error)
    visit.emulator.state.attempts.keep(attempt)
    if posted:
        return RedirectResponse(f"{login_url(attempt)}?attempt={attempt.id}", 303, {"cache-control": "no-store"})
    return show(Scene(visit, attempt, situation), step=step)


def end(visit: Visit, attempt: Attempt, error: EntraError) -> Response:
    """Ends the attempt with an error for the application."""
    visit.emulator.state.attempts.end(attempt)
    if attempt.request.user_code:
        return decline_device(visit, attempt, error)
    for_organisation = attempt.request.for_organisation
    return refuse(attempt.request.client, error, visit.emulator.state, for_organisation=for_organisation)


def _advance(visit: Visit, attempt: Attempt) -> tuple[Attempt, Step, Situation]:
    attempt = absorb_phone(visit, attempt)
    situation = situation_of(visit, attempt)
    if situation.stale:
        attempt = forget_proof(attempt)
        situation = situation_of(visit, attempt)
    step = next_step(attempt, situation)
    if step in SIGNED_IN:
        attempt = _with_session(visit, attempt)
        situation = situation_of(visit, attempt)
        step = next_step(attempt, situation)
    return offer(visit, attempt, step), step, situation


def _with_session(visit: Visit, attempt: Attempt) -> Attempt:
    """Signs the person in at this browser, or finds that they still are."""
    account = visit.account(attempt.user)
    if attempt.user is None or attempt.auth_time is None or (attempt.sid and account is None):
        return forget_account(attempt)  # signed out meanwhile, in another tab
    if account and attempt.sid == account.sid and account.amr == attempt.amr:
        return attempt
    session = visit.renew_session()
    session.keep = session.keep or bool(attempt.stay)
    visit.emulator.state.lockouts.right(attempt.user)
    return replace(attempt, sid=session.sign_in(attempt.user, auth_time=attempt.auth_time, amr=attempt.amr).sid)


def _hinted(visit: Visit, attempt: Attempt) -> User | None:
    """Whom the hint names, if they can sign in here; else the person is asked."""
    world, path = visit.emulator.world, attempt.request.client.path
    user = world.user_by_name(attempt.username)
    if user is None or user.is_guest or (path.tenant and world.in_tenant(user, path.tenant.id) is None):
        return None
    return user


def _silence_broken(attempt: Attempt, step: Step) -> EntraError:
    code, error = WHAT_SILENCE_LACKS.get(step, (50058, "login_required"))
    application, directory = attempt.request.client.application, attempt.request.client.path.tenant
    return EntraError(
        code,
        error=error,
        tenant=directory.display_name if directory else UNNAMED,
        client_id=application.client_id,
        application=application.display_name,
        resource=attempt.request.scopes.first.resource.client_id,
    )
