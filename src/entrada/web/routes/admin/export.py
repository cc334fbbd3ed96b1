"""Rows of the log as a file, line by line: no more than a few thousand are in memory, however many there are."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any, Literal, get_args

Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = get_args(Form)
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = (
    "id", "created_at", "action", "outcome", "reason", "user_id", "user_email", "display_name", "tenant_id",
    "resource_type", "resource_id", "details", "ip_address", "user_agent", "correlation_id", "uti", "stream",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""What spreadsheets begin a formula with: these, their full-width forms, and the marks of older imports (SEC-142)."""
CONTROL = ("\t", "\r", "\n")


async def lines(form: Form, rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    """Give the lines of a file of these entries, each with its end."""
    if form == "csv":
        yield _csv_line(COLUMNS)
        async for entry in rows:
            yield _csv_line([_cell(entry[name]) for name in COLUMNS])
        return
    before = "[\n"
    async for entry in rows:
        yield f"{before}{json.dumps(entry, ensure_ascii=True)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


async def begun(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return the same lines, the first ones read: what fails at once fails before anything was answered."""
    first = [line async for line in _some(lines)]

    async def again() -> AsyncIterator[str]:
        for line in first:
            yield line
        async for line in lines:
            yield line

    return again()


async def _some(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Give the first two lines, the head and what needs a look into the database."""
    for _ in range(2):
        line = await anext(lines, None)
        if line is None:
            return
        yield line


def _cell(value: object) -> str:
    """Return a value as no spreadsheet takes it for a formula: with an apostrophe before what looks like one."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True) if isinstance(value, dict) else str(value)
    starts = text.lstrip().startswith(FORMULA) or text.startswith(CONTROL)
    return f"'{text}" if starts else text


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue()
