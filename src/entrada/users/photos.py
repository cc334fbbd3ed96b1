"""People's pictures, small ones, as the authority had them at the last sign-in (USR-1)."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Self
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import find, is_person
from entrada.users.tables import photos, users

BEGINNINGS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""What pictures begin with. A picture is a browser's to draw, so its own bytes say what it is, and no header."""
KINDS = tuple(BEGINNINGS.values())
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture."""

    kind: str
    """Its media type."""
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """Return the picture of these bytes; None when they are none that we show."""
        kind = next((kind for beginning, kind in BEGINNINGS.items() if data.startswith(beginning)), None)
        return cls(kind, data) if kind else None

    @property
    def digest(self) -> str:
        """What changes with the picture, in hexadecimal digits."""
        return blake2b(self.data, digest_size=DIGEST_BYTES).hexdigest()


class Photos:
    """Keeps at most one picture of each person. StoreUnavailable when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person_id: UUID) -> Photo | None:
        """Return the person's picture."""
        asked = select(photos.c.kind, photos.c.data).where(photos.c.user_id == person_id)
        async with self._database.unit_of_work(read_only=True) as connection:
            row = (await connection.execute(asked)).one_or_none()
        return Photo(row.kind, row.data) if row else None

    async def told(self, user: User, photo: Photo | None, *, at: datetime) -> None:
        """Keep the picture that the authority has of a person now, None when it has none any more.

        Nothing is kept of somebody who is not known.
        """
        digest = photo.digest if photo else None

        async def work(connection: AsyncConnection) -> None:
            known = await find(connection, is_person(user), lock=True)
            if known is None or known.photo == digest:
                return
            await connection.execute(delete(photos).where(photos.c.user_id == known.id))
            if photo is not None:
                row = {"user_id": known.id, "kind": photo.kind, "data": photo.data}
                await connection.execute(insert(photos).values(row))
            changed = {"photo": digest, "updated_at": at}
            await connection.execute(update(users).where(users.c.id == known.id).values(changed))

        await self._database.run(work)
