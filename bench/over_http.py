"""A protected endpoint over HTTP: requests per second beside bare FastAPI's, in turn, several rounds."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.contender import BASE, CONTENDERS, Contender
from bench.load import call
from bench.table import show

SECONDS, ROUNDS = 2.0, 3
BUSY = 0.9  # share of its own core that whoever calls may need, before it is what is measured


@contextmanager
def served(contender: Contender, folder: Path) -> Iterator[tuple[int, int, list[dict[str, str]]]]:
    """Give the process id, port and callers' headers of a contender while it serves."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "bench.serve", contender.name, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"{contender.name} did not start")
        ready = json.loads(line)
        yield process.pid, ready["port"], ready["callers"]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rounds(parent: Path) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return what was seen of each contender: requests per second, and microseconds of processor time for each."""
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for position, contender in enumerate(filter(lambda each: each.possible, CONTENDERS)):
            print(f"  round {number + 1} of {ROUNDS}: {contender.name} …", file=sys.stderr)
            with served(contender, parent / str(position)) as (pid, port, callers):
                uvloop.run(call(port, callers, seconds=0.5))
                before = cpu_seconds(pid)
                run = uvloop.run(call(port, callers, seconds=SECONDS))
                if run.busy > BUSY:
                    print(f"    the caller was busy {run.busy:.0%} of the time: no figure of a server", file=sys.stderr)
                costs.setdefault(contender.name, []).append((cpu_seconds(pid) - before) / run.requests * 1e6)
                rates.setdefault(contender.name, []).append(run.rate)
    return rates, costs


def measure() -> None:
    """Print the table."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    with tempfile.TemporaryDirectory() as parent:
        rates, costs = _rounds(Path(parent))
    os.sched_setaffinity(0, cores)
    rate = {name: statistics.median(seen) for name, seen in rates.items()}
    cost = {name: statistics.median(seen) for name, seen in costs.items()}
    show(
        "A protected endpoint over HTTP (uvicorn, uvloop, httptools; one process; median of rounds)",
        ("stack", "requests/s", "of base", "added CPU µs"),
        [
            (name, f"{rate[name]:,.0f}", f"{rate[name] / rate[BASE]:.2f}", f"{cost[name] - cost[BASE]:,.0f}")
            for name in rate
        ],
    )
