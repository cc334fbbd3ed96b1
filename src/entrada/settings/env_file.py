"""What is wrong with the lines of a `.env`: whoever reads it passes by what it cannot read, and takes the last of two.

So a limit or a network that was mistyped would silently not hold. Lines about no setting of ours are not ours to judge.
Values are taken as they are written (docs/decisions/0395).
"""

import os
import re
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

FILE = Path(".env")
VARIABLE = re.compile(r"\$\{[^}]*\}")
NAME = re.compile(r"^[ \t]*(?:export[ \t]+)?'?([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


def bindings() -> list[Binding]:
    """Return the lines of the file, read or not; none without a file. UnicodeDecodeError when it is not UTF-8."""
    if not FILE.is_file():
        return []
    with FILE.open(encoding="utf-8") as file:
        return list(parse_stream(file))


def as_written(files: Path | str | Sequence[Path | str] | None) -> dict[str, str | None]:
    """Return what the files give, by names in lower case; whoever reads them for us would replace `${NAME}`.

    A pipe, as keepers of secrets put in the file's place, gives what it has only once, and is not read again.
    """
    found: dict[str, str | None] = {}
    for each in [files] if isinstance(files, str | os.PathLike) else files or ():
        if (path := Path(each).expanduser()).is_file():
            given = dotenv_values(path, encoding="utf-8", interpolate=False)
            found |= {name.lower(): value for name, value in given.items()}
    return found


def taken_as_written(lines: list[Binding], *, known: Set[str]) -> Iterator[str]:
    """Name the lines of ours with a `${NAME}`, for which somebody may expect that variable's value."""
    for line in lines:
        name = (line.key or "").upper()
        if name in known and VARIABLE.search(line.value or ""):
            yield f".env: line {_begin(line)}: {name} has ${{…}}, which is taken as it stands; write the value itself"


def faults_in(lines: list[Binding], *, known: Set[str]) -> Iterator[str]:
    """Say what is wrong with the lines that give what `known` names, which is in upper case; never a value."""
    first: dict[str, Binding] = {}
    for line in lines:
        where = f".env: line {_begin(line)}"
        name = (line.key or "").upper()
        if line.error or line.value is None or "\n" in line.value:
            if lost := next((each for each in _names(line) if each in known), None):
                yield f"{where}: {lost} is not read; write {lost}=value, and end what begins with a quote with one"
        elif name in known:
            before = first.setdefault(name, line)
            if before.value != line.value:
                yield f"{where}: {name} is in line {_begin(before)} already, with another value; take one away"


def _names(line: Binding) -> Iterator[str]:
    yield from (found.upper() for found in NAME.findall(line.original.string))


def _begin(line: Binding) -> int:
    """Return the number of the line, past the blank ones before it."""
    text = line.original.string
    return line.original.line + text[: len(text) - len(text.lstrip())].count("\n")
