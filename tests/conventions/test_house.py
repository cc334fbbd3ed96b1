"""The house as tests: what a reader may rely on without looking."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "emulator/src").rglob("*.py")])
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *(ROOT / "emulator/tests").rglob("*.py")])


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give each function's place and its number of lines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_functions_are_read_at_a_glance() -> None:
    """Half of all functions have at most ten lines, and none has more than fifty."""
    sizes = [size for path in SOURCES for size in functions(path)]
    assert statistics.median(lines for _, lines in sizes) <= 10
    assert [place for place, lines in sizes if lines > 50] == []


def test_files_hold_one_noun() -> None:
    """No source file has more than four hundred lines; half have at most a hundred and fifty."""
    sizes = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in SOURCES}
    assert {name: lines for name, lines in sizes.items() if lines > 400} == {}
    assert statistics.median(sizes.values()) <= 150


def test_no_decision_is_taken_from_the_requests_own_address() -> None:
    """request.url and request.base_url are built from the Host header; the library never reads them (SEC-164)."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("flows", "web")
        for path in (ROOT / "src/entrada" / folder).rglob("*.py")
        if path.name != "api_client.py"  # its requests are those that we send
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"url", "base_url"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"request", "connection", "conn", "websocket"}
    ]
    assert found == []


@pytest.mark.parametrize("banned", ["python-jose", "authlib"])
def test_signatures_do_not_stand_on_libraries_that_failed(banned: str) -> None:
    """python-jose and authlib.jose are no dependency of the library (SEC-199)."""
    assert banned not in (ROOT / "pyproject.toml").read_text("utf-8").lower()


def test_no_test_replaces_our_own_code() -> None:
    """Tests use real parts: no mock, no patch, no attribute set on our modules."""
    words = ("Magic" + "Mock", "Async" + "Mock", "mock." + "patch", "monkeypatch." + "setattr")
    found = [f"{path.relative_to(ROOT)}: {word}" for path in TESTS for word in words if word in path.read_text("utf-8")]
    assert found == []


def test_locks_hold_hashes_and_no_addresses() -> None:
    """Every locked package has a hash, and no lock says where it was resolved (SEC-197)."""
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text("utf-8")
        assert "://" not in text, lock.name
        packages = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert packages, lock.name
        assert all(line.endswith("\\") for line in packages), lock.name


def test_what_is_said_of_make_is_so() -> None:
    """Every target that people are told of is there, and `make help` tells of every one."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    told = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert {"help", *re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[0].split()} == told
    places = [*ROOT.glob("*.md"), ROOT / "pyproject.toml", *(ROOT / "docs").rglob("*.md"), *(ROOT / ".ci").iterdir()]
    commands = re.compile(r"(?:`|^)make (?:[A-Z]+=\S+ )*([a-z]+)(?=`| [A-Z]|\s*(?:#|$))", re.MULTILINE)
    named = {name for place in places if place.is_file() for name in commands.findall(place.read_text("utf-8"))}
    assert named <= told
    assert len(named) > 8


def test_each_long_test_is_run_by_a_command() -> None:
    """`make long` runs whatever is marked so: it names the mark, and no folder unless it is told one."""
    recipe = re.findall(r"^long:.*\n\t(.*)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [line.partition(" -m pytest ")[2] for line in recipe] == ["-m long $(TESTS)"]
