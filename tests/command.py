"""The command `entrada` in a process of its own, as people run it."""

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.forked import Running, Streams, start
from tests.processes import SOURCES

PATIENCE = 60.0  # seconds
GLANCE = 0.02

_said = tempfile.TemporaryDirectory()


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed to each end, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Command:
    """One that was started."""

    process: Running
    streams: Streams

    def done(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(PATIENCE)
        return Done(code, self.streams.out.read_text(), self.streams.err.read_text())

    async def ended(self) -> Done:
        """Wait for its end, while other things go on."""
        return await asyncio.to_thread(self.done)

    async def line_with(self, text: str) -> str:
        """Return the first line on stderr that has this text."""
        until = time.monotonic() + PATIENCE
        while True:
            over = self.process.poll() is not None or time.monotonic() > until
            read = self.streams.err.read_text()
            found = [line for line in read.splitlines(keepends=True) if text in line and line.endswith("\n")]
            if found:
                return found[0].strip()
            assert not over, f"no line with {text!r}:\n{read}"
            await asyncio.sleep(GLANCE)


def begin(*arguments: str, cwd: Path, given: str = "", **environment: str) -> Command:
    """Start `entrada …` in a directory; nothing of our own environment but PATH reaches it. `given` is its stdin."""
    folder = Path(tempfile.mkdtemp(dir=_said.name))
    streams = Streams(given=folder / "given", out=folder / "out", err=folder / "err")
    for path, text in ((streams.given, given), (streams.out, ""), (streams.err, "")):
        path.write_text(text)
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, "COLUMNS": "200", **environment}
    process = start("entrada.cli", *arguments, environment=own, cwd=cwd, streams=streams)
    return Command(process, streams)


async def run(*arguments: str, cwd: Path, given: str = "", **environment: str) -> Done:
    """Run `entrada …` to its end."""
    return await begin(*arguments, cwd=cwd, given=given, **environment).ended()
