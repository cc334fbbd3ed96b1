"""Other Python processes, for what must hold between the workers of one machine."""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from entrada import errors
from tests import forked

SOURCES = str(Path(errors.__file__).parents[1])
PATIENCE = 60.0  # seconds


def start(source: str, *arguments: str) -> subprocess.Popen[str]:
    """Start Python on `source`; its `sys.argv[1:]` are the arguments, and both its ends are pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments],
        env={**os.environ, "PYTHONPATH": SOURCES},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(source: str, *arguments: str, times: int) -> list[str]:
    """Run `source` in several processes, which wait for a line on stdin to begin at once; return what each printed."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        workers = [_Worker.started(Path(name), source, *arguments, number=number) for number in range(times)]
        for worker in workers:
            stack.callback(worker.process.kill)
            worker.wait_until_ready()
        for worker in workers:
            worker.begin()
        return [worker.printed() for worker in workers]


@dataclass(frozen=True, slots=True)
class _Worker:
    """One of them; it is forked, for all must be there before any begins, and each would load the library first."""

    process: forked.Running
    streams: forked.Streams
    line: int

    @classmethod
    def started(cls, folder: Path, source: str, *arguments: str, number: int) -> Self:
        own = folder / str(number)
        own.mkdir()
        (own / "together.py").write_text(source, "utf-8")
        streams = forked.Streams(given=own / "given", out=own / "out", err=own / "err")
        os.mkfifo(streams.given)
        line = os.open(streams.given, os.O_RDWR)  # to read, too: else whoever opens it first waits for the other
        environment = {**os.environ, "PYTHONPATH": forked.SOURCES}
        return cls(
            forked.start("together", *arguments, str(number), environment=environment, cwd=own, streams=streams),
            streams,
            line,
        )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE
        while not (self.streams.out.exists() and self.streams.out.read_text().startswith("ready\n")):
            ended = self.process.poll() is not None or time.monotonic() > until
            assert not ended, self.streams.err.read_text()
            time.sleep(0.01)

    def begin(self) -> None:
        os.write(self.line, b"go\n")

    def printed(self) -> str:
        status = self.process.wait(PATIENCE)
        os.close(self.line)
        assert status == 0, self.streams.err.read_text()
        return self.streams.out.read_text().removeprefix("ready\n").strip()
