"""A golden file: what the product shows, written down, so that each change of it is reviewed as a diff.

`make golden` writes them anew.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check(path: str, text: str) -> None:
    """Compare `text` with the golden file at `path` (from the repository's root), or write it when asked to."""
    golden = ROOT / path
    text = text.rstrip() + "\n"
    if os.environ.get("GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.is_file(), f"{path} is not there; `make golden` writes it"
    assert text == golden.read_text("utf-8"), f"{path} differs; if that is meant: make golden"
