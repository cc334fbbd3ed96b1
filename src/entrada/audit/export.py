"""The log as text for other programs, line by line: CSV that no spreadsheet takes for formulas, or JSON (SEC-142)."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from entrada.audit.recorded import Recorded

COLUMNS = tuple(name for name in Recorded.__slots__ if name != "user")
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")
"""What spreadsheets begin a formula with: these, their full-width forms, and the marks of older imports."""
CONTROL = ("\t", "\r", "\n")


async def csv_lines(rows: AsyncIterator[Recorded]) -> AsyncIterator[str]:
    """Give a line of names, then one for each row; UTF-8 is meant, and every cell is in quotes."""
    yield line(COLUMNS)
    async for row in rows:
        values = row.plain()
        yield line([cell(values[name]) for name in COLUMNS])


async def json_lines(rows: AsyncIterator[Recorded]) -> AsyncIterator[str]:
    """Give one JSON object for each row, each on a line of its own."""
    async for row in rows:
        yield json.dumps(row.plain(), ensure_ascii=True) + "\n"


def cell(value: Any) -> str:
    """Return a value as a cell: one that begins like a formula, after blanks of any kind, begins with an apostrophe."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text.startswith(CONTROL) else text


def line(cells: Sequence[str]) -> str:
    """Return the cells as a line of CSV, each in quotes."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue()
