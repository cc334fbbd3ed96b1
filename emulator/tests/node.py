"""Node and the JavaScript clients: where they are, or why a test is skipped."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

JAVASCRIPT = Path(__file__).parent / "javascript"
PACKAGES = JAVASCRIPT / "node_modules/@azure"
OLDEST = 20  # what msal-node needs
HOW = "run .ci/javascript, with node 20 or newer and npm installed"


def node_path() -> str:
    """Where Node is; without it or the packages the test is skipped, or fails where CI says that they must be there."""
    path = shutil.which("node")
    if path and PACKAGES.is_dir() and _major(path) >= OLDEST:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"Node or its packages are missing: {HOW}")
    pytest.skip(f"Node or its packages are missing: {HOW}")


def _major(path: str) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return int(told.removeprefix("v").partition(".")[0])
