"""What each form of the conversation does: an answer adds a fact to the attempt, or says what was wrong with it.

An `EntraError` raised here ends the attempt: it is what the application gets.
"""

from collections.abc import Callable
from dataclasses import replace

from entrada_emulator.directory.model import User
from entrada_emulator.errors import UNNAMED, EntraError
from entrada_emulator.inspector.notes import failed, passed
from entrada_emulator.pages import Problem
from entrada_emulator.signing_in.conversation import Attempt, Step, forget_account, use_account
from entrada_emulator.signing_in.second_factor import Reply, ask_again, check_code, check_push, enrol
from entrada_emulator.signing_in.situation import permissions_asked, person_there
from entrada_emulator.signing_in.visit import Visit

Answer = Callable[[Reply], Attempt]

WRONG_PASSWORD = "Your account or password is incorrect. Try again."  # noqa: S105 - what the page says
LOCKED = "Your account is temporarily locked after too many wrong answers. Try again in a minute."
DISABLED = "Your account is disabled. Ask an administrator to enable it."


def answer(reply: Reply, *, step: Step) -> Attempt:
    """The attempt after a posted form; a button that this page doesn't have changes nothing."""
    action = reply.form.get("action", "")
    if action in ENDS:
        code, suberror = ENDS[action]
        raise EntraError(code, suberror=suberror)
    handler = ANSWERS.get((step, action))
    return handler(replace(reply, attempt=replace(reply.attempt, problem=None))) if handler else reply.attempt


def name_account(reply: Reply) -> Attempt:
    """The person typed a user name."""
    username = reply.form.get("username", "").strip()[:256]
    named = replace(reply.attempt, username=username)
    user = reply.visit.emulator.world.user_by_name(username)
    if user is None or user.is_guest:
        text = f"We couldn’t find an account with the name {username}." if username else "Enter your user name."
        return replace(named, problem=Problem(text, "username", 50034 if username else None))
    return claim_account(reply.visit, named, user)


def claim_account(visit: Visit, attempt: Attempt, user: User) -> Attempt:
    """Goes on as this person, if the tenant knows them."""
    claimed = replace(attempt, user=user, username=user.user_principal_name)
    try:
        person_there(visit.emulator.world, attempt.request, user)
    except EntraError as error:
        problem = Problem(error.text.partition(": ")[2], "username", error.code)
        return replace(forget_account(attempt), username=user.user_principal_name, problem=problem)
    return claimed


def sign_in_as(reply: Reply) -> Attempt:
    """One click on a seeded person: the right user name and the right password."""
    user = next((u for u in reply.visit.emulator.world.users if u.id == reply.form.get("person")), None)
    if user is None or user.is_guest:
        return reply.attempt
    claimed = claim_account(reply.visit, reply.attempt, user)
    return give_password(reply.visit, claimed, user.password) if claimed.user else claimed


def pick_account(reply: Reply) -> Attempt:
    """The person picked an account of this browser."""
    account = next((a for a in reply.visit.accounts if a.sid == reply.form.get("account")), None)
    if account is None:
        return reply.attempt
    claimed = claim_account(reply.visit, reply.attempt, account.user)
    return use_account(claimed, account, now=reply.visit.emulator.state.clock.now()) if claimed.user else claimed


def check_password(reply: Reply) -> Attempt:
    """The person typed a password."""
    return give_password(reply.visit, reply.attempt, reply.form.get("password", ""))


def give_password(visit: Visit, attempt: Attempt, password: str) -> Attempt:
    """Proves the first factor, or says why not: 50053, 50126, 50057, in this order."""
    user, state = attempt.user, visit.emulator.state
    if user is None:
        return attempt
    problem = _problem_with(visit, attempt, user, password)
    if problem:
        failed("password", problem.text)
        return replace(attempt, problem=problem)
    passed("password")
    stay = True if visit.session and visit.session.keep else attempt.stay
    return replace(attempt, amr=("pwd",), auth_time=state.clock.now(), sid=None, stay=stay)


def _problem_with(visit: Visit, attempt: Attempt, user: User, password: str) -> Problem | None:
    lockouts = visit.emulator.state.lockouts
    if lockouts.is_locked(user):
        return Problem(LOCKED, "password", 50053)
    if password != user.password:
        lockouts.wrong(user)
        return Problem(WRONG_PASSWORD, "password", 50126)
    if not (user.account_enabled and person_there(visit.emulator.world, attempt.request, user).account_enabled):
        return Problem(DISABLED, "password", 50057)
    return None


def choose_method(reply: Reply) -> Attempt:
    """The person prefers their other second factor."""
    return replace(reply.attempt, method="push" if reply.form.get("action") == "push" else "totp")


def stay_signed_in(reply: Reply) -> Attempt:
    """The answer to "stay signed in?"."""
    return replace(reply.attempt, stay=reply.form.get("action") == "yes")


def accept(reply: Reply) -> Attempt:
    """The person agrees to the permissions, for themselves or as an administrator for everybody."""
    if reply.attempt.user is None:
        return reply.attempt
    emulator, application = reply.visit.emulator, reply.attempt.request.client.application
    person = person_there(emulator.world, reply.attempt.request, reply.attempt.user)
    permissions = permissions_asked(emulator, reply.attempt)
    if person.is_admin and (reply.attempt.request.for_organisation or reply.form.get("everyone") == "yes"):
        emulator.state.consents.grant_for_tenant(
            application.client_id, tenant_id=person.tenant_id, permissions=permissions
        )
    else:
        emulator.state.consents.grant(application.client_id, user=person, permissions=permissions)
    return replace(reply.attempt, consented=True)


def confirm_device(reply: Reply) -> Attempt:
    """The person says that the waiting device is theirs."""
    return replace(reply.attempt, confirmed=True)


def another_account(reply: Reply) -> Attempt:
    """The person is somebody else."""
    return forget_account(reply.attempt)


def return_without_admin(reply: Reply) -> Attempt:
    """The person goes back without an administrator's approval: 90094."""
    application = reply.attempt.request.client.application
    directory = reply.attempt.request.client.path.tenant
    tenant = directory.display_name if directory else UNNAMED
    raise EntraError(90094, application=application.display_name, tenant=tenant)


def return_blocked(_: Reply) -> Attempt:
    """The person goes back with what the policy says: 53003."""
    raise EntraError(53003)


WITH_ACCOUNT = (
    Step.BLOCKED,
    Step.PASSWORD,
    Step.ENROL,
    Step.CODE,
    Step.PUSH,
    Step.KMSI,
    Step.CONSENT,
    Step.NEED_ADMIN,
    Step.DEVICE,
)
ANSWERS: dict[tuple[Step, str], Answer] = {
    **{(step, "another"): another_account for step in (Step.ACCOUNTS, *WITH_ACCOUNT)},
    (Step.ACCOUNTS, "account"): pick_account,
    (Step.USERNAME, "next"): name_account,
    (Step.USERNAME, "person"): sign_in_as,
    (Step.PASSWORD, "password"): check_password,
    (Step.ENROL, "enrol"): enrol,
    (Step.CODE, "code"): check_code,
    (Step.CODE, "push"): choose_method,
    (Step.PUSH, "totp"): choose_method,
    (Step.PUSH, "check"): check_push,
    (Step.PUSH, "resend"): ask_again,
    (Step.KMSI, "yes"): stay_signed_in,
    (Step.KMSI, "no"): stay_signed_in,
    (Step.CONSENT, "accept"): accept,
    (Step.DEVICE, "confirm"): confirm_device,
    (Step.BLOCKED, "back"): return_blocked,
    (Step.NEED_ADMIN, "back"): return_without_admin,
}
ENDS: dict[str, tuple[int, str | None]] = {"cancel": (65004, "cancel"), "decline": (65004, None)}
"""Buttons with which a person gives up, and what the application is told."""
