"""An example's module as a server would import it."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest


def imported(name: str, variables: Mapping[str, str], *, at: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the example's module, with these variables set; what it builds for itself is kept in `at`, not started."""
    monkeypatch.chdir(at)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    return importlib.import_module(f"examples.{name}")
