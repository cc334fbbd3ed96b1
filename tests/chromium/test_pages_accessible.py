"""Our pages in a real browser: accessible, whole under their policy, and usable by keyboard and without scripts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page
from starlette.requests import Request
from starlette.responses import Response

from emulator.tests.accessibility import pictured, violations
from entrada.web.middleware.headers import HeaderRules, HeadersMiddleware, csp_nonce
from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.pages.pages import Pages
from entrada.web.routes.static import static_routes
from tests.chromium.launch import chromium_at
from tests.chromium.served import served
from tests.chromium.visitor import SCREENSHOTS
from tests.web.samples import CORRELATION_ID, every_page

pytestmark = pytest.mark.browser

LOOKS: dict[str, tuple[Literal["light", "dark"], tuple[int, int]]] = {
    "light": ("light", (1100, 760)),
    "dark": ("dark", (1100, 760)),
    "phone": ("light", (320, 640)),
}
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NAMES = sorted(every_page(Pages(for_operators=True)))
EXTENDING = """{% extends "entrada/base.html" %}{% block title %}Profile{% endblock %}{% block card %}wide{% endblock %}
{% block content %}<h1>Good morning, {{ name }}</h1><dl class="facts"><div><dt>Name</dt><dd>{{ name }}</dd></div></dl>
<h2>Microsoft Graph <span class="badge">from cache</span></h2><pre tabindex="0">{"displayName": "Ada"}</pre>
<p class="notice">Your password ends in three days.</p>
<table><tr><th scope="col">Role</th></tr><tr><td>Reader</td></tr></table>
<form method="post" action="/out"><label for="why">Why</label><input id="why" type="text">
<p class="ways"><button class="button">Sign out</button></p></form>{% endblock %}"""


def application(folder: Path) -> HeadersMiddleware:
    """Every page of ours, one that an application builds on ours, and FastAPI's own."""
    (folder / "profile.html").write_text(EXTENDING)
    pages = Pages([folder], for_operators=True)
    app = FastAPI(routes=static_routes())
    answers = {**every_page(pages), "profile": pages.render("profile.html", name="Ada")}

    @app.get("/page/{name}")
    async def page(name: str) -> Response:
        return answers[name]

    @app.get("/scripts")
    async def scripts(request: Request) -> HTMLResponse:
        allowed = f'<script nonce="{csp_nonce(request)}">document.title = "ran"</script>'
        return HTMLResponse(f'<title>not run</title>{allowed}<script>document.title = "injected"</script>')

    rules = HeaderRules(
        policy=ContentPolicy(),
        https=False,
        session_cookie=b"entrada=",
        auth_paths=("/api/auth/",),
        documentation=frozenset({"/docs"}),
    )
    return HeadersMiddleware(app, rules=rules)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium_at(tmp_path_factory.mktemp("home")) as browser:
        yield browser


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(application(tmp_path_factory.mktemp("pages"))) as origin:
        yield origin


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", [*NAMES, "profile"])
def test_a_page_is_accessible_and_whole_in_each_look(page: Page, origin: str, name: str) -> None:
    """SEC-161, SEC-167: WCAG 2.2 AA as far as axe can tell; it fits, and its policy blocks nothing of it."""
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(f"{origin}/page/{name}")
    for look, (scheme, (width, height)) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        with pictured(page, SCREENSHOTS / f"page-{name}-{look}.jpg"):
            broken = violations(page, tags=STANDARD)
            assert not broken, f"{look}: {broken}"
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), look
            assert page.evaluate("getComputedStyle(document.querySelector('.card')).maxWidth") in {"480px", "736px"}
    assert not [line for line in said if "Content Security Policy" in line]
    assert all(url.startswith((origin, "data:")) for url in asked)


def test_in_forced_colours_a_button_keeps_its_border(browser: Browser, origin: str) -> None:
    page = browser.new_page(forced_colors="active")
    page.goto(f"{origin}/page/error")
    button = "getComputedStyle(document.querySelector('.button'))"
    assert page.evaluate(f"{button}.borderTopStyle") == "solid"
    assert page.evaluate(f"{button}.borderTopColor != {button}.backgroundColor")
    page.close()


def test_the_way_on_is_reached_by_keyboard_and_seen_when_it_is(browser: Browser, origin: str) -> None:
    page = browser.new_page()
    page.goto(f"{origin}/page/error")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Sign in again"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.close()


def test_one_click_takes_the_whole_reference(browser: Browser, origin: str) -> None:
    page = browser.new_page()
    page.goto(f"{origin}/page/error")
    page.get_by_text(CORRELATION_ID).click()
    assert page.evaluate("getSelection().toString()") == CORRELATION_ID
    page.close()


def test_without_scripts_everything_is_there(browser: Browser, origin: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{origin}/page/error_with_code")
    meant = page.get_by_text("character for character")
    assert meant.is_visible(), "in development whoever mends it is the one who looks"
    page.get_by_text("For whoever looks after this application").click()
    assert not meant.is_visible()
    context.close()


def test_a_script_runs_with_the_pages_nonce_and_an_injected_one_does_not(browser: Browser, origin: str) -> None:
    """SEC-161, in the browser that enforces it."""
    page = browser.new_page()
    page.goto(f"{origin}/scripts")
    assert page.title() == "ran"
    page.close()


def test_the_documentation_page_of_fastapi_is_not_blocked_in_development(browser: Browser, origin: str) -> None:
    """Its scripts come from a CDN, answered here by this test, and its own inline one runs."""
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    stand_in = "window.SwaggerUIBundle = Object.assign(() => { document.title = 'ran' }, {presets: {}})"
    page.route("**/swagger-ui-bundle.js", lambda route: route.fulfill(body=stand_in, content_type="text/javascript"))
    page.route("**/*.css", lambda route: route.fulfill(body="", content_type="text/css"))
    page.route("**/favicon*", lambda route: route.fulfill(status=204))
    page.goto(f"{origin}/docs")
    page.wait_for_function("document.title == 'ran'")
    assert not [line for line in said if "Content Security Policy" in line]
    page.close()
