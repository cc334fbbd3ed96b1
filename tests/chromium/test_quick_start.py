"""The quick start, followed to the letter: its code in a file, its two commands in an empty folder."""

import json
import os
import sys
from pathlib import Path

from entrada_emulator.directory.seeds import PASSWORD

from examples.demo import inherited
from examples.supervisor import Program
from tests.chromium.launch import chromium_at
from tests.chromium.sites import answers, free_ports, running
from tests.chromium.visitor import Visitor
from tests.docs.blocks import blocks_in
from tests.forked import ROOT

PAGE = ROOT / "docs" / "quick-start.md"
BLOCKS = blocks_in(PAGE)


def command(beginning: str) -> list[str]:
    """Return the one command of the page that begins so, run by this Python."""
    lines = [line for block in BLOCKS if block.language == "sh" for line in block.code.splitlines()]
    (found,) = [line.split() for line in lines if line.startswith(beginning)]
    return [sys.executable, "-m", found[0].replace("-", "_"), *found[1:]]


def test_who_follows_the_quick_start_is_signed_in_and_reads_graph(tmp_path: Path) -> None:
    """An empty folder, a file, two terminals: hello by name, and Graph's answer, in a browser."""
    (tmp_path / "main.py").write_text("\n".join(block.code for block in BLOCKS if block.runs), "utf-8")
    https, pages, port = free_ports(3)
    address = f"http://localhost:{port}"
    emulator = Program(
        name="emulator",
        command=[*command("entrada-emulator serve"), "--https-port", str(https), "--http-port", str(pages)],
        environment=inherited(os.environ),
        ready=f"http://localhost:{pages}/common/v2.0/.well-known/openid-configuration",
    )
    application = Program(
        name="application",
        command=[*command("uvicorn main:app")[:-1], str(port)],
        environment={**inherited(os.environ), "ENTRADA_BASE_URL": address},
        ready=f"{address}/ready",
    )
    with (
        running(emulator, tmp_path / "emulator.log", lambda: answers(emulator.ready), cwd=tmp_path),
        running(application, tmp_path / "application.log", lambda: answers(application.ready), cwd=tmp_path),
        chromium_at(tmp_path) as chromium,
        chromium.new_context(base_url=address) as context,
    ):
        visitor = Visitor(context.new_page())
        with visitor.expecting("status of 404"):  # a document that is no page names no icon: Chromium asks for one
            _looks(visitor)
        assert not visitor.complaints


def _looks(visitor: Visitor) -> None:
    visitor.goes_to("/")
    visitor.names_themselves("mia@birch.example")
    visitor.proves(PASSWORD)
    visitor.stays()
    visitor.consents()
    visitor.page.wait_for_url("**/")
    assert json.loads(visitor.page.inner_text("body")) == {"hello": "Mia Member"}
    visitor.goes_to("/me")
    answer = json.loads(visitor.page.inner_text("body"))
    assert answer["token_from"] == "cache"
    assert answer["graph"]["userPrincipalName"] == "mia@birch.example"
