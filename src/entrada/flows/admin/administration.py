"""What administrators do with people. Each change and its row in the audit log are one transaction (SEC-149).

What follows from a change is done afterwards, and may be done again when it fails: sessions end, or their people get
other roles; tokens that are remembered are forgotten here at once, on the other workers within a second.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit import erasure
from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.errors import InputRefused, NotFound
from entrada.events import Event, EventName, Events
from entrada.principal import ADMIN_ROLE, User
from entrada.sessions.lifecycle import MOST_LOOKED_THROUGH, Sessions
from entrada.users import changes
from entrada.users.database import Database
from entrada.users.people import People
from entrada.users.person import Person

LONGEST_ROLE = 128
FACTS = ("user_key", "label", "tenant_id", "address", "user_agent", "correlation_id")

Step = Callable[[AsyncConnection, Person], Awaitable["Change | None"]]


class Forgets(Protocol):
    """What remembers people by their tokens: `flows.bearer.Bearers`."""

    def forget(self, user_key: str) -> None:
        """Remember nothing of this person's."""
        ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, as the audit log is to have it."""

    label: str
    user_key: str | None = None
    tenant_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    correlation_id: str | None = None
    id: UUID | None = None
    """Their row in the directory; None for whoever works at the command line."""
    promoted: bool = False
    """Whether that row is what makes them an administrator."""

    def event(
        self,
        name: EventName,
        *,
        at: datetime,
        about: UUID | None,
        details: Mapping[str, Any],
        reason: str | None = None,
    ) -> Event:
        """Return the event that this was done by them, to that person."""
        facts = {name: getattr(self, name) for name in FACTS}
        return Event(name, at=at, resource=f"user:{about}" if about else None, details=details, reason=reason, **facts)


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, for the log."""

    name: EventName
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """What an administrator writes; None leaves it, an empty text takes it away."""

    name: str | None = None
    department: str | None = None
    job_title: str | None = None
    is_active: bool | None = None
    is_admin: bool | None = None


class Administration:
    """Changes people. Every method raises StoreUnavailable when a database does not answer; it may be done again.

    NotFound says that nobody has the id, ChangedMeanwhile that the `version` is not the present one, LastAdmin that
    nobody would be left who may do this.
    """

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        sessions: Sessions,
        *,
        events: Events,
        clock: Clock,
        bearers: Forgets | None = None,
        end_all_of: Callable[[User], Awaitable[int]] | None = None,
    ) -> None:
        self._database = database
        self._trail = trail
        self._sessions = sessions
        self._events = events
        self._clock = clock
        self._bearers = bearers
        self._end_all_of = end_all_of or sessions.end_all_of
        self.people = People(database)
        self.log = AuditLog(database)

    async def update(self, person_id: UUID, edit: Edit, *, by: Actor, version: int | None = None) -> Person:
        """Write what is given, all of it or nothing; InputRefused when nothing is."""
        given = {name: value for name in Edit.__slots__ if (value := getattr(edit, name)) is not None}
        if not given:
            raise InputRefused("nothing to change was given")
        values = {name: _text(name, value) if isinstance(value, str) else value for name, value in given.items()}

        async def step(connection: AsyncConnection, person: Person) -> Change | None:
            changed = {name: value for name, value in values.items() if getattr(person, name) != value}
            if not changed:
                return None
            if changed.get("is_active") is False or changed.get("is_admin") is False:
                await changes.keep_an_admin(connection, person)
            await changes.write(connection, person, changed, at=self._clock())
            told = {name: [getattr(person, name), value] for name, value in changed.items()}
            return Change(_named(changed), {"changed": told})

        return await self._done(person_id, step, by=by, version=version)

    async def promote(self, person_id: UUID, *, by: Actor) -> Person:
        """Make the person an administrator, and active."""
        return await self.update(person_id, Edit(is_admin=True, is_active=True), by=by)

    async def demote(self, person_id: UUID, *, by: Actor) -> Person:
        """Let the person be an administrator no longer."""
        return await self.update(person_id, Edit(is_admin=False), by=by)

    async def deactivate(self, person_id: UUID, *, by: Actor, version: int | None = None) -> Person:
        """Let the person in no more, and end what they have open."""
        return await self.update(person_id, Edit(is_active=False), by=by, version=version)

    async def reactivate(self, person_id: UUID, *, by: Actor, version: int | None = None) -> Person:
        """Let the person in again."""
        return await self.update(person_id, Edit(is_active=True), by=by, version=version)

    async def grant(self, person_id: UUID, role: str, *, by: Actor, version: int | None = None) -> Person:
        """Grant a role; it works on the next request. InputRefused for the administrator's: `promote` is for that."""
        _check_role(role)

        async def step(connection: AsyncConnection, person: Person) -> Change | None:
            if role in person.grants:
                return None
            await changes.grant(connection, person, role, at=self._clock(), by=by.label)
            return Change("role_granted", {"role": role, "before": sorted(person.grants)})

        return await self._done(person_id, step, by=by, version=version)

    async def revoke(self, person_id: UUID, role: str, *, by: Actor, version: int | None = None) -> Person:
        """Take a granted role back; the authority's own stay."""

        async def step(connection: AsyncConnection, person: Person) -> Change | None:
            if role not in person.grants:
                return None
            await changes.revoke(connection, person, role, at=self._clock())
            return Change("role_revoked", {"role": role, "before": sorted(person.grants)})

        return await self._done(person_id, step, by=by, version=version)

    async def delete(self, person_id: UUID, *, by: Actor, version: int | None = None) -> Person:
        """End the person's sessions and forget them; the log keeps what they did, under a label."""
        return await self._remove(person_id, by=by, version=version, erase=False)

    async def erase(self, person_id: UUID, *, by: Actor) -> Person:
        """Delete the person, and take their data out of the log; that somebody did something then stays."""
        return await self._remove(person_id, by=by, version=None, erase=True)

    async def export(self, person_id: UUID, *, by: Actor) -> dict[str, Any]:
        """Return all that is kept of a person, as JSON can say it; that it was asked for is written down."""

        async def step(_connection: AsyncConnection, _person: Person) -> Change:
            return Change("user_exported", {})

        person = await self._done(person_id, step, by=by)
        rows = [row async for row in self.log.everything(Filter(about=person_id))]
        sessions = await self._sessions.by_user(person.user, limit=MOST_LOOKED_THROUGH)
        names = ("created_at", "last_seen_at", "expires_at")
        return {
            "person": await self.people.exported(person),
            "sessions": [
                {name: getattr(each, name).isoformat() for name in names}
                | {"address": each.record.facts.address, "user_agent": each.record.facts.user_agent}
                for each in sessions
            ],
            "audit": [row.plain() for row in rows],
        }

    async def _done(self, person_id: UUID, step: Step, *, by: Actor, version: int | None = None) -> Person:
        """Do one step and write it down, then let it take effect; return the person as they are now."""
        told: list[Event] = []

        async def work(connection: AsyncConnection) -> None:
            await _hold(connection, person_id, by)
            person = await changes.locked(connection, person_id, version=version)
            change = await step(connection, person)
            told[:] = [self._event(change, person_id, by)] if change else []
            if told:
                await self._trail.append(connection, told)

        await self._database.run(work)
        person = await self.people.by_id(person_id)
        if person is None:
            raise NotFound("nobody has this id any more")
        await self._take_effect(person)
        await self._announce(told)
        return person

    async def _remove(self, person_id: UUID, *, by: Actor, version: int | None, erase: bool) -> Person:
        """Shut the person out, end their sessions, and only then forget them: whoever is forgotten may come again."""
        person = await self.people.by_id(person_id)
        if person is None:
            raise NotFound("nobody has this id")
        if person.is_active:
            person = await self.deactivate(person_id, by=by, version=version)
            version = None if version is None else person.version
        await self._take_effect(person)
        told: list[Event] = []

        async def work(connection: AsyncConnection) -> None:
            await _hold(connection, person_id, by)
            gone = await changes.locked(connection, person_id, version=version)
            beside = await erasure.unlinked(connection, gone.user.key) if erase else []
            details = {"rows": beside} if erase else {"label": gone.user.label, "roles": sorted(gone.grants)}
            name: EventName = "user_erased" if erase else "user_deleted"
            told[:] = [self._event(Change(name, details), person_id, by)]
            await self._trail.append(connection, told)
            if erase:
                await erasure.blank(connection, person_id, beside=beside)
            await changes.remove(connection, gone)

        await self._database.run(work)
        await self._announce(told)
        return person

    async def _take_effect(self, person: Person) -> None:
        """End the sessions of somebody who is not let in; give all others the roles that they have now."""
        user = person.user
        if person.is_active:
            await self._sessions.regrant_all_of(user, person.roles)
        else:
            await self._end_all_of(user)
        if self._bearers is not None:
            self._bearers.forget(user.key)

    def _event(self, change: Change, person_id: UUID, by: Actor) -> Event:
        return by.event(change.name, at=self._clock(), about=person_id, details=change.details)

    async def _announce(self, told: list[Event]) -> None:
        for event in told:
            await self._events.announce(event)


async def _hold(connection: AsyncConnection, person_id: UUID, by: Actor) -> None:
    """Have whoever does it be there until it is done."""
    if by.id is not None:
        await changes.hold(connection, person_id, by=by.id, promoted=by.promoted)


def _named(changed: Mapping[str, Any]) -> EventName:
    """Return the event of a change: what weighs most in it."""
    if "is_active" in changed:
        return "user_reactivated" if changed["is_active"] else "user_deactivated"
    if "is_admin" in changed:
        return "role_granted" if changed["is_admin"] else "role_revoked"
    return "user_changed"


def _text(name: str, value: str) -> str | None:
    if len(value) > changes.LONGEST or "\0" in value:
        raise InputRefused(f"{name}: at most {changes.LONGEST} characters, none of them NUL")
    if name == "name":
        if not value.strip():
            raise InputRefused("name: must not be empty")
        return value
    return value or None


def _check_role(role: str) -> None:
    if role == ADMIN_ROLE:
        raise InputRefused(f"role: {ADMIN_ROLE} is no role to grant; make the person an administrator (is_admin)")
    if not 0 < len(role) <= LONGEST_ROLE or not role.isprintable():
        raise InputRefused(f"role: from 1 to {LONGEST_ROLE} printable characters")
