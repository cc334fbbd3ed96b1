"""The README's examples are true."""

import re
from pathlib import Path
from typing import get_args

from entrada_emulator.directory import seeds
from entrada_emulator.directory.world_file import load_world
from entrada_emulator.faults import EndpointName, FaultKind
from entrada_emulator.pytest_plugin import Entra

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_directory_loads(tmp_path: Path) -> None:
    """The YAML example is a valid directory."""
    path = tmp_path / "world.yaml"
    path.write_text(block("yaml"))
    assert load_world(path).user_by_name("wil@willow.example") is not None


def test_the_test_runs(entra: Entra) -> None:
    """The pytest example passes as printed."""
    names: dict[str, object] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    example = names["test_a_daemon_gets_its_token"]
    assert callable(example)
    example(entra)


def test_it_names_every_application() -> None:
    """Client id, and the secret of those that have one, in one line of the table."""
    for application in seeds.default_world().applications:
        (line,) = [row for row in README.splitlines() if f"| `{application.client_id}` |" in row]
        assert line.startswith(f"| {application.display_name}")
        assert all(f"`{secret.value}`" in line for secret in application.secrets)


def test_it_names_every_endpoint_and_fault() -> None:
    """No endpoint or fault is missing from the page."""
    kinds = {kind for group in get_args(FaultKind) for kind in get_args(group)}
    for name in (set(get_args(EndpointName)) - {"other"}) | kinds:
        assert f"`{name}`" in README
    assert seeds.BIRCH.id in README
