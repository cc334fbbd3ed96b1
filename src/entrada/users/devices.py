"""The devices that people have signed in from, remembered when their sessions are long over.

A browser keeps a random number in a cookie for 400 days; here lies a keyed hash of person and number. So the table
tells nobody which people share a device, and a copy of it makes no cookie.
"""

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.keyring import KeyRing
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import is_person
from entrada.users.tables import devices, users

Sighting = Literal["first", "new", "known"]
"""`first`: nobody knew any device of this person yet, so there is nothing to compare with."""

KEPT = timedelta(days=400)  # as long as browsers keep the cookie
MOST = 100  # of one person; who comes without the cookie each time fills no table


class Devices:
    """Knows devices again, under any key of the ring; under a key that was dropped they are new once more."""

    def __init__(self, database: Database, ring: KeyRing) -> None:
        self._database = database
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Write names under this ring's active key from now on, and know those of its keys."""
        self._keys = tuple(key.derive("device") for key in ring.keys)

    async def seen(self, user: User, device_id: str, *, user_agent: str | None, at: datetime) -> Sighting:
        """Note that this person, who is in the directory, signs in from this device; say whether it was known."""
        names = [_name(key, user, device_id) for key in self._keys]

        async def work(connection: AsyncConnection) -> Sighting:
            person = (await connection.execute(select(users.c.id).where(is_person(user)))).scalar_one()
            theirs = devices.c.user_id == person
            shown = {"name": names[0], "last_seen_at": at, "user_agent": user_agent}
            again = update(devices).where(theirs, devices.c.name.in_(names)).values(shown)
            if (await connection.execute(again.returning(devices.c.name))).first():
                return "known"
            others = (await connection.execute(select(func.count()).where(theirs))).scalar_one()
            await _make_room(connection, theirs, at)
            await connection.execute(insert(devices).values({**shown, "user_id": person, "first_seen_at": at}))
            return "new" if others else "first"

        return await self._database.run(work)


async def _make_room(connection: AsyncConnection, theirs: ColumnElement[bool], at: datetime) -> None:
    """Forget what no browser can come back with, and the longest unseen of too many."""
    await connection.execute(delete(devices).where(theirs, devices.c.last_seen_at < at - KEPT))
    newest = devices.c.last_seen_at.desc()
    surplus = select(devices.c.name).where(theirs).order_by(newest).limit(MOST).offset(MOST - 1)
    await connection.execute(delete(devices).where(theirs, devices.c.name.in_(surplus)))


def _name(key: bytes, user: User, device_id: str) -> str:
    return hmac.new(key, f"{user.key}\n{device_id}".encode(), sha256).hexdigest()
