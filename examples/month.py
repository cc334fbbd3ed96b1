"""A month of believable history for an empty database, written as the application writes it: its chain verifies.

Part of running an example, as `demo` and `run` are: nobody has such a thing in an application.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from entrada_emulator.directory.seeds import BIRCH, default_world
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada import Event, Settings, User
from entrada.audit.trail import AuditTrail
from entrada.clock import system_clock
from entrada.events import EventName
from entrada.sessions.keyfile import load_or_create_ring
from entrada.users import changes
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.people import People
from entrada.users.tallies import Tallies, TallyName

DAYS, WEEKEND, AT_ONCE = 30, 5, 400
FIRST = ("Aino", "Ben", "Carla", "Deniz", "Ewa", "Farid", "Gwen", "Hana", "Ilja", "Jonas", "Katja", "Leo", "Marta")
LAST = ("Adler", "Berg", "Castillo", "Dvorak", "Eriksen", "Fontaine", "Grau", "Holm")
WORK = (("Sales", "Account manager"), ("Engineering", "Developer"), ("Finance", "Controller"), ("People", "Recruiter"))
MOZILLA = "Mozilla/5.0"
AGENTS = (
    f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605",
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604",
)
FAILURES = ("login_required", "consent_required", "AADSTS50126", "AADSTS50076", "temporarily_unavailable")
AT_WORK, AT_WEEKENDS, SIGNS_OUT = 0.75, 0.12, 0.6
NOW_AND_THEN: tuple[tuple[float, EventName, str, float], ...] = (
    (0.05, "sign_in_failed", "AADSTS50126", -0.01),
    (0.04, "access_denied", "not_allowed", 0.1),
    (0.03, "renewal_failed", "AADSTS700082", 1),
    (0.02, "session_ended", "ended_by_user", 2),
)
"""How likely on a day, what, for which reason, and how many hours after the sign-in."""


async def lay_down(settings: Settings, *, administrator: str) -> None:
    """Write people and what they did, and promote one; nothing when anybody is there already."""
    database, now, chance = Database(settings.database_url, data_dir=settings.data_dir), system_clock(), Random(5)
    try:
        if await People(database).count():
            return
        trail = AuditTrail(database, load_or_create_ring(settings), clock=system_clock)
        everybody = [*_colleagues(chance), *_those_who_can_sign_in()]
        for user in everybody:
            first_seen = now - timedelta(days=DAYS + 1 + chance.randrange(300))
            await Directory(database).signed_in(user, first_seen)
        events = iter(sorted(_month(everybody, now, chance), key=lambda event: event.at))
        use: dict[datetime, Counter[TallyName]] = defaultdict(Counter)
        while some := list(islice(events, AT_ONCE)):
            async with database.unit_of_work() as connection:
                await trail.append(connection, some)
            _count(some, use, now, chance)
        for hour, counts in use.items():
            await Tallies(database).add(counts, at=hour)
        for number, user in enumerate(everybody):
            seen = now - timedelta(minutes=chance.randrange(4_000))
            values = _place(number, chance) | {"is_admin": user.username == administrator}
            await _change(database, trail, user, seen, values)
    finally:
        await database.close()


def _those_who_can_sign_in() -> list[User]:
    people = [each for each in default_world().users if each.tenant_id == BIRCH.id and each.account_enabled]
    return [_person(each.id, each.display_name, each.user_principal_name) for each in people]


def _colleagues(chance: Random) -> list[User]:
    """Return people who fill the pages; nobody can sign in as them."""
    names = [f"{first} {last}" for first in FIRST for last in chance.sample(LAST, 4)]
    return [
        _person(f"d0000000-0000-4000-8000-{number:012d}", name, f"{name.replace(' ', '.').lower()}@birch.example")
        for number, name in enumerate(names)
    ]


def _person(object_id: str, name: str, username: str) -> User:
    who: dict[str, Any] = {"tenant_id": BIRCH.id, "object_id": object_id, "name": name, "username": username}
    return User(issuer=f"https://login.microsoftonline.com/{BIRCH.id}/v2.0", subject=object_id, email=username, **who)


def _month(people: list[User], now: datetime, chance: Random) -> Iterator[Event]:
    """Give what they did: more on working days, little at night, and one night of guessing at the door."""
    for day in range(DAYS):
        midnight = (now - timedelta(days=day)).replace(hour=0, minute=0, second=chance.randrange(60))
        likely = AT_WORK if midnight.weekday() < WEEKEND else AT_WEEKENDS
        for user in people:
            if chance.random() < likely:
                yield from (event for event in _visit(user, midnight, chance) if event.at < now)
    at = (now - timedelta(days=9)).replace(hour=2, minute=11)
    for _ in range(64):
        at += timedelta(seconds=chance.randrange(20, 40))
        facts = {"address": "203.0.113.77", "user_agent": "python-requests/2.32"}
        yield Event("sign_in_failed", at=at, reason="AADSTS50126", **facts)


def _visit(user: User, midnight: datetime, chance: Random) -> Iterator[Event]:
    """Give one day of one person."""
    at = midnight + timedelta(minutes=chance.triangular(400, 1_200, 530))
    facts: dict[str, Any] = {"user_key": user.key, "label": user.label, "tenant_id": user.tenant_id}
    facts |= {"user_agent": chance.choice(AGENTS), "address": f"198.51.100.{chance.randrange(2, 250)}"}
    yield Event("sign_in", at=at, **facts)
    for likely, name, reason, hours in NOW_AND_THEN:
        if chance.random() < likely:
            why = chance.choice(FAILURES) if name == "sign_in_failed" else reason
            yield Event(name, at=at + timedelta(hours=hours), reason=why, **facts)
    if chance.random() < SIGNS_OUT:
        yield Event("sign_out", at=at + timedelta(hours=chance.triangular(1, 9, 7)), **facts)


def _count(events: list[Event], use: dict[datetime, Counter[TallyName]], now: datetime, chance: Random) -> None:
    """Count the sessions in use, and the renewals of their tokens, that follow from these sign-ins."""
    for event in events:
        if event.name == "sign_in":
            hour = event.at.replace(minute=0, second=0, microsecond=0)
            use[hour]["sessions_of_day"] += 1
            for later in range(chance.randrange(1, 9)):
                if (at := hour + timedelta(hours=later)) < now:
                    use[at].update(sessions_of_hour=1, renewals=int(later > 0))


def _place(number: int, chance: Random) -> dict[str, Any]:
    department, job_title = chance.choice(WORK)
    return {"department": department, "job_title": job_title, "is_active": number % 17 > 0}


async def _change(database: Database, trail: AuditTrail, user: User, at: datetime, values: dict[str, Any]) -> None:
    """Write what an administrator could have written, and a role for some, with the entries that say so."""
    found = await Directory(database).signed_in(user, at)
    told = {name: [getattr(found, name), value] for name, value in values.items() if getattr(found, name) != value}
    facts: dict[str, Any] = {"at": at, "label": "The demo", "resource": f"user:{found.id}"}
    events = [Event("user_changed" if values["is_active"] else "user_deactivated", details={"changed": told}, **facts)]
    granted = "Approver" if values["department"] == "Finance" else None

    async def work(connection: AsyncConnection) -> None:
        await changes.write(connection, found, values, at=at)
        if granted:
            await changes.grant(connection, found, granted, at=at, by="The demo")
            events.append(Event("role_granted", details={"role": granted, "before": []}, **facts))
        await trail.append(connection, events)

    await database.run(work)
