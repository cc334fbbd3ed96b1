"""The log as administrators read it: narrowed, searched, as a file, counted; and how the application does."""

import csv
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from entrada_emulator.directory import seeds

from entrada.principal import User
from entrada.users.tallies import Tallies
from tests.administration.site import ADA, ADMIN, CLEO, MIA, AdminSite

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1", " =cmd|' /C calc'!A0", "\t=1", "%0A-1", "|calc",
)  # fmt: skip
NAUGHTY = (
    "<script>alert(1)</script>", "'; DROP TABLE entrada_user; --", "{{7*7}}${7*7}", "\u202eevil", "Zoë 𝕌𝕟𝕚 👩‍💻",
    "%s%n%x", "../../etc/passwd", "a\r\nSet-Cookie: x=y", "NULL", "İıſß", "\x1b[31mred", "\\", '"', "%", "_", "\ufeff",
)  # fmt: skip


async def test_rows_are_found_by_what_is_asked(site: AdminSite) -> None:
    """ADM-2: by action, outcome, person, time, correlation id, address and text; all that is given must hold."""
    ada, mia = await site.of(ADA), await site.of(MIA)
    denied = await mia.get("/edit")
    number, person = denied.json()["correlation_id"], (await site.person(MIA)).id

    async def found(**wanted: str | list[str]) -> list[tuple[str, str]]:
        answer = await ada.get(f"{ADMIN}/audit-logs", params={**wanted, "limit": 500})
        return [(row["action"], row["user_id"]) for row in answer.json()["logs"]]

    assert await found(correlation_id=number) == [("access_denied", str(person))]
    assert set(await found(outcome="denied", user=str(person))) == {("access_denied", str(person))}
    assert {action for action, _ in await found(action=["sign_in", "step_up"])} == {"sign_in"}
    assert await found(q=number) == await found(q=number.upper()) == [("access_denied", str(person))]
    now = site.house.clock()
    assert await found(since=(now + timedelta(minutes=1)).isoformat()) == []
    assert await found(until="2001-01-01") == []
    assert await found(address="192.0.2.77") == []
    assert {action for action, _ in await found(stream="administration")} >= {"role_granted", "configuration_changed"}


@pytest.mark.parametrize("text", FORMULAS, ids=[f"formula{number}" for number in range(len(FORMULAS))])
async def test_sec_142_no_formula_leaves_in_a_file(site: AdminSite, text: str) -> None:
    """A name, a department, a user agent that begin as formulas do stand in the CSV behind an apostrophe."""
    ada, mia, path, number = await site.of(ADA), await site.of(MIA), await site.path(MIA), str(uuid4())
    assert (await ada.put(path, json={"department": text + number, "display_name": text + number})).status_code == 200
    await mia.get("/edit", headers={b"user-agent": text.strip().encode()})
    answer = await ada.get(f"{ADMIN}/audit-logs/export", params={"about": (await site.person(MIA)).id.hex})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert any(number in cell for cell in cells)
    assert [cell for cell in cells if cell.lstrip()[:1] in set("=+-@|%\uff1d\uff0b\uff0d\uff20")] == []


async def test_the_export_has_every_row_and_is_in_the_log_itself(site: AdminSite) -> None:
    """ADM-2, SEC-145: JSON and CSV have the same rows as the pages; that they were asked for is written down."""
    ada = await site.of(ADA)
    as_json = (await ada.get(f"{ADMIN}/audit-logs/export", params={"format": "json"})).json()
    as_csv = list(csv.DictReader(io.StringIO((await ada.get(f"{ADMIN}/audit-logs/export")).text)))
    pages = (await ada.get(f"{ADMIN}/audit-logs", params={"limit": 500})).json()["logs"]
    assert pages[2:] == as_json[1:]
    assert [row["id"] for row in as_csv][2:] == [str(row["id"]) for row in as_json][1:]
    assert [(row["action"], row["details"]["format"]) for row in pages[:2]] == [
        ("audit_exported", "csv"), ("audit_exported", "json"),
    ]  # fmt: skip
    nothing = await ada.get(f"{ADMIN}/audit-logs/export", params={"format": "json", "until": "2001-01-01"})
    assert nothing.json() == []
    assert (await ada.head(f"{ADMIN}/audit-logs/export")).status_code == 405


async def test_naughty_strings_stay_what_they_are(site: AdminSite) -> None:
    """SEC-142: what may be written comes back as it was written, is found by its own text, and breaks nothing."""
    ada, _, path = await site.of(ADA), await site.of(MIA), await site.path(MIA)
    for text in NAUGHTY:
        answer = await ada.put(path, json={"department": text, "job_title": text, "display_name": f"N{text}"})
        assert answer.status_code == 200, text
        assert answer.json()["user"]["department"] == text
        found = (await ada.get(f"{ADMIN}/users", params={"q": f"N{text}"})).json()
        assert [each["display_name"] for each in found["users"]] == [f"N{text}"], text
        for parameter in ("role", "tenant", "sort", "after", "limit"):
            asked = await ada.get(f"{ADMIN}/users", params={parameter: text})
            assert asked.status_code in {200, 400}, (parameter, text)
        for parameter in ("q", "address", "correlation_id", "action", "after", "since", "user"):
            asked = await ada.get(f"{ADMIN}/audit-logs", params={parameter: text})
            assert asked.status_code in {200, 400}, (parameter, text)


async def test_statistics_count_what_the_log_says(site: AdminSite) -> None:
    """By the day and by the hour: sign-ins, people, failures, denials; spans without any are there with noughts."""
    ada, mia = await site.of(ADA), await site.anew(MIA)
    await mia.get("/edit")
    days = (await ada.get(f"{ADMIN}/statistics")).json()
    assert (len(days["spans"]), days["per"]) == (30, "day")
    today = days["spans"][-1]
    logs = (await ada.get(f"{ADMIN}/audit-logs", params={"limit": 500, "since": today["at"]})).json()["logs"]
    for action in ("sign_in", "access_denied", "sign_in_failed"):
        assert today[action] == sum(row["action"] == action for row in logs)
    assert today["people"] == len({row["user_id"] or row["display_name"] for row in logs if row["action"] == "sign_in"})
    assert all(span["sign_in"] == 0 for span in days["spans"][:-1])
    hours = (await ada.get(f"{ADMIN}/statistics", params={"per": "hour", "since": today["at"]})).json()["spans"]
    assert sum(span["sign_in"] for span in hours) == today["sign_in"]
    assert "tally" in site.house.chores.names

    async def counted() -> list[tuple[int, int]]:
        spans = [(await ada.get(f"{ADMIN}/statistics", params={"per": per})).json()["spans"] for per in ("day", "hour")]
        return [
            (sum(each["renewals"] for each in some), sum(each["active_sessions"] for each in some)) for some in spans
        ]

    before, now = await counted(), site.house.clock()
    await Tallies(site.house.database).add({"renewals": 4, "sessions_of_hour": 3, "sessions_of_day": 2}, at=now)
    (by_day, by_hour), (day, hour) = await counted(), before
    assert (by_day[0] - day[0] >= 4, by_day[1] - day[1] >= 2) == (True, True)  # the worker adds its own
    assert (by_hour[0] - hour[0] >= 4, by_hour[1] - hour[1] >= 3) == (True, True)
    for query in ("per=minute", "since=2001-01-01", "since=2999-01-01", "per=hour&since=2026-01-01"):
        assert (await ada.get(f"{ADMIN}/statistics?{query}")).status_code == 400, query


async def test_health_says_what_answers(site: AdminSite) -> None:
    """ADM-4: store, users' database and authority answer, nothing waits, nothing was lost."""
    found = (await (await site.of(ADA)).get(f"{ADMIN}/health")).json()
    assert found["parts"] == {"store": "ok", "users": "ok", "authority": "ok"}
    assert (found["status"], found["failing"], found["audit"]) == ("ok", [], {"waiting": 0, "lost": 0})


async def test_people_are_sorted_searched_and_paged(site: AdminSite) -> None:
    """ADM-1: in each order each person comes once, by cursor as by offset; a search narrows list and total."""
    ada = await site.of(ADA)
    for number in range(7):
        key = str(uuid4())
        person = User(f"https://login.microsoftonline.com/{seeds.BIRCH.id}/v2.0", key, seeds.BIRCH.id, key,
                      name=f"Paged {number % 3}", username=f"paged{number}@birch.example")  # fmt: skip
        await site.house.people.directory.signed_in(person, site.house.clock())
    for order in ("newest", "oldest", "name", "last_seen"):
        whole = (await ada.get(f"{ADMIN}/users", params={"sort": order, "q": "paged", "limit": 200})).json()
        ids = [each["id"] for each in whole["users"]]
        assert (len(ids), whole["total"], whole["next"]) == (7, 7, None)
        walked: list[str] = []
        after = ""
        while after is not None:
            asked = {"sort": order, "q": "paged", "limit": 2, "after": after}
            page = (await ada.get(f"{ADMIN}/users", params=asked)).json()
            walked, after = walked + [each["id"] for each in page["users"]], page["next"]
        assert walked == ids
        second = (await ada.get(f"{ADMIN}/users", params={"sort": order, "q": "paged", "limit": 2, "offset": 2})).json()
        assert [each["id"] for each in second["users"]] == ids[2:4]
    admins = (await ada.get(f"{ADMIN}/users", params={"admin": "true", "active": "true"})).json()["users"]
    assert all(each["is_admin"] and each["is_active"] for each in admins)


async def test_no_secret_is_in_any_answer(site: AdminSite) -> None:
    """SEC-146: neither the session's id nor a token is in a list, an export or the log."""
    ada, cleo = await site.of(ADA), await site.anew(CLEO)
    secret = next(value for name, value in cleo.cookies.items() if name.endswith("entrada"))
    path = await site.path(CLEO)
    for address in (path, f"{path}/sessions", f"{path}/export", f"{path}/audit-logs", f"{ADMIN}/audit-logs/export"):
        answer = await ada.get(address)
        assert answer.status_code == 200
        assert secret not in answer.text
        assert "eyJ" not in answer.text
    assert json.loads((await ada.get(f"{path}/sessions")).text)["sessions"][0].keys() >= {"handle", "device", "address"}
