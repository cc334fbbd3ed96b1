"""What is released, and the look at known vulnerabilities before it: by the same commands, in a fresh clone."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
WEAK = {"id": "PYSEC-2026-1", "summary": "made up", "affected": [{"package": {"name": "msal", "ecosystem": "PyPI"}}]}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of what is committed, with the tools of a release."""
    folder = tmp_path_factory.mktemp("release") / "entrada"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run(["make", ".venv-release/.release"], cwd=folder, check=True, capture_output=True)
    return folder


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=clone, capture_output=True, text=True, check=False)


def test_a_release_has_checksums_and_a_bill_and_is_the_same_each_time(clone: Path) -> None:
    """SEC-197: wheels and sources, a bill of materials that names every locked package, checksums of them all."""
    sums = []
    for _ in range(2):
        run = make(clone, "release")
        assert run.returncode == 0, run.stderr
        sums.append((clone / "dist" / "SHA256SUMS").read_text("utf-8"))
    assert sums[0] == sums[1]
    summed = {name: digest for digest, name in (line.split() for line in sums[0].splitlines())}
    files = {path.name: path for path in (clone / "dist").iterdir() if path.name != "SHA256SUMS"}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == summed
    assert [path.suffix for path in map(Path, sorted(summed))] == [".whl", ".gz", ".json", ".whl", ".gz"]
    text = files["entrada.cdx.json"].read_text("utf-8")
    bill = json.loads(text)
    named = {(part["name"].lower().replace("_", "-"), part["version"]) for part in bill["components"]}
    assert locked(clone / "requirements" / "deploy.txt") <= named
    assert bill["metadata"]["component"]["name"] == "entrada"
    assert "file:" not in text


def locked(lock: Path) -> set[tuple[str, str]]:
    lines = [line.rstrip("\\ ") for line in lock.read_text("utf-8").splitlines() if line[:1].isalnum()]
    pinned = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    return {(one.name.lower().replace("_", "-"), str(one.specifier).removeprefix("==")) for one in pinned}


def test_a_release_is_of_a_commit(clone: Path) -> None:
    """What is in no commit is released by nobody."""
    stray = clone / "src" / "entrada" / "stray.py"
    stray.write_text("", "utf-8")
    run = make(clone, "release")
    stray.unlink()
    assert run.returncode != 0
    assert "in no commit" in run.stderr


@contextmanager
def vulnerabilities(*, of: str | None) -> Iterator[str]:
    """Serve OSV's question `v1/query`: that package has one, in every version; give the address."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps({"vulns": [WEAK]} if asked["package"]["name"] == of else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def one_lock(clone: Path) -> Iterator[None]:
    """Leave only the lock of the demo, so that a service is asked fifty times and not eight hundred."""
    for lock in (clone / "requirements").glob("*.txt"):
        if lock.name != "demo.txt":
            lock.unlink()
    yield
    subprocess.run(["git", "checkout", "--quiet", "--", "requirements"], cwd=clone, check=True)


def audit(clone: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [".venv-release/bin/python", ".ci/audit.py", "--vulnerability-service", "osv", "--osv-url", url]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("one_lock")
def test_an_audit_is_green_only_when_all_was_looked_up_and_nothing_is_known(clone: Path) -> None:
    """SEC-196: what is known is named with its package; a service that cannot be asked is red, and so is no package."""
    with vulnerabilities(of=None) as url:
        clean = audit(clone, url)
    assert (clean.returncode, clean.stdout.splitlines()[-1]) == (
        0,
        "every locked package was looked up; no vulnerability is known",
    )
    with vulnerabilities(of="msal") as url:
        weak = audit(clone, url)
    assert weak.returncode == 1
    assert "msal" in weak.stdout
    assert "PYSEC-2026-1" in weak.stdout
    nobody = audit(clone, url)
    assert nobody.returncode == 1
    assert "could not be looked up" in nobody.stdout
