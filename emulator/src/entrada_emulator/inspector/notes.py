"""What the emulator did with one request, written down by the checks themselves while they judge.

A check is wrapped in `checking`, or is a function under it as a decorator. Outside a recorded request nothing is kept.
No value of a request is ever written here that a page could not show.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

CheckName = Literal[
    "tenant",
    "application",
    "redirect_uri",
    "response_type",
    "prompt",
    "scopes",
    "challenge",
    "session",
    "attempt",
    "password",
    "second_factor",
    "assignment",
    "client_authentication",
    "cross_origin",
    "code_known",
    "code_unspent",
    "code_in_time",
    "code_client",
    "code_redirect_uri",
    "code_place",
    "pkce",
    "nonce",
    "person",
    "not_revoked",
    "consent",
    "policies",
    "contexts",
    "refresh_known",
    "refresh_in_time",
    "refresh_unused",
    "refresh_client",
    "device_code",
    "assertion_signature",
    "assertion_audience",
    "assertion_times",
    "assertion_person",
    "resource",
    "token_signature",
    "token_audience",
    "token_times",
    "permission",
    "logout_redirect_uri",
]
Verdict = Literal["passed", "failed", "skipped"]
LONGEST = 400  # characters of a reason; the sentences of refusals repeat what anybody sent
CODE = re.compile(r"^AAD(?:STS|B2C)\d+: ")


@dataclass(frozen=True, slots=True)
class Check:
    """One check and how it ended; `told` says by what it was met, or why it was not."""

    name: CheckName
    verdict: Verdict
    told: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was handed to the browser for the application, which is on no wire that the recorder sees."""

    target: str
    mode: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notes:
    """All that is noted of one request."""

    checks: dict[CheckName, Check] = field(default_factory=dict)
    """In the order in which they ended."""
    facts: dict[str, str] = field(default_factory=dict)
    """Application, person, page, problem, refusal and the like, as text that a page may show."""
    links: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """What a later request of the same flow will bring back: kind and value."""
    delivered: list[Delivered] = field(default_factory=list)
    frames: list[tuple[str, str]] = field(default_factory=list)
    """Applications that a sign-out tells, by name and URL."""


_current: ContextVar[Notes | None] = ContextVar("entrada_emulator_notes", default=None)


@contextmanager
def noting() -> Iterator[Notes]:
    """The notes of one request, for as long as it is answered."""
    notes = Notes()
    token = _current.set(notes)
    try:
        yield notes
    finally:
        _current.reset(token)


@contextmanager
def checking(name: CheckName) -> Iterator[None]:
    """Notes the check as passed when the block ends, as failed when it raises. Also a decorator.

    What `passed`, `failed` or `skipped` say of the same check within the block stands.
    """
    notes = _current.get()
    if notes is None:
        yield
        return
    notes.checks.pop(name, None)
    try:
        yield
    except Exception as refusal:
        notes.checks.setdefault(name, Check(name, "failed", _reason(refusal)))
        raise
    notes.checks.setdefault(name, Check(name, "passed"))


def passed(name: CheckName, told: str = "") -> None:
    """The check was met; `told` says by what."""
    _note(Check(name, "passed", told))


def failed(name: CheckName, told: str) -> None:
    """The check was not met, and the flow goes on all the same: a wrong password may be typed again."""
    _note(Check(name, "failed", told))


def skipped(name: CheckName, told: str) -> None:
    """There was nothing to check; `told` says why."""
    _note(Check(name, "skipped", told))


def noted(**facts: str) -> None:
    """Facts about the request, by name; a later one replaces an earlier."""
    notes = _current.get()
    if notes is not None:
        notes.facts.update(facts)


def linked(kind: str, value: str) -> None:
    """A value handed out now that will come back with a later request of the same flow."""
    notes = _current.get()
    if notes is not None:
        notes.links.append((kind, value))


def delivered(target: str, mode: str, fields: Mapping[str, str]) -> None:
    """What the browser carries to the application."""
    notes = _current.get()
    if notes is not None:
        notes.delivered.append(Delivered(target, mode, dict(fields)))


def framed(application: str, url: str) -> None:
    """An application that the browser is asked to tell of a sign-out."""
    notes = _current.get()
    if notes is not None:
        notes.frames.append((application, url))


def _note(check: Check) -> None:
    notes = _current.get()
    if notes is not None:
        _write(notes, check)


def _write(notes: Notes, check: Check) -> None:
    notes.checks.pop(check.name, None)
    notes.checks[check.name] = check


def _reason(refusal: Exception) -> str:
    return CODE.sub("", str(refusal))[:LONGEST]
