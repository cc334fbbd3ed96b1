"""What our pages tell people to write is right."""

import ast
from pathlib import Path

import pytest
from entrada_emulator.directory.seeds import BIRCH, WEB_APP
from starlette.testclient import TestClient

from tests.docs.blocks import Block, blocks_in, python_blocks

PYTHON = python_blocks()
OPENED_IN_A_TAB = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
RUNNABLE = [block for block in PYTHON if block.runs]


def test_blocks_are_found_with_their_place_and_promise(tmp_path: Path) -> None:
    """The extractor sees fences in lists, longer fences around shorter ones, and the word run."""
    page = tmp_path / "page.md"
    page.write_text("# A\n```python run\nx = 1\n```\n\n1. b\n   ```sh\n   ls\n   ```\n\n````md\n```python\n```\n````\n")
    found = blocks_in(page)
    assert [(block.line, block.language, block.runs) for block in found] == [
        (2, "python", True),
        (7, "sh", False),
        (11, "md", False),
    ]
    assert found[1].code == "ls\n"


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_python_block_compiles(block: Block) -> None:
    """No page shows Python that Python refuses; `await` at the top is shorthand for being in a coroutine."""
    compile(block.code, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_front_page_has_blocks_that_run() -> None:
    """The code that people meet first is executed, not only read."""
    assert any(block.page.name == "README.md" for block in RUNNABLE)


@pytest.mark.parametrize("page", sorted({block.page for block in RUNNABLE}), ids=lambda page: page.name)
def test_the_blocks_that_promise_to_run_make_a_guarded_application(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, as a reader types them; then a browser without a session is sent to sign in."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"TENANT_ID": BIRCH.id, "CLIENT_ID": WEB_APP, "CLIENT_SECRET": "a-test-of-the-pages"}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    written: dict[str, object] = {"__name__": "written"}
    for block in RUNNABLE:
        if block.page == page:
            exec(compile(block.code, str(block), "exec"), written)
    client = TestClient(written["app"], base_url="http://localhost:8000", follow_redirects=False)  # type: ignore[arg-type]
    opened = client.get(
        "/", headers={"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    )
    assert opened.status_code in {302, 303}
    assert opened.headers["location"].startswith("/api/auth/login")
