"""What the site's builder does beside reading the pages: pages that stand elsewhere in the repository join them."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DECISIONS = "decisions.md"
JOINED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "emulator/README.md": "emulator.md",
    "deploy/README.md": "deploy.md",
    **{
        path.relative_to(ROOT).as_posix(): f"example-{path.parent.name.replace('_', '-')}.md"
        for path in sorted(ROOT.glob("examples/*/README.md"))
    },
    "docs/decisions": DECISIONS,
}
SOURCES = {name: source for source, name in JOINED.items()}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that stand elsewhere, and a list of the decisions."""
    for source, name in JOINED.items():
        text = _decisions() if name == DECISIONS else (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Let links lead to where the pages are on the site."""
    here = page.file.src_uri
    if here == DECISIONS:
        return markdown
    source = SOURCES.get(here, join("docs", here))

    def moved(link: re.Match[str]) -> str:
        target = normpath(join(dirname(source), link[1]))
        place = JOINED.get(target) or (relpath(target, "docs") if target.startswith("docs/") else None)
        return f"]({relpath(place, dirname(here) or '.')}" if place else link[0]

    return LINK.sub(moved, markdown)


def _decisions() -> str:
    """Return a page that lists what was decided."""
    paths = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    lines = [f"- [{_title(path)}](decisions/{path.name})" for path in paths]
    return "# What was decided\n\nEach with its reasons, the newest last.\n\n" + "\n".join(lines) + "\n"


def _title(path: Path) -> str:
    first = path.read_text("utf-8").partition("\n")[0]
    return re.sub(r"^#\s*", "", first)
