"""The examples are as small as we say, and what stands beside them fits them."""

import json
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from entrada.settings.names import known_names

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "auth_code_flow"
MOST_LINES = 100
LOCKS = [ROOT / "emulator/tests/javascript/package-lock.json", ROOT / "examples/bff_and_spa/front/package-lock.json"]


def test_the_example_has_under_100_lines_of_its_own_templates_included() -> None:
    """Everything a person would write: the application and its pages, blank lines and comments counted too."""
    written = [EXAMPLE / "app.py", *EXAMPLE.glob("templates/*.html")]
    assert sum(len(path.read_text("utf-8").splitlines()) for path in written) < MOST_LINES


@pytest.mark.parametrize("example", ["public_client", "b2c_api", "enterprise"])
def test_each_other_example_has_under_120_lines(example: str) -> None:
    """RUN-3: its modules and pages; `demo` only says how `make demo` runs it."""
    folder = ROOT / "examples" / example
    written = [*folder.glob("[!_]*.py"), *folder.glob("templates/*.html")]
    assert sum(len(path.read_text("utf-8").splitlines()) for path in written if path.name != "demo.py") < 120


def test_both_patterns_side_by_side_take_under_120_lines_of_python() -> None:
    """RUN-3: the backend, the API and how they are run; the page is HTML, a style sheet and scripts beside them."""
    written = (ROOT / "examples" / "bff_and_spa").glob("*.py")
    assert sum(len(path.read_text("utf-8").splitlines()) for path in written) < 120


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.parent.relative_to(ROOT)))
def test_what_npm_installs_is_hash_checked_and_comes_from_no_named_place(lock: Path) -> None:
    """SEC-197: each package has an integrity hash, none has an address, and scripts of packages are not run."""
    packages = {name: each for name, each in json.loads(lock.read_text("utf-8"))["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not [name for name, each in packages.items() if "resolved" in each]
    options = (lock.parent / ".npmrc").read_text("utf-8").splitlines()
    assert {"ignore-scripts=true", "omit-lockfile-registry-resolved=true"} <= set(options)


@pytest.mark.parametrize(
    ("example", "family"), [("auth_code_flow", "AZURE"), ("public_client", "AZURE"), ("b2c_api", "B2C")]
)
def test_each_name_in_the_env_example_is_a_setting(example: str, family: str) -> None:
    """Also those that are commented out; a misspelt one would be taken for a wish without effect."""
    text = (ROOT / "examples" / example / ".env.example").read_text("utf-8")
    named = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)
    assert set(named) <= known_names()
    assert {f"{family}_{name}" for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")} <= set(named)


def test_the_env_example_means_the_same_to_docker_as_to_python() -> None:
    """`docker run --env-file` knows no quotes and no comment behind a value."""
    lines = (EXAMPLE / ".env.example").read_text("utf-8").splitlines()
    as_docker = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert as_docker == dotenv_values(EXAMPLE / ".env.example")
