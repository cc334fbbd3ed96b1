"""`GET /admin/users`: everybody who has signed in here, to be searched, narrowed down and put in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import Response

from entrada.users.people import Wanted
from entrada.users.person import Person
from entrada.users.place import LONGEST_PLACE, Order
from entrada.web.console.places import ADMIN
from entrada.web.console.shell import asked, show
from entrada.web.console.way_in import Visit
from entrada.web.console.words import grouped
from entrada.web.pages.moments import ago

LIMIT = 25
USERS = f"{ADMIN}/users"
DELETED = "Deleted. The sessions of that person have ended."
ORDERS: Mapping[Order, str] = {
    "last_seen": "Last sign-in",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "Name",
}
STANDINGS: Mapping[str, tuple[str, Wanted]] = {
    "": ("Everybody", Wanted()),
    "active": ("Active", Wanted(is_active=True)),
    "inactive": ("Inactive", Wanted(is_active=False)),
    "admins": ("Administrators", Wanted(is_admin=True)),
}


@dataclass(frozen=True, slots=True)
class PersonShown:
    """One line of the list."""

    href: str
    name: str
    username: str
    work: str
    roles: list[str]
    is_active: bool
    is_admin: bool
    last_seen: str
    last_seen_at: str


async def people(visit: Visit) -> Response:
    """Show a page of people."""
    text, standing, after = asked(visit, "q"), asked(visit, "standing"), asked(visit, "after", most=LONGEST_PLACE)
    order: Order = next((each for each in ORDERS if each == asked(visit, "order")), "last_seen")
    label, basis = STANDINGS.get(standing, STANDINGS[""])
    wanted = Wanted(text=text or None, is_active=basis.is_active, is_admin=basis.is_admin)
    page = await visit.desk.people(wanted, order=order, limit=LIMIT, after=after or None)
    chosen = {"q": text, "standing": standing if basis != Wanted() else "", "order": order}
    now = visit.house.clock()
    return show(
        visit,
        "users.html",
        section="People",
        heading="People",
        people=[shown(person, now) for person in page.people],
        count=grouped(count := await visit.desk.count(wanted)),
        is_one=count == 1,
        chosen=chosen,
        narrowed=label if basis != Wanted() else None,
        standings=[(name, words) for name, (words, _) in STANDINGS.items()],
        orders=list(ORDERS.items()),
        first=_address(chosen) if after else None,
        next=_address({**chosen, "after": page.next}) if page.next else None,
        action=USERS,
        done=DELETED if asked(visit, "done") == "deleted" else None,
    )


def shown(person: Person, now: datetime) -> PersonShown:
    """Return what a page shows of a person in one line."""
    return PersonShown(
        href=f"{USERS}/{person.id}",
        name=person.called,
        username="" if person.username == person.called else person.username,
        work=", ".join(part for part in (person.job_title, person.department) if part),
        roles=sorted(person.grants),
        is_active=person.is_active,
        is_admin=person.is_admin,
        last_seen=ago(now - person.last_sign_in_at),
        last_seen_at=person.last_sign_in_at.isoformat(),
    )


def _address(chosen: Mapping[str, str]) -> str:
    given = {name: value for name, value in chosen.items() if value}
    return f"{USERS}?{urlencode(given)}" if given else USERS
