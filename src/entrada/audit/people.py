"""Whom the rows of one append are about: those of the directory, found by their keys in few statements."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.principal import User
from entrada.users.tables import users

IN_TENANT = re.compile(r"([0-9a-f-]{36}):(.+)", re.ASCII)
AT_ONCE = 128  # people of one statement; a power of two
Pair = tuple[str, str]

_PEOPLE = select(*(users.c[name] for name in ("id", "tenant_id", "object_id", "issuer", "subject", "name", "username")))
_IN_TENANTS = _PEOPLE.where(
    users.c.object_id.is_not(None),  # the condition of the index
    tuple_(users.c.tenant_id, users.c.object_id).in_(bindparam("pairs", expanding=True)),
)
_AT_ISSUERS = _PEOPLE.where(
    users.c.object_id.is_(None), tuple_(users.c.issuer, users.c.subject).in_(bindparam("pairs", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Named:
    """Who a row is about, as far as the row needs it."""

    id: UUID
    label: str


async def people_of(connection: AsyncConnection, keys: Iterable[str]) -> Mapping[str, Named]:
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
        for some in _filled_up(pairs):
            known |= await _found(connection, asked, some)
    return known


async def _found(connection: AsyncConnection, asked: Select[Any], pairs: list[Pair]) -> dict[str, Named]:
    rows = await connection.execute(asked, {"pairs": pairs})
    return {_key(row): Named(row.id, User("", "", name=row.name, username=row.username).label) for row in rows}


def _key(row: Row[Any]) -> str:
    return f"{row.tenant_id}:{row.object_id}" if row.object_id else f"{row.issuer}|{row.subject}"


def _filled_up(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Give the pairs in groups of 1, 2, 4 … 128, the last one repeated: so few statements are few to prepare."""
    for first in range(0, len(pairs), AT_ONCE):
        some = pairs[first : first + AT_ONCE]
        yield some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
