"""Whom the rows of one append are about: those of the directory, found by their keys in few statements."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, select

from entrada.principal import User
from entrada.users.tables import users

IN_TENANT = re.compile(r"([0-9a-f-]{36}):(.+)", re.ASCII)
AT_ONCE = 128  # people of one statement; a power of two
Pair = tuple[str, str]

_PEOPLE = select(*(users.c[name] for name in ("id", "tenant_id", "object_id", "issuer", "subject", "name", "username")))
# One list for each column, for SQLite finds pairs by no index. What comes with them, somebody's id in another's tenant,
# is nobody that was asked for. `object_id IS NOT NULL` beside them would have SQLite go through the whole tenant.
_IN_TENANTS = _PEOPLE.where(
    users.c.tenant_id.in_(bindparam("places", expanding=True)),
    users.c.object_id.in_(bindparam("ids", expanding=True)),
)
_AT_ISSUERS = _PEOPLE.where(
    users.c.object_id.is_(None),
    users.c.issuer.in_(bindparam("places", expanding=True)),
    users.c.subject.in_(bindparam("ids", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Named:
    """Who a row is about, as far as the row needs it."""

    id: UUID
    label: str


def people_of(connection: Connection, keys: Iterable[str]) -> Mapping[str, Named]:
    """Return who has these keys, which are made by the rule of `User.key`, of those who are known here."""
    in_tenants, at_issuers = list[Pair](), list[Pair]()
    for key in sorted(keys):
        if found := IN_TENANT.fullmatch(key):
            in_tenants.append((found[1], found[2]))
        else:
            issuer, _, subject = key.partition("|")  # no URL has this character
            at_issuers.append((issuer, subject))
    known: dict[str, Named] = {}
    for asked, pairs in ((_IN_TENANTS, in_tenants), (_AT_ISSUERS, at_issuers)):
        for first in range(0, len(pairs), AT_ONCE):
            known |= _found(connection, asked, pairs[first : first + AT_ONCE])
    return known


def _found(connection: Connection, asked: Select[Any], pairs: list[Pair]) -> dict[str, Named]:
    places = _filled_up(list(dict.fromkeys(place for place, _ in pairs)))
    rows = connection.execute(asked, {"places": places, "ids": _filled_up([name for _, name in pairs])})
    return {_key(row): Named(row.id, User("", "", name=row.name, username=row.username).label) for row in rows}


def _key(row: Row[Any]) -> str:
    return f"{row.tenant_id}:{row.object_id}" if row.object_id else f"{row.issuer}|{row.subject}"


def _filled_up(values: list[str]) -> list[str]:
    """Repeat the last value until there are 1, 2, 4 … 128: so there are few statements to prepare."""
    return values + values[-1:] * ((1 << (len(values) - 1).bit_length()) - len(values))
