"""The fenced blocks of our pages, as a reader would copy them."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)(?P=ticks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it is, what stands behind the backticks, and what is in it."""

    page: Path
    line: int
    info: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def language(self) -> str:
        """The first word behind the backticks."""
        return self.info.partition(" ")[0]

    @property
    def runs(self) -> bool:
        """Whether the page promises that the block runs as it stands: ```` ```python run ````."""
        return "run" in self.info.split()[1:]


def pages() -> list[Path]:
    """Return every Markdown page of the repository."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("emulator/*.md"), *ROOT.glob("examples/*/*.md")]
    return sorted([*found, *ROOT.glob("docs/**/*.md")])


def blocks_in(page: Path) -> list[Block]:
    """Return a page's fenced blocks in their order."""
    text = page.read_text("utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["info"].strip(), textwrap.dedent(found["code"]))
        for found in FENCE.finditer(text)
    ]


def python_blocks() -> list[Block]:
    """Return the Python blocks of all pages."""
    return [block for page in pages() for block in blocks_in(page) if block.language in {"python", "py"}]
