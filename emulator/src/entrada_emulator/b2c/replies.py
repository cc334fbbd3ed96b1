"""What each form of a policy does: an answer adds a fact to the journey, or says what was wrong with it.

A `B2CError` raised here ends the journey: it is what the application gets.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from entrada_emulator.b2c.customers import SHORTEST_PASSWORD
from entrada_emulator.b2c.errors import B2CError
from entrada_emulator.b2c.journey import GUESSES, Journey, Step
from entrada_emulator.directory.model import User
from entrada_emulator.instance import Emulator
from entrada_emulator.pages import Problem

ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
NAMES = ("display_name", "given_name", "surname")

WRONG = "Invalid username or password."
LOCKED = "Your account is temporarily locked. Try again in a minute."
DISABLED = "Your account has been locked. Contact your support person to unlock it, then try again."
NO_ADDRESS = "Please enter a valid email address."
WRONG_CODE = "That code is incorrect. Please try again."
TOO_MANY = "You've made too many incorrect attempts. Please send a new code."
NO_ACCOUNT = "An account could not be found for the provided user ID."
TAKEN = "A user with the specified ID already exists. Please choose a different one."
SHORT = f"The password must be at least {SHORTEST_PASSWORD} characters long."
UNLIKE = "The password entry fields do not match. Please enter the same password in both fields."
NAMELESS = "Please enter a display name."


@dataclass(frozen=True, slots=True)
class Reply:
    """A posted form and the journey it belongs to."""

    emulator: Emulator
    journey: Journey
    form: Mapping[str, str] = field(repr=False)

    @property
    def tenant_id(self) -> str:
        """The tenant whose customer this is."""
        return self.journey.request.path.tenant.id

    def text(self, name: str, *, longest: int = 128) -> str:
        """A field of the form, trimmed."""
        return self.form.get(name, "").strip()[:longest]

    def troubled(self, text: str, at: str | None = None, **facts: str) -> Journey:
        """The journey with a problem to show."""
        return replace(self.journey, problem=Problem(text, at), **facts)  # type: ignore[arg-type]


def answer(reply: Reply, *, step: Step) -> Journey:
    """The journey after a posted form; a button that this page doesn't have changes nothing."""
    action = reply.form.get("action", "")
    if action == "cancel":
        raise B2CError(90091)
    handler = ANSWERS.get((step, action))
    fresh = replace(reply, journey=replace(reply.journey, problem=None))
    return handler(fresh) if handler else reply.journey


def sign_in(reply: Reply) -> Journey:
    """The customer typed address and password."""
    email = reply.text("email", longest=256)
    customer = reply.emulator.state.customers.by_email(reply.emulator.world, reply.tenant_id, email)
    lockouts = reply.emulator.state.lockouts
    if customer and lockouts.is_locked(customer):
        return reply.troubled(LOCKED, "email", email=email)
    if customer is None or reply.form.get("password", "") != customer.password:
        if customer:
            lockouts.wrong(customer)
        return reply.troubled(WRONG, "email", email=email)
    return _signed_in(reply, customer)


def sign_in_as(reply: Reply) -> Journey:
    """One click on a known customer: the right address and the right password."""
    found = reply.emulator.state.customers.get(reply.emulator.world, reply.tenant_id, reply.form.get("person", ""))
    return _signed_in(reply, found) if found else reply.journey


def begin_sign_up(reply: Reply) -> Journey:
    """The customer wants an account, where the policy makes them."""
    kind = reply.journey.request.path.flow.kind
    return replace(reply.journey, wish="sign_up") if kind == "sign_up_or_sign_in" else reply.journey


def forgot(reply: Reply) -> Journey:
    """The customer forgot their password: part of this flow, or AADB2C90118 for the application to act on."""
    if not reply.journey.request.path.flow.resets_passwords:
        raise B2CError(90118)
    return replace(reply.journey, wish="reset")


def send_code(reply: Reply) -> Journey:
    """A code goes to the address; what was sent before is worth nothing any more."""
    email = reply.text("email", longest=256) or reply.journey.email
    if not ADDRESS.fullmatch(email):
        return reply.troubled(NO_ADDRESS, "email", email=email)
    code = f"{secrets.randbelow(10**6):06}"
    return replace(reply.journey, email=email, mailed_code=code, guesses=0)


def other_address(reply: Reply) -> Journey:
    """The customer mistyped the address."""
    return replace(reply.journey, mailed_code=None)


def check_code(reply: Reply) -> Journey:
    """The customer typed the mailed code."""
    journey = reply.journey
    if not hmac.compare_digest(reply.text("code").encode(), (journey.mailed_code or "").encode()):
        if journey.guesses + 1 >= GUESSES:
            return replace(journey, mailed_code=None, problem=Problem(TOO_MANY, "email"))
        return replace(journey, guesses=journey.guesses + 1, problem=Problem(WRONG_CODE, "code"))
    known = reply.emulator.state.customers.by_email(reply.emulator.world, reply.tenant_id, journey.email)
    if (known is None) == (journey.wish == "reset"):
        text = NO_ACCOUNT if journey.wish == "reset" else TAKEN
        return replace(journey, mailed_code=None, problem=Problem(text, "email"))
    return replace(journey, verified=True, mailed_code=None)


def create(reply: Reply) -> Journey:
    """The customer chose a password and a name: the account comes to be."""
    problem = _password_problem(reply) or _name_problem(reply)
    names = {name: reply.text(name) for name in NAMES}
    if problem:
        return replace(reply.journey, problem=problem, typed=names)
    customer = reply.emulator.state.customers.sign_up(
        reply.tenant_id, email=reply.journey.email, password=reply.form["password"], names=names
    )
    return replace(_signed_in(reply, customer), is_new=True)


def set_password(reply: Reply) -> Journey:
    """The customer chose a new password for the address they proved to be theirs."""
    customers, world = reply.emulator.state.customers, reply.emulator.world
    known = customers.by_email(world, reply.tenant_id, reply.journey.email)
    problem = _password_problem(reply)
    if problem or known is None:
        return replace(reply.journey, problem=problem or Problem(NO_ACCOUNT))
    return _signed_in(reply, customers.set_password(known, reply.form["password"]))


def save_profile(reply: Reply) -> Journey:
    """The customer changed their profile."""
    customers, world = reply.emulator.state.customers, reply.emulator.world
    known = customers.get(world, reply.tenant_id, reply.journey.customer_id or "")
    problem, names = _name_problem(reply), {name: reply.text(name) for name in NAMES}
    if problem or known is None:
        return replace(reply.journey, problem=problem, typed=names)
    customers.edit(known, names)
    return replace(reply.journey, edited=True)


def _signed_in(reply: Reply, customer: User) -> Journey:
    if not customer.account_enabled:
        return reply.troubled(DISABLED, "email" if reply.journey.wish == "sign_in" else None)
    reply.emulator.state.lockouts.right(customer)
    return replace(reply.journey, customer_id=customer.id, auth_time=reply.emulator.state.clock.now())


def _password_problem(reply: Reply) -> Problem | None:
    password = reply.form.get("password", "")
    if len(password) < SHORTEST_PASSWORD:
        return Problem(SHORT, "password")
    return Problem(UNLIKE, "repeated") if password != reply.form.get("repeated", "") else None


def _name_problem(reply: Reply) -> Problem | None:
    return None if reply.text("display_name") else Problem(NAMELESS, "display_name")


ANSWERS: dict[tuple[Step, str], Callable[[Reply], Journey]] = {
    (Step.SIGN_IN, "sign_in"): sign_in,
    (Step.SIGN_IN, "person"): sign_in_as,
    (Step.SIGN_IN, "sign_up"): begin_sign_up,
    (Step.SIGN_IN, "forgot"): forgot,
    (Step.EMAIL, "send"): send_code,
    (Step.VERIFY, "send"): send_code,
    (Step.VERIFY, "change"): other_address,
    (Step.VERIFY, "verify"): check_code,
    (Step.DETAILS, "create"): create,
    (Step.NEW_PASSWORD, "save"): set_password,
    (Step.PROFILE, "save"): save_profile,
}
