"""One administrator at work: they see and change the people of their scope, and nobody else's (SEC-126).

Whoever is not of the scope is not there: 404 for them, in lists and in changes alike. Nobody changes their own rights.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog, Page, Total
from entrada.audit.recorded import Recorded
from entrada.audit.spans import SpanCounts
from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.errors import InputRefused, NotAllowed, NotFound, OwnAccount
from entrada.events import Event, Events
from entrada.flows.admin.administration import Actor, Administration, Edit
from entrada.flows.admin.policy import Scope
from entrada.flows.admin.statistics import Per, Span, statistics
from entrada.flows.signing_out.endings import Endings
from entrada.sessions.lifecycle import MOST_LOOKED_THROUGH, Sessions
from entrada.sessions.session import Session
from entrada.users.people import People, PeoplePage, Wanted
from entrada.users.person import Person
from entrada.users.photos import Photo, Photos
from entrada.users.place import Order
from entrada.users.tallies import Tallies

ENDED_BY_ADMIN = "ended_by_admin"
W = TypeVar("W", Wanted, Filter)


@dataclass(frozen=True, slots=True)
class Office:
    """What all desks share."""

    administration: Administration
    photos: Photos
    sessions: Sessions
    endings: Endings
    trail: AuditTrail
    spans: SpanCounts
    tallies: Tallies
    events: Events
    clock: Clock

    @property
    def people(self) -> People:
        """Who reads people."""
        return self.administration.people

    @property
    def log(self) -> AuditLog:
        """Who reads the log."""
        return self.administration.log


class Desk:
    """What one administrator does. NotFound for whoever is not theirs, StoreUnavailable when a database is away.

    Changes raise what `Administration` raises, and OwnAccount when they are of the administrator's own rights.
    """

    def __init__(self, office: Office, *, person: Person, scope: Scope, actor: Actor) -> None:
        self._office = office
        self.person = person
        """The administrator."""
        self.scope = scope
        self.actor = actor
        """The administrator, as the audit log is to have them."""

    async def people(
        self, wanted: Wanted = Wanted(), *, order: Order = "newest", limit: int, after: str | None, offset: int = 0
    ) -> PeoplePage:
        """Return a page of people; InputRefused for what `People.page` does not take."""
        try:
            wanted = self._theirs(wanted)
            return await self._office.people.page(wanted, order=order, limit=limit, after=after, offset=offset)
        except ValueError as error:
            raise InputRefused(str(error)) from None

    async def count(self, wanted: Wanted = Wanted()) -> int:
        """Return how many there are."""
        return await self._office.people.count(self._theirs(wanted))

    async def names(self, ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Return what these people are called, of those who are the administrator's to see."""
        return await self._office.people.names(ids, tenant_id=self.scope.tenant_id)

    async def one(self, person_id: UUID) -> Person:
        """Return one person."""
        person = await self._office.people.by_id(person_id)
        if person is None or not self.scope.covers(person):
            raise NotFound("nobody has this id")
        return person

    async def photo(self, person_id: UUID) -> Photo | None:
        """Return a person's picture."""
        return await self._office.photos.of((await self.one(person_id)).id)

    async def update(self, person_id: UUID, edit: Edit, *, version: int | None = None) -> Person:
        """Write what is given, all of it or nothing."""
        person = await self.one(person_id)
        rights = {"is_active": edit.is_active, "is_admin": edit.is_admin}
        if any(value is not None and value != getattr(person, name) for name, value in rights.items()):
            self._refuse_own(person)
        return await self._office.administration.update(person_id, edit, by=self.actor, version=version)

    async def delete(self, person_id: UUID, *, version: int | None = None, erase: bool = False) -> Person:
        """End the person's sessions and forget them; `erase`: in the log too, but for what was done."""
        self._refuse_own(await self.one(person_id))
        administration = self._office.administration
        if erase:
            return await administration.erase(person_id, by=self.actor)
        return await administration.delete(person_id, by=self.actor, version=version)

    async def grant(self, person_id: UUID, role: str) -> Person:
        """Grant a role; it works on the person's next request."""
        self._refuse_own(await self.one(person_id))
        return await self._office.administration.grant(person_id, role, by=self.actor)

    async def revoke(self, person_id: UUID, role: str) -> Person:
        """Take a role back that was granted here; NotFound when the person has not got it."""
        person = await self.one(person_id)
        self._refuse_own(person)
        if role not in person.grants:
            raise NotFound("they have not been granted this role")
        return await self._office.administration.revoke(person_id, role, by=self.actor)

    async def export(self, person_id: UUID) -> dict[str, object]:
        """Return all that is kept of a person, as JSON can say it."""
        await self.one(person_id)
        return await self._office.administration.export(person_id, by=self.actor)

    async def sessions(self, person_id: UUID, *, limit: int = 100) -> Sequence[Session]:
        """Return where a person is signed in, the last used first."""
        return await self._office.sessions.by_user((await self.one(person_id)).user, limit=limit)

    def handle(self, session: Session) -> str:
        """Return what a session is called outside; no cookie follows from it (SEC-076)."""
        return self._office.sessions.handle(session)

    async def end_session(self, person_id: UUID, handle: str) -> None:
        """End one session of a person on every worker; NotFound for a handle that is none of theirs."""
        person = await self.one(person_id)
        session = await self._office.sessions.by_handle(person.user, handle)
        if session is None:
            raise NotFound("no session of this person has this handle")
        await self._tell_of_end(person, {"handle": handle})
        await self._office.endings.end([session])

    async def end_sessions(self, person_id: UUID) -> int:
        """End every session of a person on every worker; return how many there were."""
        person = await self.one(person_id)
        theirs = await self._office.sessions.by_user(person.user, limit=MOST_LOOKED_THROUGH)
        await self._tell_of_end(person, {"sessions": len(theirs)})
        return await self._office.endings.end_all_of(person.user)

    async def log(self, wanted: Filter = Filter(), *, limit: int, after: str | None = None, offset: int = 0) -> Page:
        """Return a page of the audit log; InputRefused for what `AuditLog.page` does not take."""
        with _refused_plainly():
            return await self._office.log.page(self._theirs(wanted), limit=limit, after=after, offset=offset)

    async def log_and_total(
        self, wanted: Filter, *, limit: int, after: str | None = None, offset: int = 0
    ) -> tuple[Page, Total]:
        """Return a page as `log` does, and how many rows there are in all."""
        with _refused_plainly():
            return await self._office.log.page_and_total(self._theirs(wanted), limit=limit, after=after, offset=offset)

    async def total(self) -> Total:
        """Return how many rows of the log there are."""
        return await self._office.log.total(self._theirs(Filter()))

    async def history(self, person_id: UUID, *, limit: int, after: str | None = None, offset: int = 0) -> Page:
        """Return what a person did, and what was done to them."""
        await self.one(person_id)
        return await self.log(Filter(about=person_id), limit=limit, after=after, offset=offset)

    async def exported(self, wanted: Filter, *, shown: Mapping[str, object]) -> AsyncIterator[Recorded]:
        """Return all rows that the filter lets through, after that they were asked for is written down as `shown`."""
        rows = self._office.log.everything(self._theirs(wanted))
        await self._tell(self.actor.event("audit_exported", at=self._office.clock(), about=None, details=shown))
        return rows

    async def statistics(self, *, since: datetime, until: datetime, per: Per) -> Sequence[Span]:
        """Return how many signed in and failed, by the hour or the day; errors like `flows.admin.statistics`."""
        mine = self.scope.tenant_id
        return await statistics(
            self._office.spans, self._office.tallies, since=since, until=until, per=per, tenant_id=mine
        )

    def _theirs(self, wanted: W) -> W:
        """Narrow what is wanted to the scope."""
        mine = self.scope.tenant_id
        if mine is None or wanted.tenant_id == mine:
            return wanted
        if wanted.tenant_id is not None:
            raise NotAllowed("an administrator of this application's operator, to see other organisations")
        return replace(wanted, tenant_id=mine)

    def _refuse_own(self, person: Person) -> None:
        if person.id == self.person.id:
            raise OwnAccount("on their own account")

    async def _tell_of_end(self, person: Person, details: dict[str, object]) -> None:
        """Write down that sessions end, before they do: what is not written down does not happen (SEC-149)."""
        now, about = self._office.clock(), person.id
        await self._tell(self.actor.event("session_ended", at=now, about=about, details=details, reason=ENDED_BY_ADMIN))

    async def _tell(self, event: Event) -> None:
        await self._office.trail.require(event)
        await self._office.events.announce(event)


@contextmanager
def _refused_plainly() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise InputRefused(str(error)) from None
