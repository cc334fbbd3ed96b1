"""Rows of the log as a file, line by line: no more than a few thousand are in memory, however many there are."""

import json
from collections.abc import AsyncIterator
from typing import Any, Literal, get_args

from entrada.audit.export import cell, line

Form = Literal["csv", "json"]
FORMS: tuple[Form, ...] = get_args(Form)
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = (
    "id", "created_at", "action", "outcome", "reason", "user_id", "user_email", "display_name", "tenant_id",
    "resource_type", "resource_id", "details", "ip_address", "user_agent", "correlation_id", "uti", "stream",
)  # fmt: skip
BOM = "\ufeff"  # by which spreadsheets know UTF-8: without it they make others of all letters but those of ASCII


async def lines(form: Form, rows: AsyncIterator[dict[str, Any]], *, bom: bool = False) -> AsyncIterator[str]:
    """Give the lines of a file of these entries, each with its end; `bom`: of CSV, with the mark that it is UTF-8."""
    if form == "csv":
        yield (BOM if bom else "") + line(COLUMNS)
        async for entry in rows:
            yield line([cell(entry[name]) for name in COLUMNS])
        return
    before = "[\n"
    async for entry in rows:
        yield f"{before}{json.dumps(entry, ensure_ascii=True)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


async def begun(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return the same lines, the first ones read: what fails at once fails before anything was answered."""
    first = [read async for read in _some(lines)]

    async def again() -> AsyncIterator[str]:
        for read in first:
            yield read
        async for read in lines:
            yield read

    return again()


async def _some(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Give the first two lines, the head and what needs a look into the database."""
    for _ in range(2):
        read = await anext(lines, None)
        if read is None:
            return
        yield read
