"""The records of decisions say what is so: each test that one names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted((ROOT / "docs/decisions").glob("*.md"))
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_each_test_that_a_record_names_is_there(record: Path) -> None:
    """A renamed or deleted test is missed here, before somebody looks for the proof."""
    for path, name in NAMED.findall(record.read_text("utf-8")):
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"


def test_no_two_records_have_one_number() -> None:
    """A number is enough to find a record."""
    numbers = [record.name[:4] for record in RECORDS]
    assert len(set(numbers)) == len(numbers) > 50
