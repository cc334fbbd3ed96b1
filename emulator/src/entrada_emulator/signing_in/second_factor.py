"""The second factor: a code from an authenticator app, setting one up, or an approval on a phone."""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyotp

from entrada_emulator.directory.model import User
from entrada_emulator.inspector.notes import failed, passed
from entrada_emulator.pages import Problem
from entrada_emulator.signing_in.conversation import Attempt, Step
from entrada_emulator.signing_in.mfa import Push
from entrada_emulator.signing_in.visit import Visit
from entrada_emulator.state import State

STEP_SECONDS = 30
TOLERATED = (0, -1, 1)  # a code counts half a minute early or late: phones' clocks differ

WRONG_CODE = "That code is not right. Check that it is the newest one, and that the clock of your phone is."
USED_CODE = "That code was used already. Wait for the next one."
LOCKED = "Too many wrong codes. Try again in a minute."
DENIED = "The request was denied on the phone."
NO_ANSWER = "Nobody answered in two minutes. A new request was sent."
WAITING = "The phone has not answered yet."


@dataclass(frozen=True, slots=True)
class Reply:
    """A posted form, with who sent it and the attempt it belongs to."""

    visit: Visit
    attempt: Attempt
    form: Mapping[str, str] = field(repr=False)


def offer(visit: Visit, attempt: Attempt, step: Step) -> Attempt:
    """The attempt with what the page of this step shows: a secret to enrol, a request sent to the phone."""
    if step is Step.ENROL and attempt.offered_secret is None:
        return replace(attempt, offered_secret=pyotp.random_base32())
    if step is Step.PUSH and attempt.user and _push_of(visit, attempt) is None:
        return _ask_phone(visit, attempt, attempt.user)
    return attempt


def absorb_phone(visit: Visit, attempt: Attempt) -> Attempt:
    """The attempt with the phone's answer, if it gave one. An approval counts once."""
    push = _push_of(visit, attempt)
    if push is None or push.answer == "waiting":
        return attempt
    if push.answer == "approved":
        return replace(prove(visit, attempt, amr=("pwd", "mfa")), push_id=None)
    failed("second_factor", DENIED)
    return replace(attempt, problem=Problem(DENIED, code=500121))


def check_push(reply: Reply) -> Attempt:
    """The person says that they approved; whether the phone did is another matter."""
    push = _push_of(reply.visit, reply.attempt)
    if push is None:
        return replace(reply.attempt, push_id=None, problem=Problem(NO_ANSWER))
    return replace(reply.attempt, problem=Problem(WAITING)) if push.answer == "waiting" else reply.attempt


def ask_again(reply: Reply) -> Attempt:
    """The person wants another request on the phone after a denial."""
    return replace(reply.attempt, push_id=None)


def check_code(reply: Reply) -> Attempt:
    """The person typed a code."""
    user, state = reply.attempt.user, reply.visit.emulator.state
    secret = state.totp.secret_of(user) if user else None
    if user is None or secret is None:
        return reply.attempt
    problem = _problem_with(state, user, secret=secret, code=reply.form.get("code", ""))
    return (
        replace(reply.attempt, problem=problem)
        if problem
        else prove(reply.visit, reply.attempt, amr=("pwd", "otp", "mfa"))
    )


def enrol(reply: Reply) -> Attempt:
    """The person typed the first code of the secret just shown; only now it counts as theirs."""
    user, state, secret = reply.attempt.user, reply.visit.emulator.state, reply.attempt.offered_secret
    if user is None or secret is None:
        return reply.attempt
    problem = _problem_with(state, user, secret=secret, code=reply.form.get("code", ""))
    if problem:
        return replace(reply.attempt, problem=problem)
    state.totp.enrol(user, secret)
    return replace(prove(reply.visit, reply.attempt, amr=("pwd", "otp", "mfa")), offered_secret=None)


def code_now(secret: str, now: datetime) -> str | None:
    """What an authenticator with this secret shows at a moment; None for what is no base32 secret."""
    try:
        return pyotp.TOTP(secret.replace(" ", "").upper()).at(now)
    except (binascii.Error, ValueError):
        return None


def prove(visit: Visit, attempt: Attempt, *, amr: tuple[str, ...]) -> Attempt:
    """The attempt of somebody who has just given the second factor."""
    passed("second_factor", "By a phone's approval." if "otp" not in amr else "By an authenticator's code.")
    return replace(attempt, amr=amr, auth_time=visit.emulator.state.clock.now(), problem=None)


def _problem_with(state: State, user: User, *, secret: str, code: str) -> Problem | None:
    """Why the code is refused, or None; a good one is spent by asking."""
    problem = _problem(state, user, secret=secret, code=code)
    if problem:
        failed("second_factor", problem.text)
    return problem


def _problem(state: State, user: User, *, secret: str, code: str) -> Problem | None:
    if state.lockouts.is_locked(user):
        return Problem(LOCKED, "code", 50053)
    step = _step_of(state, secret, code.replace(" ", ""))
    if step is None:
        state.lockouts.wrong(user)
        return Problem(WRONG_CODE, "code", 500121)
    return None if state.totp.spend_step(user, step) else Problem(USED_CODE, "code", 500121)


def _step_of(state: State, secret: str, code: str) -> int | None:
    """The 30-second step the code belongs to, at the emulator's clock."""
    now = int(state.clock.now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    return next((now + off for off in TOLERATED if pyotp.utils.strings_equal(code, totp.generate_otp(now + off))), None)


def _ask_phone(visit: Visit, attempt: Attempt, user: User) -> Attempt:
    application = attempt.request.client.application
    push = visit.emulator.state.pushes.ask(user, application=application.display_name)
    return replace(attempt, push_id=push.id)


def _push_of(visit: Visit, attempt: Attempt) -> Push | None:
    return visit.emulator.state.pushes.find(attempt.push_id) if attempt.push_id else None
