"""The site has every page, and no page that is not there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
JOINED = {"index.md", "emulator.md", "deploy.md", "decisions.md"}


def listed(nav: Any) -> Iterator[str]:
    """Give the pages of a navigation, however deep."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values():
                yield from listed(inner)


def test_each_page_can_be_found_by_the_navigation() -> None:
    """A page that is written is in the navigation, once; what joins from elsewhere is named in docs/hooks.py."""
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    pages = list(listed(site["nav"]))
    assert sorted(pages) == sorted({path.name for path in (ROOT / "docs").glob("*.md")} | JOINED)
