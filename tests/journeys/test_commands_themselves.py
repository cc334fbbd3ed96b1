"""The command `entrada` in a Python that was started for it: other tests fork theirs (docs/decisions/0330)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import command
from tests.forked import SOURCES


@pytest.mark.parametrize("place", ["serve", "explain", "doctor", "db", "users", "audit", "tenants"])
def test_it_starts_with_what_it_loads_itself(place: str, tmp_path: Path) -> None:
    """Each part of the command has all that it needs, and says what it is for; `keys` and `token` have more to do."""
    done = subprocess.run(
        [sys.executable, "-m", "entrada.cli", place, "--help"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"entrada.cli {place}" in done.stdout


def test_token_loads_its_ways(tmp_path: Path) -> None:
    """Without settings it says what is missing, and ends with 1."""
    done = subprocess.run(
        [sys.executable, "-m", "entrada.cli", "token", "--client-credentials"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "client_id: missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("out", "code", "err"),
    [(os.devnull, 0, ""), ("/dev/full", 1, "It cannot be written, or read: No space left on device.\n")],
)
def test_a_terminal_that_takes_little(out: str, code: int, err: str, tmp_path: Path) -> None:
    """Characters that it has not, and a disk that is full behind it, are no tracebacks."""
    with Path(out).open("w", encoding="ascii") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "entrada.cli", "explain", "AADSTS50011"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, "PYTHONIOENCODING": "ascii"},
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (code, err)


async def test_arguments_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused before anybody is looked for by them."""
    done = await command.run("users", "show", "\udcff@x.example", cwd=tmp_path)
    assert (done.code, done.said) == (1, "The arguments are not text in UTF-8.\n")


async def test_which_release_it_is(tmp_path: Path) -> None:
    """`entrada --version` says it on one line, as whoever reports a fault is asked to, and loads nothing of ours."""
    done = await command.run("--version", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"entrada ([0-9]\S*|from its source), Python 3\.\d+\.\S+\n", done.out)
