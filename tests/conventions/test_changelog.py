"""The changelog says each thing once, under the kind of change that it is."""

import re
from collections import Counter
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_each_kind_stands_once_in_a_version() -> None:
    """As Keep a Changelog has it; a merge of two branches may put a kind there a second time."""
    for version in TEXT.split("\n## ")[1:]:
        kinds = re.findall("^### (.+)$", version, re.MULTILINE)
        assert len(kinds) == len(set(kinds))
        assert set(kinds) <= KINDS


def test_no_line_stands_twice() -> None:
    """What begins alike is the same change, told twice."""
    beginnings = Counter(line[:60] for line in TEXT.splitlines() if line.startswith("- "))
    assert {line: times for line, times in beginnings.items() if times > 1} == {}
