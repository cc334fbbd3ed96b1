"""The command `entrada` in a process of its own, as people run it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from tests.processes import SOURCES


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed to each end, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


async def begin(*arguments: str, cwd: Path, **environment: str) -> Process:
    """Start `entrada …` in a directory; nothing of our own environment but PATH reaches it."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "entrada.cli",
        *arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, "COLUMNS": "200", **environment},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def ended(process: Process, *, given: str = "", before: str = "") -> Done:
    """Wait for the end; `given` goes to its stdin, `before` is what was read from its stderr already."""
    async with asyncio.timeout(60):
        out, err = await process.communicate(given.encode())
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), before + err.decode())


async def run(*arguments: str, cwd: Path, given: str = "", **environment: str) -> Done:
    """Run `entrada …` to its end."""
    return await ended(await begin(*arguments, cwd=cwd, **environment), given=given)


async def line_with(process: Process, text: str) -> tuple[str, str]:
    """Return the first line on stderr that has this text, and all that was read until then."""
    assert process.stderr
    read = ""
    async with asyncio.timeout(60):
        while line := (await process.stderr.readline()).decode():
            read += line
            if text in line:
                return line.strip(), read
    raise AssertionError(f"no line with {text!r}:\n{read}")
