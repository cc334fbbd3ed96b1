"""The console: who may see it, what it shows, what its buttons do, and that everybody's words stay words."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey

from entrada import Event, User
from entrada.flows.admin.administration import Actor
from entrada.web.console.routes import BUTTONS, PAGES
from tests.administration.site import ADA, ADMINS, CLEO, CORA, GRETA, MIA, AdminSite, administered, promote
from tests.page import Page, read_page

OPENED = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
SUBMITTED = OPENED | {"sec-fetch-site": "same-origin"}
EVIL = "<script>document.title='ran'</script>\"><img src=x onerror=alert(1)> {{ 7*7 }}"


@pytest.fixture(scope="module")
async def site(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with its console, and administrators of two organisations."""
    async with administered(entra_keys, tmp_path_factory.mktemp("console"), console=True) as found:
        await promote(found, *ADMINS)
        for name in (MIA, CLEO):
            await found.of(name)
        yield found


async def opens(client: httpx2.AsyncClient, address: str) -> Page:
    """Open a page as a browser does."""
    return read_page(address, await client.get(address, headers=OPENED))


async def posts(
    client: httpx2.AsyncClient, address: str, fields: dict[str, str], *, of: str | None = None
) -> httpx2.Response:
    """Send a form, `of` this page, as a browser does, which knows no header of ours."""
    referrer = {"referer": str(client.base_url.join(of))} if of else {}
    request = client.build_request("POST", address, data=fields, headers=SUBMITTED | referrer)
    del request.headers["x-csrf"]
    return await client.send(request)


async def presses(client: httpx2.AsyncClient, page: Page, button: str, **fields: str) -> Page:
    """Press a button of a page, and go where that leads."""
    form, _ = page.form_with(button)
    answer = await posts(client, form.action, form.fields | fields, of=page.url)
    if answer.status_code == 303:
        return await opens(client, answer.headers["location"])
    return read_page(form.action, answer)


async def colleague(site: AdminSite, name: str = "Somebody", tenant_id: str = seeds.BIRCH.id) -> str:
    """Return the page of a person whom no other test knows."""
    number = str(uuid4())
    issuer = f"https://login.microsoftonline.com/{tenant_id}/v2.0"
    user = User(issuer, number, name=name, username=f"{number}@birch.example", tenant_id=tenant_id, object_id=number)
    found = await site.house.people.directory.signed_in(user, site.house.clock())
    return f"/admin/users/{found.id}"


async def page_of(site: AdminSite, name: str) -> str:
    return f"/admin/users/{(await site.person(name)).id}"


def address(path: str, person: object) -> str:
    return "/admin" + path.replace("{id}", str(person)).replace("{handle}", "none")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_administrators(site: AdminSite, path: str) -> None:
    """SEC-139: strangers are sent to sign in and back; without the rights 403; without the factor to prove it."""
    where = address(path, (await site.person(MIA)).id)
    sent = await (await site.site.stranger()).get(where, headers=OPENED)
    assert (sent.status_code, sent.headers["location"].partition("?")[0]) == (302, "/api/auth/login")
    assert (await (await site.of(MIA)).get(where, headers=OPENED)).status_code == 403
    proves = await (await site.of(GRETA)).get(where, headers=OPENED)
    assert (proves.status_code, proves.headers["location"].partition("?")[0]) == (302, "/api/auth/step-up")
    assert (await (await site.of(ADA)).get(where, headers=OPENED)).status_code == 200


@pytest.mark.parametrize("path", BUTTONS)
async def test_a_button_is_for_administrators(site: AdminSite, path: str) -> None:
    """SEC-139, SEC-088: a form is refused to all others, and to whoever has no token of this session."""
    where = address(path, (await site.person(MIA)).id)
    mia, ada = await site.of(MIA), await site.of(ADA)
    token = (await opens(mia, "/account")).forms[0].fields["csrf_token"]
    assert (await posts(mia, where, {"csrf_token": token, "role": "Editor"})).status_code == 403
    assert (await posts(ada, where, {"role": "Editor"})).status_code == 403
    assert (await ada.put(where, headers=OPENED)).status_code == 405


async def test_an_administrator_of_one_organisation_sees_nobody_of_another(site: AdminSite) -> None:
    """SEC-126, SEC-135: whoever is not theirs is not there, in lists, by address, in the log, in figures."""
    cora = await site.of(CORA)
    listed = await opens(cora, "/admin/users?order=name")
    assert "Cleo Cedar" in listed.text or "Cora Chief" in listed.text
    assert "Mia Member" not in listed.text
    assert (await opens(cora, await page_of(site, MIA))).status == 404
    assert "Mia Member" not in (await opens(cora, "/admin/audit")).text
    assert (await opens(cora, "/admin/system")).status == 403
    overview = await opens(cora, "/admin")
    assert "Mia Member" not in overview.html
    assert "Active sessions" not in overview.text  # counted for all organisations together


async def test_what_people_call_themselves_is_text(site: AdminSite) -> None:
    """SEC-143: a name full of markup is shown as it is, on every page that shows it."""
    ada, where = await site.of(ADA), await colleague(site, EVIL)
    for shown in (where, f"{where}/delete", "/admin/users?q=document.title", "/admin/audit", "/admin"):
        page = await opens(ada, shown)
        assert page.status == 200
        assert "<script>document" not in page.html
        assert "<img src=x" not in page.html
    assert EVIL.replace("<", "&lt;").split(">")[0] in (await opens(ada, where)).html
    searched = await opens(ada, f"/admin/users?q={EVIL}")
    assert "<script>document" not in searched.html


async def test_people_are_searched_narrowed_down_and_paged(site: AdminSite) -> None:
    """A search finds by name; nobody fitting is said; pages go on behind the last one, whoever goes meanwhile."""
    ada = await site.of(ADA)
    where = [await colleague(site, f"Paged {number:02}") for number in range(30)]
    first = await opens(ada, "/admin/users?q=Paged&order=name")
    await site.house.administration.delete(UUID(where[24].rpartition("/")[2]), by=Actor(label="Root"))
    second = await opens(ada, first.link("Next page"))
    names = [label for page in (first, second) for label in page.links if label.startswith("Paged")]
    assert names == [f"Paged {number:02}" for number in range(30)]
    assert ("30 people" in first.text, "29 people" in second.text) == (True, True)
    assert "Nobody fits" in (await opens(ada, "/admin/users?q=no+such+person")).text
    assert (await opens(ada, "/admin/users?after=no-id")).status == 400
    assert (await opens(ada, f"/admin/users?after={uuid4()}")).status == 400


async def test_a_role_is_granted_and_taken_back(site: AdminSite) -> None:
    """It works on the next request of a session that is open already, and so does its end (SEC-134)."""
    ada, mia, where = await site.of(ADA), await site.of(MIA), await page_of(site, MIA)
    assert (await mia.get("/edit")).status_code == 403
    granted = await presses(ada, await opens(ada, where), "Grant", role="Editor")
    assert "The role is granted" in granted.text
    assert (await mia.get("/edit")).status_code == 200
    assert "Mia Member" in (await opens(ada, "/admin/audit?action=role_granted")).links
    revoked = await presses(ada, granted, "Take back")
    assert "The role is taken back" in revoked.text
    assert (await mia.get("/edit")).status_code == 403


async def test_sessions_are_ended_and_people_deactivated(site: AdminSite) -> None:
    """One session, all of them, the whole account: each is over at the next request (SEC-075, SEC-076)."""
    ada, where = await site.of(ADA), await page_of(site, MIA)
    one, other = await site.anew(MIA), await site.anew(MIA)
    page = await presses(ada, await opens(ada, where), "End")
    assert "The session has ended" in page.text
    assert "Ended" in (await opens(ada, where)).text or "Session ended" in (await opens(ada, where)).text
    page = await presses(ada, page, "End all")
    assert "Signed in nowhere" in page.text
    assert [(await each.get("/private")).status_code for each in (one, other)] == [401, 401]
    third = await site.anew(MIA)
    page = await presses(ada, page, "Deactivate")
    assert "Nobody signs in with this account" in page.text
    assert (await third.get("/private")).status_code == 401
    assert "Inactive" in page.text
    await presses(ada, page, "Reactivate")
    site.clients.pop(MIA)
    assert (await (await site.of(MIA)).get("/private")).status_code == 200


async def test_somebody_is_deleted_after_a_second_thought(site: AdminSite) -> None:
    """A page says what happens; then they are gone, and the log keeps their name (SEC-140)."""
    ada, where = await site.of(ADA), await colleague(site, "Dora Deleted")
    asked = await opens(ada, (await opens(ada, where)).link("Delete this person"))
    assert "This cannot be taken back" in asked.text
    assert (await opens(ada, where)).status == 200
    gone = await presses(ada, asked, "Delete Dora Deleted")
    assert "Deleted" in gone.text
    assert (await opens(ada, where)).status == 404
    row = (await site.rows(actions=("user_deleted",)))[0]
    assert "Dora Deleted" in json.dumps(dict(row.details))


async def test_what_was_changed_meanwhile_is_not_written_over(site: AdminSite) -> None:
    """A form of a page that is older than another's change is refused, and changes nothing."""
    ada, where = await site.of(ADA), await colleague(site)
    older = await opens(ada, where)
    await presses(ada, older, "Save", name="Newer Name")
    for page in (older, replace(older, url=f"{where}?done=saved")):
        refused = await presses(ada, page, "Save", name="Older Name")
        assert refused.status == 412
        assert refused.link("Load the page again") == where, "and not what was done before"
    assert "Newer Name" in (await opens(ada, where)).text


async def test_whoever_is_signed_out_meanwhile_is_told_nothing_was_done(site: AdminSite) -> None:
    """REL-065: the way leads back to the page by a sign-in, and the page does not repeat what was done before."""
    where = await colleague(site)
    page = await opens(await site.of(ADA), where)
    nobody = await site.site.stranger()
    refused = await presses(nobody, replace(page, url=f"{where}?done=saved"), "Save", name="Too Late")
    assert refused.status == 401
    assert refused.link("Sign in").endswith(urlencode({"return_to": where}))


async def test_nobody_changes_their_own_rights(site: AdminSite) -> None:
    """The buttons are not there, and the addresses behind them refuse (SEC-137, SEC-141)."""
    ada, where = await site.of(ADA), await page_of(site, ADA)
    page = await opens(ada, where)
    assert not [name for name in ("Grant", "Deactivate", "End all") if page.has_button(name)]
    token = page.forms[0].fields["csrf_token"]
    for path in ("deactivate", "demote", "delete", "grant"):
        answer = await posts(ada, f"{where}/{path}", {"csrf_token": token, "role": "Editor"})
        assert answer.status_code == 409, path


async def test_the_data_of_a_person_are_exported(site: AdminSite) -> None:
    """A file with all that is kept of them; that it was asked for is in the log (SEC-150)."""
    ada, where = await site.of(ADA), await page_of(site, MIA)
    form, _ = (await opens(ada, where)).form_with("Export their data")
    answer = await posts(ada, form.action, form.fields)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.json()["person"]["username"] == MIA
    assert (await site.rows(actions=("user_exported",)))[0].resource == f"user:{where.rpartition('/')[2]}"


async def test_the_log_is_filtered_paged_followed_and_exported(site: AdminSite) -> None:
    """By what, by whom, by day; what is new comes as rows of the same page; links lead to the API's export."""
    ada, mia = await site.of(ADA), await site.person(MIA)
    user = (await site.house.people.directory.known(mia.user)) or mia
    now = site.house.clock()
    for number in range(60):
        event = Event("access_denied", at=now + timedelta(microseconds=number), user_key=user.user.key, reason="paged")
        await site.house.events.tell(event)
    first = await opens(ada, "/admin/audit?action=access_denied&q=paged")
    second = await opens(ada, first.link("Next page"))
    assert (first.html.count("<tr>") - 1, second.html.count("<tr>") - 1) == (50, 10)
    assert "Access denied" in first.text
    seen = first.html.partition('data-seen="')[2].partition('"')[0]
    assert (await ada.get(f"/admin/audit/new?seen={seen}&q=paged", headers=OPENED)).text.strip() == ""
    await site.house.events.tell(
        Event("sign_out", at=now + timedelta(seconds=1), user_key=user.user.key, reason="paged")
    )
    fresh = await ada.get(f"/admin/audit/new?seen={seen}&q=paged", headers=OPENED)
    assert fresh.text.count("<tr>") == 1
    assert int(fresh.headers["x-newest"]) > int(seen)
    exported = await ada.get(first.link("CSV"), headers=OPENED)
    assert exported.content.startswith(b'\xef\xbb\xbf"id"'), "or a spreadsheet takes it for another encoding"
    assert len(list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))) == 60
    assert "x-left-out" not in fresh.headers
    for number in range(201):
        await site.house.events.tell(Event("alert", at=now + timedelta(seconds=2, microseconds=number), reason="fast"))
    many = await ada.get(f"/admin/audit/new?seen={fresh.headers['x-newest']}&q=fast", headers=OPENED)
    assert (many.text.count("<tr>"), many.headers["x-left-out"]) == (200, "1")
    assert (await opens(ada, "/admin/audit?since=yesterday")).status == 400
    assert (await opens(ada, "/admin/audit?after=nowhere")).status == 400
    assert "Nothing fits" in (await opens(ada, "/admin/audit?q=nothing+like+this")).text


async def test_everybody_sees_their_own_account_and_nobody_elses(site: AdminSite) -> None:
    """Who I am, where I am signed in, my last sign-ins; a way to the console for those who administer."""
    site.entra.move_clock(timedelta(minutes=1))
    mia = await site.anew(MIA)
    page = await opens(mia, "/account")
    assert "Mia Member" in page.text
    assert "This browser" in page.text
    assert "Signed in" in page.text
    assert "Administration" not in page.links
    assert "Administration" in (await opens(await site.of(ADA), "/account")).links
    sent = await (await site.site.stranger()).get("/account", headers=OPENED)
    assert sent.headers["location"].startswith("/api/auth/login?return_to=%2Faccount")


async def test_the_overview_counts_and_draws(site: AdminSite) -> None:
    """Each chart is a drawing and a table that says the same; each period is there."""
    ada = await site.of(ADA)
    for period in ("", "?period=day", "?period=quarter"):
        page = await opens(ada, f"/admin{period}")
        assert page.status == 200
        assert page.html.count("<svg") >= 6
        assert page.html.count("as a table</summary>") == 6
        assert len(re.findall(r'<div class="spans" aria-hidden="true"><span>[^<]+ UTC</span>', page.html)) == 6
    assert "Active sessions" in page.text
    assert "people" in page.text


async def test_the_system_page_shows_no_secret(site: AdminSite) -> None:
    """What the application runs with, and whether it answers; never what proves who it is."""
    page = await opens(await site.of(ADA), "/admin/system")
    assert "Everything answers" in page.text
    secret = site.house.settings.client_secret
    assert secret is not None
    assert secret.get_secret_value() not in page.html


async def test_other_sites_cannot_frame_or_embed_it(site: AdminSite) -> None:
    """SEC-096, SEC-161: nothing but our own files, no frame, no embedding."""
    ada = await site.of(ADA)
    embedded = await ada.get("/admin", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})
    assert embedded.status_code == 403
    page = await ada.get("/admin/audit", headers=OPENED)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert "connect-src" not in (await ada.get("/admin", headers=OPENED)).headers["content-security-policy"]


async def test_a_tenant_is_suspended_and_approved(site: AdminSite) -> None:
    """By the operator's administrators: its people are out at their next request, then come in again (SEC-075)."""
    ada, cora, cleo = await site.of(ADA), await site.of(CORA), await site.of(CLEO)
    page = await opens(ada, "/admin/tenants")
    assert seeds.CEDAR.id in page.text
    assert (await opens(cora, "/admin/tenants")).status == 403
    token = (await opens(cora, "/account")).forms[0].fields["csrf_token"]
    path = f"/admin/tenants/{seeds.BIRCH.id}/suspend"
    assert (await posts(cora, path, {"csrf_token": token})).status_code == 403
    (form,) = [form for form in page.forms if form.action == f"/admin/tenants/{seeds.CEDAR.id}/suspend"]
    assert (await posts(ada, form.action, form.fields)).headers["location"] == "/admin/tenants?done=suspended"
    assert [(await each.get("/private")).status_code for each in (cleo, cora)] == [401, 401]
    (row,) = await site.rows(actions=("tenant_suspended",))
    assert (row.resource, row.label, row.stream) == (
        f"tenant:{seeds.CEDAR.id}",
        "Ada Admin (ada@birch.example)",
        "administration",
    )
    assert (await posts(ada, path, form.fields)).status_code == 409
    approved = await presses(ada, await opens(ada, "/admin/tenants"), "Approve")
    assert "Approved." in approved.text
    site.clients.pop(CLEO)
    site.clients.pop(CORA)
    assert (await (await site.of(CLEO)).get("/private")).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/admin?period=century",
        "/admin/users?q=%00%0a%1b[31m",
        "/admin/users?q=" + "%F0%9F%92%A9" * 300,
        "/admin/users?q=%25%5f%27%22%3b--",
        "/admin/users?order=secret&standing=nobody",
        "/admin/audit?until=9999-12-31",
        "/admin/audit?since=0001-01-01&q=%00",
        "/admin/audit?action=no_such_event&outcome=perhaps",
        "/admin/audit?after=zz-zz",
        "/admin/audit?after=" + "f" * 180 + "-1",
        "/admin/audit?after=1-" + "f" * 40,
        "/admin/audit?user=not-an-id",
        "/admin/audit/new?seen=-99999999999999999999999999",
        "/admin/audit/new?seen=x",
        "/admin/users/..%2f..%2fetc",
        "/admin/users/00000000-0000-0000-0000-000000000000",
    ],
)
async def test_no_address_makes_it_stumble(site: AdminSite, address: str) -> None:
    """SEC-142: what nobody would type is cleaned, refused with a reason, or not there; never an error of ours."""
    page = await opens(await site.of(ADA), address)
    assert page.status in {200, 400, 404}


async def test_an_old_proof_gives_no_rights(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """SEC-140: what gives rights or cannot be undone waits for a fresh proof; the form goes on hold meanwhile."""
    async with administered(entra_keys, tmp_path, console=True, admin_proof_minutes=1) as site:
        await promote(site, ADA)
        await site.of(MIA)
        ada, where = await site.of(ADA), await page_of(site, MIA)
        site.entra.move_clock(timedelta(minutes=3))
        page = await opens(ada, where)
        refused = await presses(ada, page, "Grant", role="Editor")
        assert refused.status == 401
        assert any(href.startswith("/api/auth/step-up?") for href in refused.links.values())
        assert "Editor" not in (await opens(ada, where)).text
        assert (await presses(ada, page, "Save", department="Gardens")).status == 200
        assert "Gardens" in (await opens(ada, where)).text
        asked = await opens(ada, (await opens(ada, where)).link("Delete this person"))
        assert (await presses(ada, asked, "Delete Mia Member")).status == 401
        assert (await opens(ada, where)).status == 200


async def test_whoever_has_no_name(site: AdminSite) -> None:
    """They are called by their user name or mail, once, and every page of theirs has a heading."""
    ada = await site.of(ADA)
    for username, email, called in (("u@birch.example", None, "u@birch.example"), ("", "m@b.example", "m@b.example")):
        user = User("https://id.example", str(uuid4()), name=" ", username=username, email=email)
        found = await site.house.people.directory.signed_in(user, site.house.clock())
        page = await opens(ada, f"/admin/users/{found.id}")
        assert page.title.startswith(f"{called} –")
        assert (await opens(ada, f"/admin/users/{found.id}/delete")).title.startswith(f"Delete {called}?")
        listed = await opens(ada, f"/admin/users?q={called}")
        assert listed.text.count(called) == 1
        assert "1 person" in listed.text


async def test_signed_in_in_very_many_places(site: AdminSite) -> None:
    """The page shows ten of the sessions, and the others to whoever unfolds them: what comes after is not far."""
    mia, ada = await site.person(MIA), await site.of(ADA)
    for _ in range(12):
        await site.house.sessions.begin(mia.user, tokens=b"")
    page = await opens(ada, f"/admin/users/{mia.id}")
    shown = len(await site.house.sessions.by_user(mia.user))
    assert f"{shown - 10} more" in page.text
    assert page.text.count("Signed in ") >= shown
