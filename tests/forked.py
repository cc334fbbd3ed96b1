"""Our programs in processes of their own that start at once: forked from one process that has loaded their libraries.

`python -m entrada.cli …` spends most of a second on loading libraries before it does anything; with more than two
hundred such programs to start, that is minutes. All else is as if Python had been started: a process with a memory, an
environment, a directory, signals and an exit status of its own (docs/decisions/0330).
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("src", "emulator/src", "."))
NOWHERE = Path(os.devnull)

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.loaded"])


@dataclass(frozen=True, slots=True)
class Streams:
    """Files for the three standard streams; one that is named twice gets what goes to either, in order."""

    given: Path = NOWHERE
    out: Path = NOWHERE
    err: Path = NOWHERE


@dataclass(frozen=True, slots=True)
class Running:
    """A program that was started; what `subprocess.Popen` offers, as far as tests want it."""

    module: str
    process: ForkServerProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        """Return how it ended, within so many seconds."""
        self.process.join(timeout)
        status = self.process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(self.module, timeout)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal if it is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def start(
    module: str, *arguments: str, environment: Mapping[str, str], cwd: Path, streams: Streams | None = None
) -> Running:
    """Do what `python -m module arguments…` does, in a process of its own with this environment and no other."""
    _have_server()
    inside = {"module": module, "arguments": arguments, "environment": dict(environment), "cwd": cwd}
    process = _CONTEXT.Process(target=_inside, kwargs={**inside, "streams": streams or Streams()}, daemon=True)
    process.start()
    return Running(module, process)


def _have_server() -> None:
    """Let the process that all are forked from be there; it finds its modules where this file is, not in the cwd."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = SOURCES
    try:
        ensure_running()
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _inside(
    *, module: str, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path, streams: Streams
) -> None:
    """Be the program: what Python sets up before it runs `__main__`, and then that."""
    _connect(streams)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    added = environment.get("PYTHONPATH", "").split(os.pathsep)
    ours = {str(ROOT / folder) for folder in ("src", "emulator/src", ".")}
    sys.path[:] = [str(cwd), *filter(None, added), *(path for path in sys.path if path and path not in ours)]
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _connect(streams: Streams) -> None:
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path in enumerate((streams.given, streams.out, streams.err)):
        file = os.open(path, appending if number else os.O_RDONLY, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as it runs)
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
