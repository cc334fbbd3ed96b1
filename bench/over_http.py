"""A protected endpoint over HTTP: requests per second beside bare FastAPI's, by turns of half a second.

A machine that others use is fast in one minute and slow in the next: each share is of two turns side by side. Both are
sent the same requests: what a server takes to read a cookie or a token is not what a stack does with it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.contender import BASE, CONTENDERS, Contender
from bench.load import call, in_turn
from bench.table import show

SECONDS = 0.5
TURNS = int(os.environ.get("BENCH_TURNS", "20"))
WANTED = os.environ.get("BENCH_HTTP", "").split(",")  # parts of the names of rows; nothing is in all of them
BUSY = 0.9  # share of its own core that whoever calls may need, before it is what is measured


@dataclass(slots=True)
class Served:
    """A contender that serves, and what was seen of it, turn by turn."""

    name: str
    pid: int
    port: int
    callers: list[dict[str, str]]
    """The headers of each of its callers."""
    requests: Iterator[bytes]
    """Of its callers in turn; what is called next goes on from there, so that many tokens are really many."""
    rates: list[float] = field(default_factory=list)
    """Requests per second."""
    costs: list[float] = field(default_factory=list)
    """Microseconds of its processor time for a request."""

    def turn(self) -> None:
        """Call it for one turn."""
        before = cpu_seconds(self.pid)
        run = uvloop.run(call(self.port, self.requests, seconds=SECONDS))
        if run.busy > BUSY:
            print(f"    the caller was busy {run.busy:.0%} of the time: no figure of a server", file=sys.stderr)
        self.costs.append((cpu_seconds(self.pid) - before) / run.requests * 1e6)
        self.rates.append(run.rate)


@contextmanager
def served(contender: Contender, folder: Path) -> Iterator[Served]:
    """Give a contender while it serves, warm."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "bench.serve", contender.name, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"{contender.name} did not start")
        told = json.loads(line)
        port, callers = told["port"], told["callers"]
        ready = Served(contender.name, process.pid, port, callers, in_turn(port, callers))
        uvloop.run(call(ready.port, ready.requests, seconds=SECONDS))
        yield ready


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _beside(base: Served, other: Served) -> tuple[str, ...]:
    """Call both by turns, and return the row of the other."""
    base.rates, base.costs, base.requests = [], [], in_turn(base.port, other.callers)
    for _ in range(TURNS):
        base.turn()
        other.turn()
    shares = [rate / bare for rate, bare in zip(other.rates, base.rates, strict=True)]
    low, median, high = statistics.quantiles(shares)
    added = statistics.mean(other.costs) - statistics.mean(base.costs)
    rate = statistics.median(other.rates)
    return other.name, f"{rate:,.0f}", f"{median:.2f}", f"{low:.2f} to {high:.2f}", f"{added:,.0f}"


def _rows(parent: Path) -> Iterator[tuple[str, ...]]:
    bare, *others = filter(lambda each: each.possible, CONTENDERS)
    with served(bare, parent / "base") as base:
        for position, contender in enumerate(others):
            if not any(part in contender.name for part in WANTED):
                continue
            print(f"  {contender.name} …", file=sys.stderr)
            with served(contender, parent / str(position)) as other:
                yield _beside(base, other)


def measure() -> None:
    """Print the table."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    with tempfile.TemporaryDirectory() as parent:
        rows = list(_rows(Path(parent)))
    os.sched_setaffinity(0, cores)
    show(
        f"A protected endpoint over HTTP (uvicorn, uvloop, httptools; one process; {TURNS} turns of {SECONDS} s each)",
        ("stack", "requests/s", f"of {BASE}", "half of the turns", "added CPU µs"),
        rows,
    )
