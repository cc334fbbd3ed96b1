"""Rows to which several indexes lead: a page by each of them, in the log's order, put together.

An OR of two columns, and an IN of several values, would be sorted whole, or looked for among all rows by their time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    String,
    Subquery,
    bindparam,
    literal,
    select,
    tuple_,
    union,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from entrada.audit.rows import Stream
from entrada.users.tables import audit

Ways = tuple[ColumnElement[bool], ...]
EQUAL = ("outcome", "person", "tenant_id", "address", "correlation_id")
MOST_ACTIONS = 8  # each is a way of its own; of more, some are frequent, and then the order of time finds them soon


class beside(FunctionElement[Any]):  # noqa: N801 written as SQL functions are
    """A column of which no index is to be used: SQLite would take one that leads to half of all rows."""

    inherit_cache = True


@compiles(beside)
def _plainly(element: beside, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(beside, "sqlite")
def _with_plus(element: beside, compiler: SQLCompiler, **how: Any) -> str:
    return "+" + compiler.process(element.clauses, **how)


BY_NAME: Mapping[str, ColumnElement[bool]] = {
    **{name: beside(audit.c[name]) == bindparam(name, type_=audit.c[name].type) for name in EQUAL},
    "since": audit.c.at >= bindparam("since", type_=audit.c.at.type),
    "until": audit.c.at < bindparam("until", type_=audit.c.at.type),
    "action": beside(audit.c.action) == bindparam("action", type_=String),
    "actions": beside(audit.c.action).in_(bindparam("actions", expanding=True, type_=String)),
}
"""What may be asked of rows that one of the ways has found; an IN is written anew each time, so one has its own."""

ABOUT: Ways = (
    audit.c.person == bindparam("who", type_=audit.c.person.type),
    audit.c.resource == bindparam("whom", type_=String),
)


def of_actions(number: int) -> Ways:
    """Return the ways to rows of so many actions: `action_0` and so on."""
    return tuple(audit.c.action == bindparam(f"action_{each}", type_=String) for each in range(number))


def conditions(given: Sequence[str], *, stream: Stream | None, goes_on: bool) -> list[ColumnElement[bool]]:
    """Return what else must hold: `given` of BY_NAME, a stream, and to be older than the place `at`, `id`."""
    found = [BY_NAME[name] for name in given]
    if stream is not None:
        found.append(beside(audit.c.stream) == literal(stream, String))
    if goes_on:
        place = bindparam("at", type_=audit.c.at.type), bindparam("id", type_=audit.c.id.type)
        found.append(tuple_(audit.c.at, audit.c.id) < tuple_(*place))
    return found


def merged(ways: Ways, having: Sequence[ColumnElement[bool]]) -> Subquery:
    """Ask for the places, `at` and `id`, of the `most` newest rows: so many by each way, then of all of them.

    Without a limit for each way PostgreSQL reads every way to its end.
    """
    places = select(audit.c.at, audit.c.id).where(*having)
    each = (select(_newest(places.where(way), audit).subquery()) for way in ways)
    found = union(*each).subquery()
    return _newest(select(found), found).subquery()


def _newest(asked: Select[Any], place: FromClause) -> Select[Any]:
    in_order = asked.order_by(place.c.at.desc(), place.c.id.desc())
    return in_order.limit(bindparam("most", type_=BigInteger))
