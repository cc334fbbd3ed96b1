"""The sign-in conversation: what is known about one attempt, and which page that makes the next one.

    username ─┐                      ┌─ enrol ─┐
    accounts ─┴─ password ─ (second ─┼─ code ──┼─ kmsi ─ (need_admin | consent) ─ done
                             factor) └─ push ──┘                                    (device)

Nothing here remembers or decides by itself: `next_step` is a function of the attempt's facts and of the situation that
the directory and the browser's session make. An answer adds a fact; going back takes one away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from entrada_emulator.directory.consents import Permission
from entrada_emulator.directory.model import PERSONAL_TENANT, MfaMethod, User
from entrada_emulator.pages import Problem
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest
from entrada_emulator.signing_in.sso import SignedIn


class Step(StrEnum):
    """The pages of the conversation, and its end."""

    ACCOUNTS = "accounts"
    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105 - the name of a page
    ENROL = "enrol"
    CODE = "code"
    PUSH = "push"
    BLOCKED = "blocked"
    KMSI = "kmsi"
    NEED_ADMIN = "need_admin"
    CONSENT = "consent"
    DEVICE = "device"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one browser has said so far in answer to one authorization request."""

    id: str = field(repr=False)
    browser: str = field(repr=False)
    """The browser that began it; no other may go on with it."""
    request: AuthorizationRequest
    started_at: datetime
    another: bool = False
    """Whether the person wants to name an account instead of picking one of this browser's."""
    username: str = ""
    user: User | None = None
    """Who it claims to be, at home; `amr` says what proves it."""
    amr: tuple[str, ...] = ()
    auth_time: datetime | None = None
    method: MfaMethod | None = None
    """The second factor that the person chose instead of the first of theirs."""
    offered_secret: str | None = field(default=None, repr=False)
    """The authenticator secret shown for enrolment, until a code proves that it arrived."""
    push_id: str | None = field(default=None, repr=False)
    stay: bool | None = None
    """The answer to "stay signed in?"; None while it was not asked."""
    sid: str | None = field(default=None, repr=False)
    """The account's session at this browser, once there is one."""
    consented: bool = False
    confirmed: bool = False
    """Whether the person said that the waiting device is theirs."""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the directory and this browser's session say about an attempt at this moment."""

    accounts: tuple[SignedIn, ...] = ()
    """Who is signed in at this browser."""
    blocked: bool = False
    """Whether a policy lets nobody in here."""
    stale: bool = False
    """Whether a policy wants a newer proof than the one there is."""
    method: MfaMethod | None = None
    """The second factor this sign-in needs, or None."""
    enrolled: bool = True
    """Whether the person's authenticator is set up."""
    missing: tuple[Permission, ...] = ()
    """Permissions that nobody has agreed to."""
    needs_admin: tuple[Permission, ...] = ()
    """Those that this person may not agree to."""


def next_step(attempt: Attempt, situation: Situation) -> Step:
    """The page that asks for the first thing still unknown; `Step.DONE` when everything is known."""
    if attempt.user is None:
        return Step.ACCOUNTS if situation.accounts and not attempt.another else Step.USERNAME
    if "pwd" not in attempt.amr:
        return Step.PASSWORD
    if situation.blocked:
        return Step.BLOCKED
    if situation.method and "mfa" not in attempt.amr:
        return _second_factor(situation)
    if attempt.sid is None and attempt.stay is None:
        return Step.KMSI
    if not attempt.consented and situation.needs_admin:
        return Step.NEED_ADMIN
    if not attempt.consented and _asks_consent(attempt, situation):
        return Step.CONSENT
    return Step.DEVICE if attempt.request.user_code and not attempt.confirmed else Step.DONE


def begin(attempt: Attempt, accounts: tuple[SignedIn, ...], *, now: datetime) -> Attempt:
    """The attempt with what the request and this browser's session already answer."""
    request = attempt.request
    usable = tuple(account for account in accounts if _is_meant(account, request))
    if "select_account" in request.prompts:
        return attempt
    if request.prompts & {"login", "create"}:
        return replace(attempt, username=request.username_hint, another=True)
    if len(usable) == 1:
        return use_account(attempt, usable[0], now=now)
    if request.username_hint:
        return replace(attempt, username=request.username_hint, another=True)
    return attempt if usable else replace(attempt, another=True)


def use_account(attempt: Attempt, account: SignedIn, *, now: datetime) -> Attempt:
    """Goes on as somebody signed in at this browser; they prove themselves anew where the request asks for it."""
    known = replace(attempt, user=account.user, username=account.user.user_principal_name, another=False, problem=None)
    if must_prove_again(account, attempt.request, now=now):
        return known
    return replace(known, amr=account.amr, auth_time=account.auth_time, sid=account.sid)


def forget_proof(attempt: Attempt) -> Attempt:
    """The same person, who has to prove themselves again."""
    return replace(attempt, amr=(), auth_time=None, sid=None)


def forget_account(attempt: Attempt) -> Attempt:
    """Goes back to the question who it is: nothing that was proved for one person counts for another."""
    return replace(
        attempt,
        another=True,
        username="",
        user=None,
        amr=(),
        auth_time=None,
        method=None,
        offered_secret=None,
        push_id=None,
        stay=None,
        sid=None,
        consented=False,
        confirmed=False,
        problem=None,
    )


def must_prove_again(account: SignedIn, request: AuthorizationRequest, *, now: datetime) -> bool:
    """Whether `prompt=login` or `max_age` refuses what the account proved earlier."""
    if "login" in request.prompts:
        return True
    return request.max_age is not None and now - account.auth_time > timedelta(seconds=request.max_age)


def _second_factor(situation: Situation) -> Step:
    if situation.method == "push":
        return Step.PUSH
    return Step.CODE if situation.enrolled else Step.ENROL


def _asks_consent(attempt: Attempt, situation: Situation) -> bool:
    request = attempt.request
    return bool(situation.missing) or "consent" in request.prompts or request.for_organisation


def _is_meant(account: SignedIn, request: AuthorizationRequest) -> bool:
    return all(hint(account, request) for hint in HINTS)


def _fits_sid(account: SignedIn, request: AuthorizationRequest) -> bool:
    return request.sid is None or account.sid == request.sid


def _fits_username(account: SignedIn, request: AuthorizationRequest) -> bool:
    name = account.user.user_principal_name
    return not request.username_hint or name.lower() == request.username_hint.lower()


def _fits_domain(account: SignedIn, request: AuthorizationRequest) -> bool:
    domain = account.user.user_principal_name.rpartition("@")[2]
    kind = "consumers" if account.user.tenant_id == PERSONAL_TENANT else "organizations"
    return request.domain_hint in {None, kind, domain.lower()}


Hint = Callable[[SignedIn, AuthorizationRequest], bool]
HINTS: tuple[Hint, ...] = (_fits_sid, _fits_username, _fits_domain)
