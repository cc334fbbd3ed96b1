"""What we stand on, and what we hand out."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]

# The first versions without the advisories that security.md, part C, lists (SEC-195).
FLOORS = {
    "starlette": "1.10.0",
    "pyjwt": "2.15.1",
    "msal": "1.39.0",
    "python-multipart": "0.0.18",
    "cryptography": "44.0.1",
}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_versions_are_free_of_known_advisories(package: str, floor: str) -> None:
    """The installed version is at or above the first one without a listed advisory (SEC-195)."""
    assert Version(version(package)) >= Version(floor)


def test_our_own_floors_are_no_lower() -> None:
    """pyproject.toml asks for at least those versions, so that users get them too (SEC-195)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        if floor := FLOORS.get(requirement.name):
            least = min(Version(each.version) for each in requirement.specifier)
            assert least >= Version(floor), requirement.name


def test_the_oldest_that_we_admit_is_what_is_tested() -> None:
    """`make oldest` runs with just the versions below which pip refuses an application beside us."""
    admitted: set[tuple[str, Version]] = set()
    for folder in (ROOT, ROOT / "emulator"):
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        extras = project["optional-dependencies"].values()
        for requirement in map(Requirement, chain(project["dependencies"], *extras)):
            admitted |= {(requirement.name, Version(each.version)) for each in requirement.specifier}
    lines = (ROOT / "requirements" / "oldest.in").read_text("utf-8").splitlines()
    pinned = {(one.name, one.specifier) for one in map(Requirement, (each for each in lines if "==" in each))}
    assert {(name, SpecifierSet(f"=={version}")) for name, version in admitted} == pinned


@pytest.mark.parametrize(("folder", "package"), [(".", "entrada"), ("emulator", "entrada_emulator")])
def test_the_wheel_holds_the_package_and_nothing_else(folder: str, package: str, tmp_path: Path) -> None:
    """A wheel contains our package's files only, templates and styles among them, and no key (SEC-191, SEC-198)."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert all(name.startswith((f"{package}/", f"{package}-")) for name in names)
    assert f"{package}/py.typed" in names
    assert any(name.endswith(".html") for name in names)
    assert any(name.endswith(".css") for name in names)
    assert not [name for name in names if name.endswith((".pem", ".key", ".pfx", ".db", ".env"))]


def imported_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_importing_the_library_loads_what_a_setting_asks_for_only_when_it_is_needed() -> None:
    """`import entrada` loads neither MSAL nor SQLAlchemy nor the emulator (SEC-192)."""
    loaded = imported_by("from entrada import CurrentUser, Entrada, api_client")
    assert not {"msal", "requests", "sqlalchemy", "alembic", "entrada_emulator"} & loaded
