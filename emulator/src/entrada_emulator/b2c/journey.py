"""A customer's way through a policy: what is known about it, and which page that makes the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from entrada_emulator.b2c.request import PolicyRequest
from entrada_emulator.pages import Problem

Wish = Literal["sign_in", "sign_up", "reset"]
GUESSES = 5  # of one mailed code


class Step(StrEnum):
    """The pages of a policy, and its end."""

    SIGN_IN = "sign_in"
    EMAIL = "email"
    VERIFY = "verify"
    DETAILS = "details"
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a page
    PROFILE = "profile"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What one browser has said so far at one policy."""

    id: str = field(repr=False)
    browser: str = field(repr=False)
    request: PolicyRequest
    started_at: datetime
    wish: Wish
    email: str = ""
    mailed_code: str | None = field(default=None, repr=False)
    guesses: int = 0
    verified: bool = False
    """Whether the address is proved to be the customer's."""
    customer_id: str | None = None
    auth_time: datetime | None = None
    is_new: bool = False
    edited: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    """The names of a form that had a fault elsewhere."""
    problem: Problem | None = None


def first_wish(request: PolicyRequest) -> Wish:
    """What the kind of the policy begins with."""
    kind = request.path.flow.kind
    if kind == "sign_up":
        return "sign_up"
    return "reset" if kind == "password_reset" else "sign_in"


def next_step(journey: Journey) -> Step:
    """The page that asks for the first thing still unknown."""
    if journey.customer_id is None:
        return _unknown(journey)
    is_edit = journey.request.path.flow.kind == "profile_edit"
    return Step.PROFILE if is_edit and not journey.edited else Step.DONE


def _unknown(journey: Journey) -> Step:
    if journey.wish == "sign_in":
        return Step.SIGN_IN
    if not journey.verified:
        return Step.VERIFY if journey.mailed_code else Step.EMAIL
    return Step.DETAILS if journey.wish == "sign_up" else Step.NEW_PASSWORD
