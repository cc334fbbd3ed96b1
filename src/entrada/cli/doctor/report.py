"""The findings as a table for people, and as JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from entrada.cli.findings import Finding

MARKS = {
    "passes": ("ok", "green"),
    "warns": ("warns", "yellow"),
    "fails": ("FAILS", "bold red"),
    "unknown": ("?", "dim"),
}

NARROW = 70  # columns; with fewer, three of them leave no room for what is said


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print each finding, with its mend where it does not pass, and a sentence at the end."""
    if console.width < NARROW:
        for each in findings:
            console.print(Text.assemble(MARKS[each.result], f" {each.check}"))
            console.print(Padding(_told(each), (0, 0, 0, 2)))
    else:
        console.print(_table(findings))
    console.print(Text(f"\n{sentence(findings)}"))


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in findings:
        mark, style = MARKS[each.result]
        table.add_row(Text(mark, style), Text(each.check), _told(each))
    return table


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the same for programs."""
    return {"verdict": "fails" if _named(findings, "fails") else "fine", "checks": [asdict(each) for each in findings]}


def sentence(findings: Sequence[Finding]) -> str:
    """Say in one sentence how it is."""
    failing, warning = _named(findings, "fails"), _named(findings, "warns")
    if failing:
        return f"To be mended: {', '.join(dict.fromkeys(failing))}."
    return (
        f"Nothing fails; look at: {', '.join(warning)}." if warning else "Nothing is wrong that can be told from here."
    )


def _named(findings: Sequence[Finding], result: str) -> list[str]:
    return [each.check for each in findings if each.result == result]


def _told(finding: Finding) -> Text:
    """Return what was found and the mend: as plain text, so that nothing in it is taken for markup."""
    told = Text(finding.reason)
    if finding.mend and finding.result != "passes":
        told.append(f"\nmend: {finding.mend}", "italic")
    return told
