"""The part of an example that Node builds, at first use: `npm ci`, then the script `build` of its package.json."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GENERATED = frozenset({"node_modules", "dist"})


def build(folder: Path, environment: Mapping[str, str]) -> str:
    """Build it unless it is built; return the empty string, or why it cannot be, in words for a person.

    What is built is in `dist`, and is built again when one of the files of `folder` has changed.
    """
    if _is_fresh(folder):
        return ""
    npm = shutil.which("npm", path=environment.get("PATH"))
    if npm is None:
        return "Node with npm was not found"
    print(f"Building {folder.parent.name}/{folder.name}: npm ci, npm run build", flush=True)
    installed = _as_locked(folder) or _ran(npm, "ci", "--silent", folder=folder, environment=environment)
    if not installed:
        return "`npm ci` failed, see above"
    if not _ran(npm, "run", "--silent", "build", folder=folder, environment=environment):
        return "`npm run build` failed, see above"
    return ""


def _ran(npm: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> bool:
    return not subprocess.run([npm, *arguments], cwd=folder, env=dict(environment), check=False).returncode


def _as_locked(folder: Path) -> bool:
    """Say whether what is installed is what the lock says: npm keeps a lock of its own beside the packages."""
    wanted, there = _packages(folder / "package-lock.json"), _packages(folder / "node_modules" / ".package-lock.json")
    needed = [name for name, package in wanted.items() if name and not package.get("optional")]
    return all(name in there and there[name]["integrity"] == wanted[name]["integrity"] for name in needed)


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text("utf-8"))["packages"] if lock.is_file() else {}
    return packages


def _is_fresh(folder: Path) -> bool:
    built = [path.stat().st_mtime for path in folder.glob("dist/*")]
    sources = [path.stat().st_mtime for path in folder.iterdir() if path.name not in GENERATED]
    return bool(built) and min(built) >= max(sources)
