"""Look each locked package up among the known vulnerabilities; red also where that could not be done (SEC-196).

pip-audit ends well when it has looked at nothing, so what it says that it has looked at is held against the lock.
Arguments are passed on to it, such as `-s osv`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

QUIETLY = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
MOST_NAMED = 5


def wanted(lock: Path) -> set[str]:
    """Return the names of what this system would install of a lock."""
    lines = [line.rstrip("\\ ") for line in lock.read_text("utf-8").splitlines() if line[:1].isalnum()]
    pinned = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name) for one in pinned if one.marker is None or one.marker.evaluate()}


def audited(lock: Path) -> tuple[list[dict[str, Any]], str]:
    """Return what pip-audit has found out of each package, and the last that it complained of."""
    command = [sys.executable, "-m", "pip_audit", *QUIETLY, *sys.argv[1:], "-r", str(lock)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    complaint = (run.stderr.strip().splitlines() or [""])[-1]
    try:
        return json.loads(run.stdout)["dependencies"], complaint
    except ValueError:
        return [], complaint


def faults(lock: Path) -> Iterator[str]:
    """Give a line for each vulnerability that is known, and one for all that could not be looked up."""
    found, complaint = audited(lock)
    looked_at = {canonicalize_name(package["name"]): package for package in found if "skip_reason" not in package}
    for name, package in looked_at.items():
        for known in package["vulns"]:
            mend = ", ".join(known["fix_versions"]) or "no version yet"
            yield f"{name} {package['version']} has {known['id']}; mended in {mend}"
    if missing := sorted(wanted(lock) - looked_at.keys()):
        named = ", ".join(missing[:MOST_NAMED]) + (", …" if len(missing) > MOST_NAMED else "")
        yield f"{len(missing)} packages could not be looked up ({named}). {complaint}"


def main() -> int:
    """Print what is known of every lock; return 1 unless all of each was looked up and nothing is known."""
    ended = 0
    for lock in sorted(Path("requirements").glob("*.txt")):
        print(f"==> {lock}", flush=True)
        for line in faults(lock):
            print(f"!!  {line}", flush=True)
            ended = 1
    if ended == 0:
        print("every locked package was looked up; no vulnerability is known")
    return ended


if __name__ == "__main__":
    sys.exit(main())
