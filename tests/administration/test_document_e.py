"""Document E's administration, row by row: what its tables promise, on SQLite and PostgreSQL (ADM-1, ADM-2)."""

from uuid import uuid4

import pytest

from tests.administration.site import ADA, ADMIN, CLEO, GRETA, MIA, AdminSite

LISTED = {
    "id", "email", "display_name", "is_active", "is_admin", "created_at", "last_login", "department", "job_title",
}  # fmt: skip
WHOLE = LISTED | {"azure_oid", "first_name", "last_name", "updated_at"}
LOGGED = {
    "id", "user_id", "action", "resource_type", "resource_id", "details", "ip_address", "user_agent", "created_at",
    "user_email", "display_name",
}  # fmt: skip


async def test_users_are_listed_newest_first(site: AdminSite) -> None:
    """GET /users: everybody with their fields, the newest first, `total` beside (ADM-1)."""
    ada = await site.of(ADA)
    await site.of(MIA)
    answer = await ada.get(f"{ADMIN}/users")
    people = answer.json()["users"]
    assert answer.status_code == 200
    assert all(each.keys() >= LISTED for each in people)
    assert [each["created_at"] for each in people] == sorted((each["created_at"] for each in people), reverse=True)
    assert answer.json()["total"] == len(people)
    assert {ADA, MIA, GRETA} <= {each["username"] for each in people}


async def test_one_user(site: AdminSite) -> None:
    """GET /users/{id}: all of one person with an ETag; 404 for an id that nobody has, and for what is none."""
    ada = await site.of(ADA)
    answer = await ada.get(await site.path(ADA))
    found = answer.json()
    assert answer.status_code == 200
    assert found.keys() >= WHOLE
    assert (found["username"], found["is_active"], found["is_admin"]) == (ADA, True, True)
    assert answer.headers["etag"] == f'"{found["version"]}"'
    for nobody in (uuid4(), "1", "x%2Fy"):
        refused = await ada.get(f"{ADMIN}/users/{nobody}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


async def test_a_user_is_changed(site: AdminSite) -> None:
    """PUT /users/{id}: the five fields, and only those; what is not said stays (ADM-1, SEC-137)."""
    ada, path = await site.of(ADA), await site.path(MIA)
    given = {"department": "Engineering", "job_title": "Senior Developer", "display_name": "Mia A. Member"}
    answer = await ada.put(path, json=given)
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert given.items() <= (await ada.get(path)).json().items()
    assert (await ada.put(path, json={"department": ""})).json()["user"]["department"] is None
    for unknown in ("email", "azure_oid", "id", "created_at", "tenant_id", "roles", "version"):
        refused = await ada.put(path, json={unknown: "x", "job_title": "Changed"})
        assert refused.status_code == 400
    assert (await ada.get(path)).json()["job_title"] == "Senior Developer"


async def test_nothing_to_update(site: AdminSite) -> None:
    """PUT without a field is 400, for nobody 404; the answer says why."""
    ada, path = await site.of(ADA), await site.path(MIA)
    for empty in ({}, {"department": None}):
        refused = await ada.put(path, json=empty)
        assert (refused.status_code, refused.json()["detail"]) == (400, "No fields to update.")
    assert (await ada.put(f"{ADMIN}/users/{uuid4()}", json={"department": "x"})).status_code == 404


async def test_a_user_is_deleted(site: AdminSite) -> None:
    """DELETE /users/{id}: gone, their sessions too; what they did stays with a null user and a readable label."""
    ada, cleo, path = await site.of(ADA), await site.anew(CLEO), await site.path(CLEO)
    answer = await ada.delete(path)
    assert answer.status_code == 200
    assert answer.json()["message"]
    assert (await ada.get(path)).status_code == 404
    assert (await ada.delete(path)).status_code == 404
    assert (await cleo.get("/private")).status_code == 401
    logs = (await ada.get(f"{ADMIN}/audit-logs", params={"q": CLEO, "action": "sign_in"})).json()["logs"]
    assert logs
    assert {(row["user_id"], row["display_name"]) for row in logs} == {(None, f"Cleo Cedar ({CLEO})")}


async def test_audit_logs_are_paged(site: AdminSite) -> None:
    """GET /audit-logs: newest first, by limit and offset with the total, or by cursor; each row once (ADM-2)."""
    ada = await site.of(ADA)
    whole = (await ada.get(f"{ADMIN}/audit-logs")).json()
    assert whole.keys() >= {"logs", "total", "limit", "offset"}
    assert (whole["limit"], whole["offset"], whole["total"]) == (100, 0, len(whole["logs"]))
    assert all(row.keys() >= LOGGED for row in whole["logs"])
    ids = [row["id"] for row in whole["logs"]]
    second = (await ada.get(f"{ADMIN}/audit-logs", params={"limit": 2, "offset": 2})).json()
    assert [row["id"] for row in second["logs"]] == ids[2:4]
    walked, after = [], ""
    while after is not None:
        page = (await ada.get(f"{ADMIN}/audit-logs", params={"limit": 3, "after": after})).json()
        walked, after = walked + [row["id"] for row in page["logs"]], page["next"]
    assert walked == ids


async def test_audit_logs_of_one_user(site: AdminSite) -> None:
    """GET /users/{id}/audit-logs: what they did and what was done to them, with address and name, nobody else's."""
    ada, path = await site.of(ADA), await site.path(MIA)
    await ada.put(path, json={"department": "Sales"})
    mia = await site.person(MIA)
    logs = (await ada.get(f"{path}/audit-logs")).json()["logs"]
    assert {(row["display_name"], row["ip_address"]) for row in logs} >= {(mia.name, "127.0.0.1")}
    assert all(row["user_id"] == str(mia.id) or row["resource_id"] == str(mia.id) for row in logs)
    assert (logs[0]["action"], logs[0]["resource_type"]) == ("user_changed", "user")
    assert logs[0]["details"]["changed"]["department"][1] == "Sales"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=10001", "after=x", "unknown=1", "limit=1&limit=2",
              "action=nothing", "since=yesterday", "user=1", "outcome=good", "q=%00", f"q={'x' * 201}"],
)  # fmt: skip
async def test_a_query_out_of_bounds_is_refused(site: AdminSite, query: str) -> None:
    """SEC-142: what a list does not take is 400 and says what it takes; nothing of it is repeated."""
    refused = await (await site.of(ADA)).get(f"{ADMIN}/audit-logs?{query}")
    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid_input"
