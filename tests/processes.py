"""Other Python processes, for what must hold between the workers of one machine."""

import os
import subprocess
import sys
from pathlib import Path

from entrada import errors

SOURCES = str(Path(errors.__file__).parents[1])


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
    workers = [start(source, *arguments, str(number)) for number in range(times)]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    printed = [worker.communicate(timeout=60)[0].strip() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * times
    return printed
