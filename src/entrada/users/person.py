"""One person as the directory knows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from entrada.principal import ADMIN_ROLE, User

NAMELESS = "Without a name"


@dataclass(frozen=True, slots=True)
class Person:
    """One who has signed in here; `id` is ours and never changes, names are for display."""

    id: UUID
    name: str
    username: str
    email: str | None
    is_active: bool
    created_at: datetime
    last_sign_in_at: datetime
    updated_at: datetime | None = None
    """When a sign-in or an administrator changed the row last."""
    is_admin: bool = False
    given_name: str | None = None
    family_name: str | None = None
    department: str | None = None
    job_title: str | None = None
    photo: str | None = None
    """What changes with their picture, which `users.photos` has; None when there is none."""
    version: int = 1
    """Counts what administrators have changed: who changes it again says which version they have seen."""
    edited: frozenset[str] = frozenset()
    """What an administrator wrote, and sign-ins leave as it is."""
    grants: frozenset[str] = frozenset()
    """The roles granted here, beside those that the authority tells of."""
    tenant_id: str | None = None
    object_id: str | None = None
    issuer: str = ""
    subject: str = ""

    @property
    def user(self) -> User:
        """Return whom the row is of: who they are, and nothing that the authority has said beside."""
        return User(
            issuer=self.issuer,
            subject=self.subject,
            tenant_id=self.tenant_id,
            object_id=self.object_id,
            name=self.name,
            username=self.username,
            email=self.email,
        )

    @property
    def roles(self) -> frozenset[str]:
        """What they may be here beyond what the authority says: their grants, and the administrator's role."""
        return self.grants | {ADMIN_ROLE} if self.is_admin else self.grants

    @property
    def called(self) -> str:
        """What pages call them."""
        return called(self)


def called(who: Any) -> str:
    """Return what pages call somebody: by the first of these that is known."""
    return who.name.strip() or who.username or who.email or NAMELESS


def person_of(row: Row[Any], grants: frozenset[str] = frozenset()) -> Person:
    """Return the person of a row of the directory."""
    names = [name for name in Person.__slots__ if name not in {"edited", "grants"}]
    values = {name: getattr(row, name) for name in names}
    return Person(**values, edited=frozenset(row.edited.split()), grants=grants)
