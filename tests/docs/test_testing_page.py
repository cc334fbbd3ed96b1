"""docs/testing.md is a test suite that passes as printed (RUN-5, BEY-10), and so is that of the page on features."""

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.docs.blocks import ROOT, blocks_in

PLUGIN = "entrada_emulator.pytest_plugin"
FILE = re.compile(r"\bfile=(\S+)")


def plugin() -> tuple[str, ...]:
    """Name the plugin for pytest, unless the emulator is installed, which does so itself."""
    installed = any(each.value == PLUGIN for each in entry_points(group="pytest11"))
    return () if installed else ("-p", PLUGIN)


def test_the_tests_of_the_pages_pass_as_printed(tmp_path: Path) -> None:
    """Each block is written to the file that it names; pytest runs them in a process of its own."""
    for block in (*blocks_in(ROOT / "docs/testing.md"), *blocks_in(ROOT / "docs/adding-a-feature.md")):
        if named := FILE.search(block.info):
            (tmp_path / named[1]).write_text(block.code)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin(), "-W", "error", "test_shop.py", "test_notes.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'emulator/src'}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
