"""The conversation as a rule: from what is known to the next page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.consents import Permission
from entrada_emulator.directory.model import GRAPH_APP_ID
from entrada_emulator.signing_in.authorization_request import (
    AuthorizationRequest,
    authorization_request,
    registered_client,
)
from entrada_emulator.signing_in.conversation import Attempt, Situation, Step, begin, forget_account, next_step
from entrada_emulator.signing_in.sso import SignedIn
from hypothesis import given
from hypothesis import strategies as st

from emulator.tests.sign_in import asked

WORLD = seeds.default_world()
MIA = WORLD.user_by_name("mia@birch.example")
ADA = WORLD.user_by_name("ada@birch.example")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MAIL = Permission(GRAPH_APP_ID, "Mail.Read")
assert MIA is not None
assert ADA is not None
SIGNED_IN = {"user": MIA, "amr": ("pwd",), "auth_time": NOON, "stay": False}
ACCOUNT = SignedIn(MIA, NOON, ("pwd",))
OTHER = SignedIn(ADA, NOON, ("pwd",))


def request(**changes: str) -> AuthorizationRequest:
    parameters = asked(**changes)
    return authorization_request(WORLD, registered_client(WORLD, seeds.BIRCH.id, parameters), parameters)


def attempt(changes: dict[str, str] | None = None, **facts: Any) -> Attempt:
    return Attempt(id="a", browser="b", request=request(**(changes or {})), started_at=NOON, **facts)


@pytest.mark.parametrize(
    ("facts", "situation", "step"),
    [
        ({}, {}, Step.USERNAME),
        ({}, {"accounts": (ACCOUNT,)}, Step.ACCOUNTS),
        ({"another": True}, {"accounts": (ACCOUNT,)}, Step.USERNAME),
        ({"user": MIA}, {}, Step.PASSWORD),
        ({"user": MIA, "sid": "s", "stay": True, "consented": True}, {}, Step.PASSWORD),
        (SIGNED_IN, {"method": "totp", "enrolled": False}, Step.ENROL),
        (SIGNED_IN, {"method": "totp"}, Step.CODE),
        (SIGNED_IN, {"method": "push"}, Step.PUSH),
        (SIGNED_IN | {"consented": True, "sid": "s"}, {"method": "push"}, Step.PUSH),
        (SIGNED_IN | {"stay": None}, {}, Step.KMSI),
        (SIGNED_IN | {"stay": None, "sid": "s"}, {}, Step.DONE),
        (SIGNED_IN, {"missing": (MAIL,)}, Step.CONSENT),
        (SIGNED_IN, {"missing": (MAIL,), "needs_admin": (MAIL,)}, Step.NEED_ADMIN),
        (SIGNED_IN | {"amr": ("pwd", "otp", "mfa")}, {"method": "totp"}, Step.DONE),
        (SIGNED_IN, {}, Step.DONE),
    ],
)
def test_the_first_thing_unknown_is_the_next_page(facts: dict[str, Any], situation: dict[str, Any], step: Step) -> None:
    """Each fact that is missing has its page, in one order."""
    assert next_step(attempt(**facts), Situation(**situation)) is step


@given(
    amr=st.sampled_from([(), ("pwd",), ("pwd", "mfa"), ("mfa",)]),
    has_user=st.booleans(),
    flags=st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, True, False]), st.booleans()),
    method=st.sampled_from([None, "totp", "push"]),
    missing=st.booleans(),
)
def test_nobody_gets_through_unproved(
    amr: tuple[str, ...], has_user: bool, flags: tuple[bool, bool, bool | None, bool], method: Any, missing: bool
) -> None:
    """Whatever else is known: without a person, a password, the second factor and the consent there is no end."""
    another, has_sid, stay, consented = flags
    known = attempt(
        user=MIA if has_user else None,
        amr=amr,
        another=another,
        sid="s" if has_sid else None,
        stay=stay,
        consented=consented,
    )
    situation = Situation(method=method, missing=(MAIL,) if missing else ())
    if next_step(known, situation) is Step.DONE:
        assert has_user
        assert "pwd" in amr
        assert method is None or "mfa" in amr
        assert consented or not missing
        assert has_sid or stay is not None


def test_forgetting_an_account_forgets_every_proof() -> None:
    """After "use another account" nothing is left but the request and the browser."""
    known = attempt(**SIGNED_IN, sid="s", consented=True, push_id="p", offered_secret="x", method="push")
    assert forget_account(known) == replace(attempt(), another=True)


@pytest.mark.parametrize(
    ("changes", "accounts", "user", "step"),
    [
        ({}, (), None, Step.USERNAME),
        ({}, (ACCOUNT,), MIA, Step.DONE),
        ({}, (ACCOUNT, OTHER), None, Step.ACCOUNTS),
        ({"prompt": "select_account"}, (ACCOUNT,), None, Step.ACCOUNTS),
        ({"prompt": "login"}, (ACCOUNT,), None, Step.USERNAME),
        ({"login_hint": "ADA@birch.example"}, (ACCOUNT, OTHER), ADA, Step.DONE),
        ({"sid": OTHER.sid}, (ACCOUNT, OTHER), ADA, Step.DONE),
        ({"sid": "unknown"}, (ACCOUNT,), None, Step.USERNAME),
        ({"domain_hint": "cedar.example"}, (ACCOUNT,), None, Step.USERNAME),
        ({"domain_hint": "organizations"}, (ACCOUNT,), MIA, Step.DONE),
        ({"max_age": "3600"}, (ACCOUNT,), MIA, Step.DONE),
        ({"max_age": "0"}, (ACCOUNT,), MIA, Step.PASSWORD),
    ],
)
def test_a_session_answers_what_the_request_lets_it(
    changes: dict[str, str], accounts: tuple[SignedIn, ...], user: object, step: Step
) -> None:
    """Prompts and hints decide whether somebody signed in at this browser is taken, offered or passed over."""
    begun = begin(attempt(changes), accounts, now=NOON + timedelta(minutes=10))
    assert begun.user == user
    assert next_step(begun, Situation(accounts=accounts)) is step
