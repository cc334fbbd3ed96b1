"""What administrators do with people, in each database (USR-1, USR-3, ADM-1, SEC-138, SEC-140, SEC-141, SEC-150)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from entrada.audit.chain import ChainKeys
from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import verify
from entrada.errors import ChangedMeanwhile, EntradaError, LastAdmin, NotFound, RequestRefused, SignInRefused
from entrada.events import Event, Events
from entrada.flows.admin.administration import Actor, Administration, Edit
from entrada.keyring import KeyRing, generate
from entrada.principal import ADMIN_ROLE
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.users.database import Database
from entrada.users.devices import Devices
from entrada.users.directory import Directory
from entrada.users.people import People, Wanted
from entrada.users.place import Order
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA
from tests.moved_clock import MovedClock

BOB = replace(
    ADA,
    object_id="44444444-4444-4444-8444-444444444444",
    name="Bob",
    email="Bob@Contoso.com",
    roles=frozenset({"Reader"}),
)
ROOT = Actor(label="Root", user_key="root:key", address="192.0.2.1", correlation_id="c1")


class Office:
    """Everything that administration touches."""

    def __init__(self, database: Database, tmp_path: Path, clock: MovedClock) -> None:
        self.ring = KeyRing.parse(generate())
        self.clock = clock
        self.database = database
        self.directory, self.people, self.log = Directory(database), People(database), AuditLog(database)
        store = open_store("memory:", data_dir=tmp_path, clock=clock)
        self.sessions = Sessions(store, sealer=Sealer(self.ring), ring=self.ring, clock=clock)
        self.trail = AuditTrail(database, self.ring, clock=clock)
        self.told: list[Event] = []
        self.forgotten: list[str] = []
        events = Events()
        for name in ("user_changed", "user_deactivated", "role_granted", "user_deleted"):
            events.on(name, self.told.append)  # type: ignore[arg-type]
        self.admin = Administration(database, self.trail, self.sessions, events=events, clock=clock, bearers=self)

    def forget(self, user_key: str) -> None:
        self.forgotten.append(user_key)

    async def rows(self, **values: Any) -> list[tuple[str, dict[str, Any]]]:
        return [(row.action, dict(row.details)) for row in (await self.log.page(Filter(**values))).rows]

    async def intact(self) -> bool:
        return (await verify(self.database, ChainKeys(self.ring))).intact


@pytest.fixture
async def office(database: Database, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Office]:
    made = Office(database, tmp_path, clock)
    yield made
    await made.trail.aclose()


async def test_people_are_found(office: Office) -> None:
    """By id, object id, and address in whatever case; two who share an address are both found (USR-1)."""
    ada = await office.directory.signed_in(ADA, office.clock())
    bob = await office.directory.signed_in(replace(BOB, email="ADA@contoso.com"), office.clock())
    assert await office.people.by_id(ada.id) == ada
    assert await office.people.by_id(uuid4()) is None
    assert await office.people.by_object_id(ADA.tenant_id or "", ADA.object_id or "") == ada
    assert {person.id for person in await office.people.by_email(" Ada@Contoso.COM ")} == {ada.id, bob.id}
    nobodys = replace(ADA, object_id=str(uuid4()), email=None, username="Eve@contoso.com")
    eve = await office.directory.signed_in(nobodys, office.clock())
    assert [person.id for person in await office.people.by_address("eve@CONTOSO.com")] == [eve.id]
    assert {person.id for person in await office.people.by_address("ada@contoso.com")} >= {ada.id, bob.id}


async def test_people_page_by_page(office: Office) -> None:
    """Newest first, or in another order, each comes once; a search and a filter narrow it (ADM-1, SEC-142)."""
    for number in range(12):
        office.clock.move(timedelta(minutes=number % 3))
        other = replace(ADA, object_id=str(uuid4()), name=f"P{number:02}", username=f"p{number}%@contoso.com")
        await office.directory.signed_in(other, office.clock())
    everybody = [f"P{number:02}" for number in range(12)]
    for order in ("newest", "oldest", "name", "last_seen"):
        seen: list[str] = []
        after = None
        for _ in range(3):
            page = await office.people.page(order=order, limit=5, after=after)
            seen += [person.name for person in page.people]
            after = page.next
        assert after is None
        assert sorted(seen) == everybody
        by_offset = [(await office.people.page(order=order, limit=1, offset=at)).people[0].name for at in range(12)]
        assert by_offset == seen
    assert seen != everybody
    assert [person.name for person in (await office.people.page(Wanted(text="P1%@"))).people] == ["P01"]
    assert (await office.people.page(Wanted(text="%"), limit=1)).next
    assert await office.people.count(Wanted(text="1%", is_active=True)) == 2
    assert await office.people.count(Wanted(is_admin=True)) == 0
    for name in ("Éva Ñandú", "Анна Петрова", "王小明"):
        await office.directory.signed_in(replace(ADA, object_id=str(uuid4()), name=name), office.clock())
    for written in ("éva", "E\u0301VA ñ", "анна п", "АННА", "нна Пет", "小明"):
        assert await office.people.count(Wanted(text=written)) == 1, written
    other = (await office.people.page(order="name", limit=1)).next
    for asked in ({"limit": 0}, {"limit": 201}, {"offset": 10_001}, {"after": str(uuid4())}, {"after": other}):
        with pytest.raises(ValueError, match=next(iter(asked))):
            await office.people.page(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["newest", "oldest", "name", "last_seen"])
async def test_whoever_a_page_ended_with_may_go_or_change(office: Office, order: Order) -> None:
    """The next page begins where this one ended, though the last of it was erased, renamed or signed in (ADM-1)."""
    for letter in "abcdef":
        office.clock.move(timedelta(minutes=1))
        named = replace(ADA, object_id=str(uuid4()), name=f"{letter}-\N{GRINNING FACE}" + letter * 254)
        await office.directory.signed_in(named, office.clock())
    first = await office.people.page(order=order, limit=2)
    second = await office.people.page(order=order, limit=2, after=first.next)
    await office.admin.erase(first.people[1].id, by=ROOT)
    assert await office.people.page(order=order, limit=2, after=first.next) == second
    third = await office.people.page(order=order, limit=2, after=second.next)
    office.clock.move(timedelta(minutes=1))
    moved = second.people[1].user
    await office.directory.signed_in(replace(moved, name="0"), office.clock())
    assert (await office.people.page(order=order, limit=2, after=second.next)).people[:2] == third.people


async def test_a_change_is_written_down_with_before_and_after(office: Office) -> None:
    """What an administrator writes is kept, told with before and after, and not undone by a sign-in (SEC-140)."""
    ada = await office.directory.signed_in(ADA, office.clock())
    changed = await office.admin.update(ada.id, Edit(name="Countess", department="Engines"), by=ROOT, version=1)
    assert (changed.name, changed.department, changed.version) == ("Countess", "Engines", 2)
    assert (await office.directory.signed_in(ADA, office.clock())).name == "Countess"
    (row,) = (await office.log.page(Filter(about=ada.id))).rows
    assert (row.action, row.stream, row.label, row.address) == ("user_changed", "administration", "Root", "192.0.2.1")
    assert row.details == {"changed": {"name": ["Ada Lovelace", "Countess"], "department": [None, "Engines"]}}
    assert [event.name for event in office.told] == ["user_changed"]
    assert await office.intact()


async def test_nothing_is_changed_unseen(office: Office) -> None:
    """An older version, an unknown id, nothing to change and unfit values are refused, and leave no trace (ADM-1)."""
    ada = await office.directory.signed_in(ADA, office.clock())
    with pytest.raises(ChangedMeanwhile):
        await office.admin.update(ada.id, Edit(name="X"), by=ROOT, version=7)
    with pytest.raises(NotFound):
        await office.admin.update(uuid4(), Edit(name="X"), by=ROOT)
    for edit in (Edit(), Edit(name=""), Edit(name="x" * 257), Edit(department="\0")):
        with pytest.raises(RequestRefused):
            await office.admin.update(ada.id, edit, by=ROOT)
    for role in ("", "x" * 129, "a\nb", ADMIN_ROLE):
        with pytest.raises(RequestRefused):
            await office.admin.grant(ada.id, role, by=ROOT)
    with pytest.raises(RequestRefused) as refused:
        await office.admin.grant(ada.id, ADMIN_ROLE, by=ROOT)
    assert "make the person an administrator" in refused.value.public
    assert (await office.people.by_id(ada.id)) == ada
    assert await office.rows() == []


async def test_roles_work_on_the_next_request(office: Office) -> None:
    """A granted role is in the session that is open already, and gone when it is taken back (SEC-134)."""
    bob = await office.directory.signed_in(BOB, office.clock())
    session_id, _ = await office.sessions.begin(BOB, tokens=b"")

    async def roles() -> frozenset[str]:
        session = await office.sessions.load(session_id)
        assert session
        return session.user.roles

    await office.admin.grant(bob.id, "Editor", by=ROOT)
    await office.admin.grant(bob.id, "Reader", by=ROOT)
    assert await roles() == {"Reader", "Editor"}
    await office.admin.promote(bob.id, by=ROOT)
    assert await roles() == {"Reader", "Editor", ADMIN_ROLE}
    again = await office.directory.signed_in(BOB, office.clock())
    assert again.roles == {"Reader", "Editor", ADMIN_ROLE}
    await office.admin.revoke(bob.id, "Editor", by=ROOT)
    await office.admin.revoke(bob.id, "Reader", by=ROOT)
    assert await roles() == {"Reader", ADMIN_ROLE}, "what the authority says stays"
    assert set(office.forgotten) == {BOB.key}
    assert [name for name, _ in await office.rows()].count("role_granted") == 3


async def test_who_is_deactivated_is_out(office: Office) -> None:
    """Their sessions end, their tokens are forgotten, they cannot come back until they are let in again (USR-3)."""
    bob = await office.directory.signed_in(BOB, office.clock())
    session_id, _ = await office.sessions.begin(BOB, tokens=b"")
    await office.admin.deactivate(bob.id, by=ROOT)
    assert await office.sessions.load(session_id) is None
    assert office.forgotten == [BOB.key]
    with pytest.raises(SignInRefused):
        await office.directory.signed_in(BOB, office.clock())
    await office.admin.reactivate(bob.id, by=ROOT)
    assert (await office.directory.signed_in(BOB, office.clock())).is_active
    assert [name for name, _ in await office.rows()] == ["user_reactivated", "user_deactivated"]


async def test_the_last_administrator_stays(office: Office) -> None:
    """Nobody can demote, deactivate, delete or erase the last one; of two who go at once, one stays (SEC-141)."""
    ada = await office.directory.signed_in(ADA, office.clock())
    bob = await office.directory.signed_in(BOB, office.clock())
    await office.admin.promote(ada.id, by=ROOT)
    admin = office.admin
    for act in (admin.demote, admin.deactivate, admin.delete, admin.erase):
        with pytest.raises(LastAdmin):
            await act(ada.id, by=ROOT)
    await office.admin.promote(bob.id, by=ROOT)
    refused: list[EntradaError] = []

    async def leave(person_id: Any) -> None:
        try:
            await office.admin.demote(person_id, by=ROOT)
        except LastAdmin as error:
            refused.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(leave, ada.id)
        group.start_soon(leave, bob.id)
    assert len(refused) == 1
    assert await office.people.count(Wanted(is_admin=True, is_active=True)) == 1


async def test_who_is_deleted_is_forgotten(office: Office, database: Database) -> None:
    """Sessions, devices and roles go with the person; the log stays readable, and the next sign-in is a new person."""
    bob = await office.directory.signed_in(BOB, office.clock())
    session_id, _ = await office.sessions.begin(BOB, tokens=b"")
    await Devices(database, office.ring).seen(BOB, "device", user_agent=None, at=office.clock())
    await office.admin.grant(bob.id, "Editor", by=ROOT)
    await office.trail.require(Event("sign_in", at=office.clock(), user_key=BOB.key))
    await office.admin.delete(bob.id, by=ROOT)
    assert await office.sessions.load(session_id) is None
    for table in ("entrada_user", "entrada_device", "entrada_role_grant"):
        assert await said(database, f"SELECT count(*) FROM {table}") == [(0,)]
    (row,) = (await office.log.page(Filter(actions=("sign_in",)))).rows
    assert (row.user, row.label) == (None, "Bob (ada@contoso.com)")
    assert (await office.directory.signed_in(BOB, office.clock())).id != bob.id
    assert await office.intact()


async def test_a_persons_data_is_exported(office: Office) -> None:
    """The export has what is kept of one person, as JSON, and that it was made is written down (SEC-150)."""
    bob = await office.directory.signed_in(BOB, office.clock())
    await office.sessions.begin(BOB, tokens=b"the tokens")
    await office.trail.require(Event("sign_in", at=office.clock(), user_key=BOB.key, address="192.0.2.9"))
    found = await office.admin.export(bob.id, by=ROOT)
    text = json.dumps(found)
    assert "the tokens" not in text
    assert (found["person"]["email"], len(found["sessions"])) == ("Bob@Contoso.com", 1)
    assert {row["action"] for row in found["audit"]} == {"sign_in", "user_exported"}


async def test_who_is_erased_leaves_no_name(office: Office, database: Database) -> None:
    """No value of the person stays anywhere, the chain holds, and blanking without an erasure is told (SEC-150)."""
    bob = await office.directory.signed_in(BOB, office.clock())
    early = Event("sign_in_failed", at=office.clock(), user_key=BOB.key, label="Bob", reason="x")
    await office.trail.require(replace(early, user_key=ADA.key, label="Ada"))
    await said(database, "UPDATE entrada_user SET issuer = issuer")
    await office.trail.require(Event("sign_in", at=office.clock(), user_key=BOB.key, address="192.0.2.9"))
    await office.admin.update(bob.id, Edit(name="Robert"), by=ROOT)
    await office.admin.erase(bob.id, by=ROOT)
    dump = str(await said(database, "SELECT * FROM entrada_audit"))
    for value in ("Bob", "Robert", BOB.object_id, "192.0.2.9"):
        assert str(value) not in dump
    assert "Ada" in dump
    assert await office.intact()
    await said(
        database,
        "UPDATE entrada_audit SET what_seal = hash, details = NULL WHERE action = 'sign_in_failed'",
    )
    assert not await office.intact()
