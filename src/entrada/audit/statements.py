"""The statements that read the log: an index leads to rows in their order, and each is held against what else is asked.

They are made once for each form of a filter, for making one takes longer than the database does.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    String,
    Subquery,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from entrada.audit.filters import Form
from entrada.audit.recorded import SHOWN
from entrada.users.tables import audit, users

MOST_FORMS = 256  # statements of a kind that are kept; each some 50 kB
LONGEST = 10_000  # rows of one stretch; a statement may take two seconds, also where each row is read from a disk
TEXTS = ("label", "resource", "reason", "correlation_id", "uti", "details")
ADMINISTRATION = audit.c.stream == literal("administration", String, literal_execute=True)
"""Written out: only so the index of the few is used."""


class beside(FunctionElement[Any]):  # noqa: N801 written as SQL functions are
    """A column of which no index is to be used: SQLite would take one that leads to half of all rows."""

    inherit_cache = True


@compiles(beside)
def _plainly(element: beside, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(beside, "sqlite")
def _with_plus(element: beside, compiler: SQLCompiler, **how: Any) -> str:
    return "+" + compiler.process(element.clauses, **how)


@dataclass(frozen=True, slots=True)
class Way:
    """One walk along one index, newest first: along the rows whose `column` has the value that is named `value`."""

    column: str | None = None
    value: str | None = None
    only: tuple[ColumnElement[bool], ...] = ()

    def place(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Return what the index is in the order of."""
        return [source.c[name] for name in (self.column, "at", "id") if name]

    def order(self, source: FromClause) -> list[ColumnElement[Any]]:
        """Return the order of the walk. With the column in it PostgreSQL has no other index that is in this order."""
        return [each.desc() for each in self.place(source)]

    def between(self) -> list[ColumnElement[bool]]:
        """Return what holds for the rows from `oldest` on that are older than `newest`."""
        place = tuple_(*self.place(audit))
        return [place < self._bound("newest"), place >= self._bound("oldest"), *self.only]

    def _bound(self, name: str) -> Any:
        own = [_value(self.value, self.column)] if self.value and self.column else []
        return tuple_(*own, _value(f"{name}_at", "at"), _value(f"{name}_id", "id"))


def ways(form: Form, lead: str) -> tuple[Way, ...]:
    """Return the walks that together come by all rows to which this one of the form's leads leads, by each once."""
    if lead == "about":
        not_themselves = audit.c.person.is_distinct_from(_value("who", "person"))
        return Way("person", "who"), Way("resource", "whom", only=(not_themselves,))
    if lead == "actions":
        return tuple(Way("action", f"action_{number}") for number in range(form.actions))
    if lead == "administration":
        return (Way(only=(ADMINISTRATION,)),)
    return (Way() if lead == "time" else Way(lead, lead),)


@lru_cache(maxsize=MOST_FORMS)
def rows(form: Form, lead: str, *, fenced: bool) -> Select[Any]:
    """Ask for the `most` newest rows between `oldest` and `newest`, with who is in the directory still."""
    first, *others = ways(form, lead)
    if others:
        places = _merged(form, lead, fenced=fenced)
        return _shown(audit).join(places, places.c.id == audit.c.id).order_by(places.c.at.desc(), places.c.id.desc())
    source = _source(first, fenced=fenced)
    return _held(_shown(source), first, form, lead=lead, source=source)


@lru_cache(maxsize=MOST_FORMS)
def number(form: Form, lead: str, *, fenced: bool) -> Select[Any]:
    """Ask how many rows each walk has between `oldest` and `newest`, up to `most`."""
    found = (_of_way(way, form, lead, fenced=fenced) for way in ways(form, lead))
    return select(*(select(func.count()).select_from(each).scalar_subquery() for each in found))


@lru_cache(maxsize=MOST_FORMS)
def last_place(form: Form, lead: str, *, fenced: bool) -> Select[Any]:
    """Ask for the place of the oldest of the `most` newest rows."""
    found = _places(form, lead, fenced=fenced)
    return select(found.c.at, found.c.id).order_by(found.c.at, found.c.id).limit(1)


@lru_cache(maxsize=MOST_FORMS)
def reach(form: Form) -> Select[Any]:
    """Ask how far back each walk of each lead comes with so many rows: the lead's number, the place.

    A walk of which the log has fewer rows is missing. How many: `rows_1` less one, or `rows_2` … for a lead of two.
    """
    parts = []
    for numbered, lead in enumerate(form.leads):
        walks = ways(form, lead)
        for way in walks:
            skipped = bindparam(f"rows_{len(walks)}", type_=BigInteger)
            walk = select(audit.c.at, audit.c.id).where(*way.between()).order_by(*way.order(audit))
            there = walk.limit(1).offset(skipped).subquery()
            parts.append(select(literal(numbered, BigInteger, literal_execute=True), there.c.at, there.c.id))
    return select(union_all(*parts).subquery())


@lru_cache(maxsize=1)
def one_row() -> Select[Any]:
    """Ask for the row `id`."""
    return _shown(audit).where(audit.c.id == _value("id", "id"))


@lru_cache(maxsize=1)
def rows_since() -> Select[Any]:
    """Ask for the rows that were written after the row `id`, in the order in which they were."""
    return _shown(audit).where(audit.c.id > _value("id", "id")).order_by(audit.c.id).limit(_most())


def _shown(source: FromClause) -> Select[Any]:
    known = (users.c.id.label("known_id"), users.c.name.label("known_name"), users.c.email.label("known_email"))
    found = source.outerjoin(users, users.c.id == source.c.person)
    return select(*(source.c[name] for name in SHOWN), *known).select_from(found)


def _source(way: Way, *, fenced: bool) -> FromClause:
    """Return where the rows of a walk come from: the log, or what PostgreSQL may go to by this one index only.

    What it knows of the values would have it go along another, on which the rows may be where it does not expect them.
    """
    if not fenced:
        return audit
    walk = select(*(audit.c[name] for name in SHOWN)).where(*way.between()).order_by(*way.order(audit))
    return walk.limit(LONGEST).subquery()


def _held(asked: Select[Any], way: Way, form: Form, *, lead: str, source: FromClause) -> Select[Any]:
    """Hold each row of the walk against what else is asked; the `most` newest."""
    walk = way.between() if source is audit else []
    return asked.where(*walk, *_others(form, lead, source)).order_by(*way.order(source)).limit(_most())


def _places(form: Form, lead: str, *, fenced: bool) -> Subquery:
    """Ask for the places, `at` and `id`, of the `most` newest rows."""
    first, *others = ways(form, lead)
    return _merged(form, lead, fenced=fenced) if others else _of_way(first, form, lead, fenced=fenced)


def _merged(form: Form, lead: str, *, fenced: bool) -> Subquery:
    """Ask for the places of the `most` newest rows: so many by each walk, then of all of them.

    An OR of two columns would be sorted whole; without a limit for each PostgreSQL goes each walk to its end.
    """
    found = union_all(*(select(_of_way(way, form, lead, fenced=fenced)) for way in ways(form, lead))).subquery()
    return select(found).order_by(found.c.at.desc(), found.c.id.desc()).limit(_most()).subquery()


def _of_way(way: Way, form: Form, lead: str, *, fenced: bool) -> Subquery:
    source = _source(way, fenced=fenced)
    return _held(select(source.c.at, source.c.id), way, form, lead=lead, source=source).subquery()


def _others(form: Form, lead: str, source: FromClause) -> list[ColumnElement[bool]]:
    """Return what must hold beside the lead."""
    found = [_is(source, name, name) for name in form.equal if name != lead]
    if form.about and lead != "about":
        found.append(or_(_is(source, "person", "who"), _is(source, "resource", "whom")))
    if form.actions and lead != "actions":
        found.append(or_(*(_is(source, "action", f"action_{number}") for number in range(form.actions))))
    if form.stream and lead != "administration":
        found.append(beside(source.c.stream) == literal(form.stream, String))
    if form.text:
        written = [bindparam(f"text_{number}", type_=String) for number in range(form.text)]
        found.append(or_(*(source.c[name].icontains(text, escape="/") for name in TEXTS for text in written)))
    return found


def _is(source: FromClause, column: str, value: str) -> ColumnElement[bool]:
    return beside(source.c[column]) == _value(value, column)


def _value(name: str, column: str) -> BindParameter[Any]:
    return bindparam(name, type_=audit.c[column].type)


def _most() -> BindParameter[int]:
    return bindparam("most", type_=BigInteger)
