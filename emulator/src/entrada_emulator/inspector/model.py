"""What a page of the inspector shows, already in words: nothing in it is a secret."""

from dataclasses import dataclass
from typing import Literal

from entrada_emulator.inspector.notes import Verdict

Actor = Literal["browser", "application", "entra", "graph"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a page may show it: its text, or its length and mark, or that it is hidden."""

    text: str | None = None
    mark: str = ""
    """Equal values have equal marks."""
    length: int | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check and how it ended."""

    title: str
    verdict: Verdict
    told: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or member of an answer."""

    name: str
    shown: Shown
    told: str
    need: str = ""
    checks: tuple[CheckRow, ...] = ()


@dataclass(frozen=True, slots=True)
class CookieRow:
    """One cookie that was sent, set, or taken away."""

    name: str
    what: Literal["sent", "set", "removed"]
    told: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One member of a token's header or one of its claims."""

    name: str
    text: str
    told: str
    must: str = ""
    moment: str = ""
    """The same as a date, where it is one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; its signature is left out."""

    name: str
    reader: str
    """Who has to read it, and what everybody else should do."""
    shown: Shown
    header: tuple[ClaimRow, ...]
    claims: tuple[ClaimRow, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused and how to mend it."""

    code: str
    text: str
    mend: str
    check: str = ""
    """The check that failed, where one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One arrow of the diagram with everything behind it."""

    id: str
    seconds: float
    """Since the flow began, by a clock that nobody moves."""
    source: Actor
    target: Actor
    title: str
    text: str = ""
    wire: str = ""
    """What went over it, in short."""
    address: str = ""
    """The same in full."""
    implied: bool = False
    """Whether it is not seen by Entra and follows from the steps around it."""
    times: int = 1
    """How often it came in a row, where it was repeated unchanged."""
    rows: tuple[Row, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    """Parameters that would have been wise to send, and why."""
    checks: tuple[CheckRow, ...] = ()
    """Those that belong to no single parameter."""
    cookies: tuple[CookieRow, ...] = ()
    tokens: tuple[Token, ...] = ()
    refusal: Refusal | None = None
    remarks: tuple[str, ...] = ()

    @property
    def every_check(self) -> tuple[CheckRow, ...]:
        """All checks of this step, each once."""
        return tuple(dict.fromkeys((*(check for row in self.rows for check in row.checks), *self.checks)))

    @property
    def is_refused(self) -> bool:
        """Whether something went wrong in this step."""
        return self.refusal is not None or any(check.verdict == "failed" for check in self.every_check)
