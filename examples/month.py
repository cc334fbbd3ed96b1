"""A month of believable history for an empty database, written as the application writes it: its chain verifies."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random

from entrada_emulator.seeds import BIRCH, default_world
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada import Event, Settings, User
from entrada.audit.trail import AuditTrail
from entrada.clock import system_clock
from entrada.sessions.keyfile import load_or_create_ring
from entrada.users import changes
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.people import People

DAYS, AT_ONCE, ADMINISTRATOR = 30, 400, "pia@birch.example"
FIRST = [
    "Aino",
    "Ben",
    "Carla",
    "Deniz",
    "Ewa",
    "Farid",
    "Gwen",
    "Hana",
    "Ilja",
    "Jonas",
    "Katja",
    "Leo",
    "Marta",
    "Noor",
    "Oskar",
    "Paula",
    "Rafi",
    "Selma",
]
LAST = ["Adler", "Berg", "Castillo", "Dvorak", "Eriksen", "Fontaine"]
WORK = [("Sales", "Account manager"), ("Engineering", "Developer"), ("Finance", "Controller"), ("People", "Recruiter")]
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1",
]
FAILURES = ["login_required", "access_denied", "AADSTS50126", "AADSTS50076", "temporarily_unavailable"]


async def lay_down(settings: Settings) -> None:
    """Write people and what they did; nothing when anybody is there already."""
    database, now, chance = Database(settings.database_url, data_dir=settings.data_dir), system_clock(), Random(5)
    try:
        if await People(database).count():
            return
        trail = AuditTrail(database, load_or_create_ring(settings), clock=system_clock)
        everybody = [*colleagues(chance), *those_who_can_sign_in()]
        events = iter(sorted(month(everybody, now, chance), key=lambda event: event.at))
        first_seen = now - timedelta(days=DAYS)
        for user in everybody:
            await Directory(database).signed_in(user, first_seen + timedelta(minutes=chance.randrange(20_000)))
        while some := list(islice(events, AT_ONCE)):
            async with database.unit_of_work() as connection:
                await trail.append(connection, some)
        for user in everybody:
            await place(database, trail, user, at=now - timedelta(minutes=chance.randrange(4_000)), chance=chance)
    finally:
        await database.close()


def those_who_can_sign_in() -> list[User]:
    """Return the emulator's own people of this organisation."""
    people = [each for each in default_world().users if each.tenant_id == BIRCH.id and each.account_enabled]
    return [person(each.id, each.display_name, each.user_principal_name) for each in people]


def colleagues(chance: Random) -> list[User]:
    """Return people who fill the pages; nobody can sign in as them."""
    names = [(first, chance.choice(LAST)) for first in FIRST for _ in range(3)]
    ids = (f"d0000000-0000-4000-8000-{number:012d}" for number in range(len(names)))
    return [
        person(oid, f"{a} {b}", f"{a}.{b}{oid[-2:]}@birch.example".lower())
        for oid, (a, b) in zip(ids, names, strict=True)
    ]


def person(object_id: str, name: str, username: str) -> User:
    """Return somebody of the emulated organisation."""
    issuer = f"https://login.microsoftonline.com/{BIRCH.id}/v2.0"
    who = {"tenant_id": BIRCH.id, "object_id": object_id, "name": name, "username": username, "email": username}
    return User(issuer=issuer, subject=object_id, **who)


def month(people: list[User], now: datetime, chance: Random) -> Iterator[Event]:
    """Give what they did: more on working days, little at night, and one night of guessing at a door."""
    for day in range(DAYS):
        midnight = (now - timedelta(days=day)).replace(hour=0, minute=0)
        for user in people:
            if chance.random() < (0.75 if midnight.weekday() < 5 else 0.12):
                yield from (event for event in visit(user, midnight, chance) if event.at < now)
    guessing = (now - timedelta(days=9)).replace(hour=2)
    for guess in range(64):
        at = guessing + timedelta(seconds=guess * chance.randrange(20, 40))
        yield Event(
            "sign_in_failed", at=at, reason="AADSTS50126", address="203.0.113.77", user_agent="python-requests/2.32"
        )


def visit(user: User, midnight: datetime, chance: Random) -> Iterator[Event]:
    """Give one day of one person."""
    agent, at = chance.choice(AGENTS), midnight + timedelta(minutes=chance.triangular(400, 1_200, 530))
    who = {"user_key": user.key, "label": user.label, "tenant_id": user.tenant_id}
    facts = {**who, "user_agent": agent, "address": f"198.51.100.{chance.randrange(2, 250)}"}
    if chance.random() < 0.05:
        yield Event("sign_in_failed", at=at - timedelta(seconds=40), reason=chance.choice(FAILURES), **facts)
    yield Event("sign_in", at=at, **facts)
    if chance.random() < 0.04:
        yield Event(
            "access_denied", at=at + timedelta(minutes=5), reason="not_allowed", resource="GET /reports", **facts
        )
    if chance.random() < 0.03:
        yield Event("renewal_failed", at=at + timedelta(hours=1), reason="AADSTS700082", **facts)
    if chance.random() < 0.6:
        yield Event("sign_out", at=at + timedelta(hours=chance.triangular(1, 9, 7)), **facts)


async def place(database: Database, trail: AuditTrail, user: User, *, at: datetime, chance: Random) -> None:
    """Give somebody a place in the house, as an administrator would; and one of them the administrator's."""
    found = await Directory(database).signed_in(user, at)
    department, job_title = chance.choice(WORK)
    values = {"department": department, "job_title": job_title, "is_admin": user.username == ADMINISTRATOR}

    async def work(connection: AsyncConnection) -> None:
        await changes.write(connection, found, values)
        told = {name: [None, value] for name, value in values.items() if value}
        event = Event("user_changed", at=at, label="The demo", resource=f"user:{found.id}", details={"changed": told})
        await trail.append(connection, [event])

    await database.run(work)
