"""The table of the security model says what the tests do, and secrets are compared in constant time."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RANGE = re.compile(r"SEC-(\d{3})(?: to SEC-(\d{3}))?")
ROWS = [
    [cell.strip() for cell in line.strip("| ").split("|")]
    for line in (ROOT / "docs/security-model.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and "SEC-" in line and ".py" in line
]
SECRETS = {"state", "nonce", "token", "signature", "mac", "secret", "code_verifier", "session_id", "csrf_token", "tag"}


def identifiers(text: str) -> set[int]:
    """Return the numbers that a text cites, ranges unfolded."""
    return {n for first, last in RANGE.findall(text) for n in range(int(first), int(last or first) + 1)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition(":")[0])
def test_each_identifier_is_cited_where_the_table_says(row: list[str]) -> None:
    """Each file of a row is there and cites one of its identifiers; each identifier is cited by one of its files."""
    _, wanted, files = row
    cited = {name: identifiers((ROOT / name).read_text("utf-8")) for name in re.findall(r"`([^`]+\.py)`", files)}
    assert identifiers(wanted) - set().union(*cited.values()) == set()
    assert [name for name, numbers in cited.items() if not numbers & identifiers(wanted)] == []


def test_there_is_a_table() -> None:
    """The control: the rows were found."""
    assert len(ROWS) > 10


def test_secrets_are_compared_in_constant_time() -> None:
    """SEC-175: no `==` or `!=` has a secret on one of its sides; `hmac.compare_digest` is for that."""
    found = []
    for path in (ROOT / "src/entrada").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
                names = {getattr(side, "attr", getattr(side, "id", "")) for side in (node.left, *node.comparators)}
                if names & SECRETS and "PLAIN_HEADER_VALUE" not in names:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
