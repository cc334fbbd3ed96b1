"""Our own files for the browser: read once, named by their content, served from this origin (SEC-167)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

STATIC = Path(__file__).parent / "static"
ROOT = "/entrada/static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, with its type and the digest that is part of its address."""

    name: str
    content_type: str
    digest: str
    body: bytes
    root: str = ROOT

    @property
    def url(self) -> str:
        """Its path; it changes whenever the content does, so that a browser may keep it for a year."""
        return f"{self.root}/{self.digest}/{self.name}"


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file that we ship for the browser, by name."""
    return MappingProxyType({path.name: read(path) for path in sorted(STATIC.iterdir()) if path.suffix in TYPES})


def read(path: Path, *, root: str = ROOT) -> Asset:
    """Return a file for the browser, below a path of its own."""
    body = path.read_bytes()
    return Asset(path.name, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16], body, root)
