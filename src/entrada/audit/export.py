"""The log as text for other programs, line by line: CSV that no spreadsheet takes for formulas, or JSON (SEC-142)."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from entrada.audit.recorded import Recorded

COLUMNS = tuple(name for name in Recorded.__slots__ if name != "user")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell may begin with to be a formula; the full-width forms count in some languages."""


async def csv_lines(rows: AsyncIterator[Recorded]) -> AsyncIterator[str]:
    """Give a line of names, then one for each row; UTF-8 is meant, and every cell is in quotes."""
    yield _line(COLUMNS)
    async for row in rows:
        values = row.plain()
        yield _line([cell(values[name]) for name in COLUMNS])


async def json_lines(rows: AsyncIterator[Recorded]) -> AsyncIterator[str]:
    """Give one JSON object for each row, each on a line of its own."""
    async for row in rows:
        yield json.dumps(row.plain(), ensure_ascii=True) + "\n"


def cell(value: Any) -> str:
    """Return a value as a cell: one that begins like a formula begins with an apostrophe instead."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=True) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _line(cells: "tuple[str, ...] | list[str]") -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue()
