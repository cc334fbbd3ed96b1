"""`entrada audit`: checking that nobody has changed the log, taking it elsewhere, letting go of what is old."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from entrada.audit.export import csv_lines, json_lines
from entrada.audit.filters import Filter
from entrada.audit.pruning import prune as let_go
from entrada.audit.verification import Anchor, Report
from entrada.audit.verification import verify as check
from entrada.cli.opened import Opened, actor, with_all
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.events import EVENT_NAMES, Event, EventName, Outcome

audit = typer.Typer(help="The audit log.", no_args_is_help=True)
SHOW_EVERY = 100_000  # rows between two lines of progress
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Since = Annotated[str | None, typer.Option(help="From this day or time on, such as 2026-01-31.")]
Until = Annotated[str | None, typer.Option(help="Before this day or time.")]


@audit.command()
def verify(
    anchor: Annotated[list[str] | None, typer.Option(help="One that was kept elsewhere; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for rows that were edited, removed or moved: exit status 0 when there are none, 1 when there are."""
    try:
        anchors = [Anchor.parse(each) for each in anchor or ()]
    except ValueError as error:
        raise SettingsRefused([f"--anchor: {error}"]) from None

    async def work(opened: Opened) -> Report:
        return await check(opened.database, opened.trail.keys, anchors=anchors, told=_progress("rows checked"))

    report = with_all(work)
    typer.echo(json.dumps(_plain(report)) if as_json else "\n".join(_lines(report)))
    raise typer.Exit(0 if report.intact else 1)


@audit.command()
def export(
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A new file; by default stdout.")] = None,
    form: Annotated[Literal["csv", "jsonl"], typer.Option("--format")] = "csv",
    since: Since = None,
    until: Until = None,
    action: Annotated[list[str] | None, typer.Option(help="Only these; may be repeated.")] = None,
    outcome: Annotated[str | None, typer.Option(help="success, failure or denied.")] = None,
    text: Annotated[str | None, typer.Option(help="Only rows that have this in them.")] = None,
) -> None:
    """Write the rows, newest first, as CSV that no spreadsheet takes for formulas, or as lines of JSON."""
    wanted = Filter(
        actions=_actions(action),
        outcome=_outcome(outcome),
        since=_time(since, "--since"),
        until=_time(until, "--until"),
        text=text,
    )

    async def work(opened: Opened) -> int:
        asked = {"format": form, "since": since, "until": until, "actions": action, "outcome": outcome}
        event = Event("audit_exported", at=system_clock(), label=actor().label, details=asked)
        await opened.trail.require(event)
        lines = (csv_lines if form == "csv" else json_lines)(opened.log.everything(wanted))
        count, progress = -1 if form == "csv" else 0, _progress("rows written")
        with output.open("x", encoding="utf-8", newline="") if output else _Stdout() as file:
            async for line in lines:
                file.write(line)
                count += 1
                progress(count)
        return count

    try:
        written = with_all(work)
    except OSError as error:
        if output is None:
            raise
        raise SettingsRefused([f"--output: {output}: {error.strerror}"]) from None
    typer.echo(f"{written} rows written", err=True)


@audit.command()
def prune(
    before: Annotated[str, typer.Option(help="Rows older than this day or time go, such as 2026-01-31.")],
    stream: Annotated[Literal["activity", "administration"], typer.Option(help="Which of the two.")] = "activity",
    as_json: AsJson = False,
) -> None:
    """Let go of old rows beyond what the settings say; what is left can still be checked."""
    moment = _time(before, "--before")

    async def work(opened: Opened) -> int:
        if moment is None or moment > system_clock():
            raise SettingsRefused(["--before: must be in the past"])
        if stream == "administration" and await _has_older(opened, moment):
            raise SettingsRefused(["--stream: activity of that time must go first: who was erased is told here"])
        by = Event("audit_pruned", at=system_clock(), label=actor().label, details={"before": moment.isoformat()})
        told = _progress("rows deleted")
        return await let_go(opened.database, opened.trail.keys, stream=stream, before=moment, by=by, told=told)

    rows = with_all(work)
    typer.echo(json.dumps({"pruned": rows}) if as_json else f"{rows} rows of {stream} are gone")


async def _has_older(opened: Opened, moment: datetime) -> bool:
    return bool((await opened.log.page(Filter(stream="activity", until=moment), limit=1)).rows)


class _Stdout:
    """Standard output, which is not closed."""

    def __enter__(self) -> Any:
        return sys.stdout

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _progress(what: str) -> Callable[[int], None]:
    shown = 0

    def told(count: int) -> None:
        nonlocal shown
        if count - shown >= SHOW_EVERY:
            shown = count
            typer.echo(f"{count} {what}", err=True)

    return told


def _plain(report: Report) -> dict[str, Any]:
    return {
        "intact": report.intact,
        "rows": report.rows,
        "under_lost_keys": report.under_lost_keys,
        "faults": [{"stream": each.stream, "row": each.row_id, "said": each.said} for each in report.faults],
        "anchors": [str(anchor) for anchor in report.anchors],
    }


def _lines(report: Report) -> list[str]:
    faults = [f"  {each.stream or 'row'} {each.row_id or ''} {each.said}".replace("  ", " ") for each in report.faults]
    verdict = f"{report.rows} rows, all as they were written" if report.intact else f"{report.rows} rows; NOT INTACT:"
    lost = [f"{report.under_lost_keys} of them under keys that are gone; newer rows vouch for them"]
    anchors = ["Keep these elsewhere, to prove later that nothing was cut off:", *map(str, report.anchors)]
    return [verdict, *faults, *(lost if report.under_lost_keys else []), *anchors]


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsRefused(
            [f"{option}: {text[:40]} is not a day or time such as 2026-01-31 or 2026-01-31T12:00Z"]
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _actions(names: list[str] | None) -> tuple[EventName, ...]:
    if unknown := set(names or ()) - set(EVENT_NAMES):
        raise SettingsRefused([f"--action: {', '.join(sorted(unknown))}: there are {', '.join(EVENT_NAMES)}"])
    return tuple(name for name in EVENT_NAMES if name in (names or ()))


def _outcome(name: str | None) -> Outcome | None:
    if name is not None and name not in get_args(Outcome):
        raise SettingsRefused(["--outcome: success, failure or denied"])
    return name  # type: ignore[return-value]
