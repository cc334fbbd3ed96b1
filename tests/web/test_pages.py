"""Pages: escaped, complete, replaceable, each with a policy of its own."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined, TemplateNotFound, UndefinedError
from starlette.responses import Response

from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.pages.pages import Pages, Way, loader

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{7*7}}"


def text(response: Response) -> str:
    return bytes(response.body).decode()


def error(pages: Pages, **changes: object) -> Response:
    given = {"status": 400, "title": "t", "happened": "h", "advice": "a", "correlation_id": "c"} | changes
    return pages.error(**given)


def test_whatever_is_put_into_a_page_shows_as_text() -> None:
    """SEC-143: no text becomes markup, and none is taken for a template."""
    html = text(
        error(
            Pages(for_operators=True),
            title=HOSTILE,
            happened=HOSTILE,
            advice=HOSTILE,
            correlation_id=HOSTILE,
            code=HOSTILE,
            meaning=HOSTILE,
            ways=[Way(HOSTILE, HOSTILE)],
        )
    )
    assert "<script" not in html
    assert "<img" not in html
    assert "{{7*7}}" in html
    assert ">49<" not in html


def test_an_error_page_says_what_happened_what_to_do_and_which_number_to_quote() -> None:
    html = text(
        error(Pages(), happened="It rained.", advice="Take a coat.", correlation_id="abc-123", code="AADSTS50011")
    )
    assert all(word in html for word in ("It rained.", "Take a coat.", "abc-123", "AADSTS50011"))


def test_each_response_has_a_nonce_of_its_own_and_no_way_in_for_other_scripts() -> None:
    """SEC-161: default-src 'none', a fresh nonce, no unsafe-inline, framed by nobody."""
    pages = Pages(policy=ContentPolicy(["https://login.microsoftonline.com/tenant/oauth2/v2.0/logout"]))
    policies = [error(pages).headers["content-security-policy"] for _ in range(2)]
    nonces = [re.search(r"script-src 'nonce-([A-Za-z0-9_-]{22})'", policy) for policy in policies]
    assert nonces[0]
    assert nonces[1]
    assert nonces[0][1] != nonces[1][1]
    assert policies[0].startswith("default-src 'none'; ")
    assert "form-action 'self' https://login.microsoftonline.com;" in policies[0]
    assert all(part in policies[0] for part in ("base-uri 'none'", "frame-ancestors 'none'"))
    assert "unsafe" not in policies[0]


def test_our_pages_are_not_kept_by_the_browser() -> None:
    response = Pages().sign_in(sign_in="/login")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("at_authority", "said", "unsaid"),
    [
        ("ended", "has ended in this browser too", "still signed in at"),
        ("still_signed_in", "You are still signed in at Contoso", "has ended in this browser too"),
        ("unknown", "cannot see whether you are still signed in", "has ended in this browser too"),
    ],
)
def test_the_signed_out_page_claims_no_more_than_is_known(at_authority: str, said: str, unsaid: str) -> None:
    pages = Pages(authority_name="Contoso")
    html = text(pages.signed_out(here=True, at_authority=at_authority, sign_in="/login"))
    assert said in html
    assert unsaid not in html
    assert "Your sign-in here has ended" in html
    assert "Your sign-in here has ended" not in text(
        pages.signed_out(here=False, at_authority=at_authority, sign_in="/")
    )


def test_the_sign_in_page_has_one_button_and_says_why_one_was_stopped() -> None:
    for interrupted in (None, "loop", "cookies"):
        html = text(Pages().sign_in(sign_in="/api/auth/login?return_to=%2Fa&x=1", interrupted=interrupted))
        assert html.count('class="button') == 1
        assert 'href="/api/auth/login?return_to=%2Fa&amp;x=1"' in html
        assert ("cookies" in html) is (interrupted is not None)


def test_an_application_replaces_a_page_by_name_and_builds_on_ours(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text('{% extends "entrada/base.html" %}{% block footer %}Contoso{% endblock %}')
    (tmp_path / "home.html").write_text(
        '{% extends "base.html" %}{% block content %}<script nonce="{{ csp_nonce }}">1</script>{{ name }}{% endblock %}'
    )
    pages = Pages([tmp_path])
    assert "Contoso" in text(error(pages))
    home = pages.render("home.html", name="<Ada>")
    nonce = re.search(r'<script nonce="([^"]+)">', text(home))
    assert nonce
    assert f"script-src 'self' 'nonce-{nonce[1]}'" in home.headers["content-security-policy"]
    assert "&lt;Ada&gt;" in text(home)


def test_a_missing_name_or_template_is_an_error_and_never_a_blank(tmp_path: Path) -> None:
    (tmp_path / "home.html").write_text("{{ nmae }}")
    with pytest.raises(UndefinedError):
        Pages([tmp_path]).render("home.html", name="Ada")
    with pytest.raises(TemplateNotFound):
        Pages([tmp_path]).render("../home.html")


def test_an_environment_of_the_application_can_build_on_our_base(tmp_path: Path) -> None:
    """`loader` serves `entrada/base.html` to Starlette's Jinja2Templates or any other environment."""
    environment = Environment(loader=loader([tmp_path]), autoescape=True, undefined=StrictUndefined)
    page = environment.from_string('{% extends "entrada/base.html" %}{% block content %}hello{% endblock %}')
    assert "hello" in page.render(stylesheet="/a.css", icon="/a.svg")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://", "https://a;script-src *", "https://*.a.b", "https://u@a"]
)
def test_a_form_target_that_could_rewrite_the_policy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        ContentPolicy([url])
