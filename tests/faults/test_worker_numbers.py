"""A worker that is killed takes its gauges with it, and leaves what it had counted."""

import subprocess
import sys
from pathlib import Path

from entrada.web.monitoring.exposition import Family
from entrada.web.monitoring.worker_numbers import WorkerNumbers

ROOT = Path(__file__).parents[2]
FAMILIES = (Family("done_total", "counter", "Counted."), Family("here", "gauge", "Here."))
OWN = {"done_total": {"": 1.0}, "here": {"": 1.0}}
CHILD = """
import sys
from pathlib import Path
from entrada.web.monitoring.worker_numbers import WorkerNumbers
from tests.faults.test_worker_numbers import FAMILIES
numbers = WorkerNumbers(Path(sys.argv[1]), FAMILIES)
numbers.write({"done_total": {"": 5.0}, "here": {"": 1.0}})
print("written", flush=True)
sys.stdin.read()
"""


def test_a_killed_worker(tmp_path: Path) -> None:
    """AUD-2: its lock goes with the process, whatever ends it; the next worker takes its counts over, once."""
    directory = tmp_path / "metrics"
    first = WorkerNumbers(directory, FAMILIES)
    first.write(OWN)
    command = [sys.executable, "-c", CHILD, str(directory)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": "src:."}
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"written\n"
        assert first.together(OWN) == {"done_total": {"": 6.0}, "here": {"": 2.0}}
        child.kill()
    assert first.together(OWN) == {"done_total": {"": 6.0}, "here": {"": 1.0}}
    for _ in range(2):
        another = WorkerNumbers(directory, FAMILIES)
        another.write(OWN)
        found = another.together(OWN)
        assert (found["here"], len(list(directory.glob("*.json")))) == ({"": 2.0}, 2)
        another.close()
    assert found["done_total"] == {"": 8.0}, "5 of the killed one, 1 of the first, 1 of each of the others"
    first.close()
