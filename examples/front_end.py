"""The part of an example that Node builds, at first use: `npm ci`, then the script `build` of its package.json."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

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
    for command in (("ci", "--silent"), ("run", "--silent", "build")):
        if subprocess.run([npm, *command], cwd=folder, env=dict(environment), check=False).returncode:
            return f"`npm {command[0]}` failed, see above"
    return ""


def _is_fresh(folder: Path) -> bool:
    built = [path.stat().st_mtime for path in folder.glob("dist/*")]
    sources = [path.stat().st_mtime for path in folder.iterdir() if path.name not in GENERATED]
    return bool(built) and min(built) >= max(sources)
