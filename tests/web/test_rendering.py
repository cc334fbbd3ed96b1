"""`Page` renders an application's own templates as safely as ours."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Response

from entrada import Page
from tests.front_door import BASE, FrontDoor, running

TEMPLATE = """{% extends "entrada/base.html" %}{% block title %}T{% endblock %}
{% block content %}<p id="name">{{ name }}</p>
<p>[{{ csrf_token }}]</p><script nonce="{{ csp_nonce }}"></script>{% endblock %}"""


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """An application with one page of its own."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "greeting.html").write_text(TEMPLATE, "utf-8")

    def build(app: FastAPI) -> None:
        @app.get("/")
        async def greeting(page: Page, name: str) -> Response:
            return page("greeting.html", status=203, headers={"x-mine": "yes"}, name=name)

    async with running(entra, tmp_path, build=build, options={"templates": [tmp_path / "pages"]}) as front_door:
        yield front_door


async def test_a_page_has_our_frame_and_what_the_application_says(door: FrontDoor) -> None:
    """Status, headers and values are the application's; the stylesheet is ours."""
    answer = await door.raw("GET", f"{BASE}/?name=Ada")
    assert (answer.status_code, answer.headers["x-mine"]) == (203, "yes")
    assert '<p id="name">Ada</p>' in answer.text
    assert "/entrada/static/" in answer.text


async def test_values_are_escaped_and_each_answer_has_a_nonce_of_its_own(door: FrontDoor) -> None:
    """SEC-161: markup in a value stays text; the policy names this answer's nonce and no other's."""
    first = await door.raw("GET", f"{BASE}/?name=%3Cscript%3E")
    second = await door.raw("GET", f"{BASE}/?name=x")
    assert '<p id="name">&lt;script&gt;</p>' in first.text
    nonces = [answer.text.partition('nonce="')[2].partition('"')[0] for answer in (first, second)]
    assert nonces[0] != nonces[1]
    assert f"'nonce-{nonces[0]}'" in first.headers["content-security-policy"]


async def test_the_form_token_is_empty_for_strangers_and_is_not_kept_by_caches(door: FrontDoor) -> None:
    """Nobody signed in has no token to give away, and a page that may carry one is not stored."""
    answer = await door.raw("GET", f"{BASE}/?name=x")
    assert "[]" in answer.text
    assert answer.headers["cache-control"] == "no-store"
