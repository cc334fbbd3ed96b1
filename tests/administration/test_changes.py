"""What an administrator changes is so at once, is written down, and never leaves nobody to change it back."""

from uuid import uuid4

import anyio
import httpx2
import pytest

from entrada.errors import LastAdmin
from entrada.flows.admin.administration import Actor, Edit
from entrada.users.changes import LONGEST
from entrada.users.people import Wanted
from entrada.users.person import Person
from tests.administration.site import ADA, ADMIN, CORA, GRETA, MIA, OLGA, ROOT, AdminSite


async def codes(*answers: httpx2.Response) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_who_is_deactivated_is_out_at_once(site: AdminSite) -> None:
    """USR-3, SEC-075: their next request is nobody's, a sign-in is refused; reactivated, they come in again."""
    ada, mia, path = await site.of(ADA), await site.anew(MIA), await site.path(MIA)
    assert (await mia.get("/private")).status_code == 200
    answer = await ada.post(f"{path}/deactivate")
    assert (answer.status_code, answer.json()["user"]["is_active"]) == (200, False)
    assert (await mia.get("/private")).status_code == 401
    again = await site.site.stranger()
    refused = await site.entra.sign_in(again, "http://localhost/api/auth/login", MIA)
    assert refused.status_code == 403
    assert (await ada.post(f"{path}/reactivate")).json()["user"]["is_active"] is True
    assert (await (await site.anew(MIA)).get("/private")).status_code == 200
    told = [row.action for row in await site.rows(about=(await site.person(MIA)).id) if row.action != "new_device"]
    assert told[:3] == ["sign_in", "user_reactivated", "user_deactivated"]


async def test_a_granted_role_works_on_the_next_request(site: AdminSite) -> None:
    """SEC-134: who was refused is let in by the next click, and refused again after the role is taken back."""
    ada, mia, path = await site.of(ADA), await site.anew(MIA), await site.path(MIA, "roles")
    assert (await mia.get("/edit")).status_code == 403
    assert (await ada.put(f"{path}/Editor")).json() == {"roles": ["Editor"]}
    assert (await mia.get("/edit")).status_code == 200
    assert (await ada.get(path)).json() == {"roles": ["Editor"]}
    assert (await ada.delete(f"{path}/Editor")).json() == {"roles": []}
    assert (await mia.get("/edit")).status_code == 403
    assert (await ada.delete(f"{path}/Editor")).status_code == 404
    told = [(row.action, row.details) for row in await site.rows(about=(await site.person(MIA)).id) if row.details]
    assert ("role_granted", {"before": [], "role": "Editor"}) in told
    assert ("role_revoked", {"before": ["Editor"], "role": "Editor"}) in told


async def test_the_administrators_role_is_no_role_to_grant(site: AdminSite) -> None:
    """SEC-137: it comes by is_admin, which asks for more; names that no role has are refused too."""
    ada, path = await site.of(ADA), await site.path(MIA, "roles")
    for name in ("entrada:admin", "x" * 200, "a%01b"):
        refused = await ada.put(f"{path}/{name}")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")


async def test_sessions_are_listed_and_ended(site: AdminSite) -> None:
    """SEC-076: by handles, never ids; one or all, and that browser's next click is nobody's."""
    ada, path = await site.of(ADA), await site.path(MIA, "sessions")
    first, second = await site.anew(MIA), await site.anew(MIA)
    listed = (await ada.get(path)).json()["sessions"]
    newest = listed[0]["handle"]
    assert newest not in str(second.cookies)
    assert (await ada.delete(f"{path}/{newest}")).json() == {"ended": 1}
    assert await codes(await first.get("/private"), await second.get("/private")) == [200, 401]
    assert (await ada.delete(f"{path}/{newest}")).status_code == 404
    assert (await ada.delete(f"{path}/%C3%A9")).status_code == 404
    assert (await ada.delete(path)).json() == {"ended": len(listed) - 1}
    assert (await first.get("/private")).status_code == 401
    ends = [row.details for row in await site.rows(about=(await site.person(MIA)).id, actions=("session_ended",))]
    assert ends[:2] == [{"sessions": len(listed) - 1}, {"handle": newest}]


async def test_a_change_is_made_for_one_version(site: AdminSite) -> None:
    """If-Match of another version is 412 and changes nothing; the present one, or any, is taken."""
    ada, path = await site.of(ADA), await site.path(OLGA) if OLGA in site.clients else await site.path(MIA)
    seen = (await ada.get(path)).headers["etag"]
    taken = await ada.put(path, json={"department": str(uuid4())}, headers={"if-match": seen})
    assert (taken.status_code, taken.headers["etag"] == seen) == (200, False)
    for outdated in (seen, 'W/"1"', "nonsense"):
        refused = await ada.put(path, json={"department": "Late"}, headers={"if-match": outdated})
        assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    assert (await ada.delete(path, headers={"if-match": seen})).status_code == 412
    assert (await ada.get(path)).json()["department"] != "Late"
    assert (await ada.put(path, json={"department": "Any"}, headers={"if-match": "*"})).status_code == 200


async def test_of_two_who_write_one_loses(site: AdminSite) -> None:
    """Two changes of one version at the same moment: one is made, the other is told that it came second."""
    ada, path = await site.of(ADA), await site.path(MIA)
    seen = (await ada.get(path)).headers["etag"]
    found: list[int] = []

    async def write(name: str) -> None:
        found.append((await ada.put(path, json={"job_title": name}, headers={"if-match": seen})).status_code)

    async with anyio.create_task_group() as writing:
        for number in range(5):
            writing.start_soon(write, f"Title {number}")
    assert sorted(found) == [200, 412, 412, 412, 412]


async def test_nobody_changes_their_own_rights(site: AdminSite) -> None:
    """SEC-137: not their own roles, status or account, by whatever address; they are told so."""
    ada, path = await site.of(ADA), await site.path(ADA)
    answers = [
        await ada.put(path, json={"is_admin": False}),
        await ada.put(path, json={"is_active": False}),
        await ada.post(f"{path}/deactivate"),
        await ada.delete(path),
        await ada.post(f"{path}/erase"),
        await ada.put(f"{path}/roles/Editor"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "own_account")}
    assert (await ada.put(path, json={"is_admin": True, "job_title": "Head"})).status_code == 200


async def alone(site: AdminSite, *, but: str) -> list[Person]:
    """Take the rights of all administrators but Ada, Olga and one more; return whose."""
    administration = site.house.administration
    await site.of(OLGA)
    await administration.promote((await site.person(OLGA)).id, by=ROOT)
    people = (await administration.people.page(Wanted(is_admin=True))).people
    others = [person for person in people if person.username not in {ADA, OLGA, but}]
    for person in others:
        await administration.demote(person.id, by=ROOT)
    return others


@pytest.mark.parametrize("beside", ["nobody", CORA])
@pytest.mark.parametrize("change", ["is_admin", "is_active"])
async def test_sec_141_two_who_shut_each_other_out(site: AdminSite, change: str, beside: str) -> None:
    """ADM-3: at the same moment, one of them does and stays, also when another organisation has administrators too."""
    administration, others, statuses = site.house.administration, await alone(site, but=beside), dict[str, int]()
    paths = {ADA: await site.path(OLGA), OLGA: await site.path(ADA)}
    clients = {name: await site.of(name) for name in paths}

    async def shut_out(actor: str) -> None:
        statuses[actor] = (await clients[actor].put(paths[actor], json={change: False})).status_code

    async with anyio.create_task_group() as both:
        both.start_soon(shut_out, ADA)
        both.start_soon(shut_out, OLGA)
    assert min(statuses.values()) == 200, statuses
    assert max(statuses.values()) in {401, 403, 409}, statuses
    left = [person for name in (ADA, OLGA) if (person := await site.person(name)).is_admin and person.is_active]
    assert len(left) == 1
    for person in (*others, await site.person(ADA)):
        await administration.promote(person.id, by=ROOT)
    for name in (ADA, OLGA):
        site.clients.pop(name)
    await administration.reactivate((await site.person(OLGA)).id, by=ROOT)
    await administration.demote((await site.person(OLGA)).id, by=ROOT)


async def test_the_last_administrator_stays(site: AdminSite) -> None:
    """SEC-141: whoever administers by the authority's word cannot take the rights of the last one promoted here."""
    administration, person = site.house.administration, await site.person(ADA)
    others = await alone(site, but="nobody")
    await administration.demote((await site.person(OLGA)).id, by=ROOT)
    actor = Actor(label="By role", id=(await site.person(OLGA)).id)
    for edit in (Edit(is_admin=False), Edit(is_active=False)):
        with pytest.raises(LastAdmin):
            await administration.update(person.id, edit, by=actor)
    with pytest.raises(LastAdmin):
        await administration.delete(person.id, by=actor)
    for other in others:
        await administration.promote(other.id, by=ROOT)


async def test_every_change_says_before_and_after(site: AdminSite) -> None:
    """SEC-140, AUD-1: who, from where, under which number, what it was and what it is."""
    ada, path = await site.of(ADA), await site.path(GRETA)
    before = (await ada.get(path)).json()
    await ada.put(path, json={"department": "Legal", "is_admin": False}, headers={"user-agent": "Console"})
    (row, *_) = await site.rows(about=(await site.person(GRETA)).id)
    assert (row.action, row.label, row.user_agent, row.address) == (
        "role_revoked", "Ada Admin (ada@birch.example)", "Console", "127.0.0.1",
    )  # fmt: skip
    assert row.details == {"changed": {"department": [before["department"], "Legal"], "is_admin": [True, False]}}
    assert row.correlation_id
    await ada.put(path, json={"is_admin": True})


async def test_a_persons_data_is_exported_and_erased(site: AdminSite) -> None:
    """SEC-150: one document of all that is kept; erased, nothing in the log names them, and the chain still holds."""
    ada, _, path = await site.of(ADA), await site.anew(MIA), await site.path(MIA)
    answer = await ada.get(f"{path}/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["person"]["username"] == MIA
    assert answer.json()["sessions"]
    assert (await ada.post(f"{path}/erase")).status_code == 200
    assert (await ada.get(path)).status_code == 404
    logs = (await ada.get(f"{ADMIN}/audit-logs", params={"limit": 500})).json()["logs"]
    assert MIA not in str(logs)
    assert "user_erased" in {row["action"] for row in logs}


async def test_what_is_too_long_or_no_text_is_refused(site: AdminSite) -> None:
    """SEC-142: a field of another type, over its length, or of another form is 400 or 415, and changes nothing."""
    ada, path = await site.of(ADA), await site.path(GRETA)
    before = (await site.person(GRETA)).version
    for value in ({"is_admin": "yes"}, {"is_active": 1}, {"department": 5}, {"display_name": " "},
                  {"job_title": "x" * (LONGEST + 1)}, {"job_title": "a\0b"}, {"display_name": ["x"]}):  # fmt: skip
        refused = await ada.put(path, json=value)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input"), value
    for content in (b"", b"[]", b"{", b'{"department":"a","department":"b"}', b"\xff", b'{"department":"\\ud800"}'):
        refused = await ada.put(path, content=content, headers={"content-type": "application/json"})
        assert refused.status_code == 400, content
    assert (await ada.put(path, data={"department": "x"})).status_code == 415
    whole = b'{"department":"' + b"x" * 70_000 + b'"}'
    assert (await ada.put(path, content=whole, headers={"content-type": "application/json"})).status_code == 413
    assert (await site.person(GRETA)).version == before
