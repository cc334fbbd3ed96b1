"""Who agreed to what: permissions that applications may use on behalf of people."""

from collections.abc import Iterable
from typing import NamedTuple

from entrada_emulator.directory.model import User


class Permission(NamedTuple):
    """One delegated permission: the client id of the resource and the scope's value there."""

    resource: str
    value: str


class Consents:
    """What people and administrators granted while the emulator runs."""

    def __init__(self) -> None:
        self._by_user: dict[tuple[str, str, str], set[Permission]] = {}
        self._by_tenant: dict[tuple[str, str], set[Permission]] = {}

    def grant(self, client_id: str, *, user: User, permissions: Iterable[Permission]) -> None:
        """One person agrees for themselves."""
        self._by_user.setdefault((client_id, user.tenant_id, user.id), set()).update(permissions)

    def grant_for_tenant(self, client_id: str, *, tenant_id: str, permissions: Iterable[Permission]) -> None:
        """An administrator agrees for everybody in the tenant."""
        self._by_tenant.setdefault((client_id, tenant_id), set()).update(permissions)

    def granted(self, client_id: str, *, user: User) -> frozenset[Permission]:
        """Everything the application may do for this person by consent."""
        own = self._by_user.get((client_id, user.tenant_id, user.id), set())
        return frozenset(own | self._by_tenant.get((client_id, user.tenant_id), set()))

    def withdraw(self, client_id: str, *, user: User) -> None:
        """The person takes their own consent back; the tenant's stays."""
        self._by_user.pop((client_id, user.tenant_id, user.id), None)

    def withdraw_all(self, client_id: str) -> None:
        """Nobody has agreed to anything for this application any more."""
        self._by_user = {key: kept for key, kept in self._by_user.items() if key[0] != client_id}
        self._by_tenant = {key: kept for key, kept in self._by_tenant.items() if key[0] != client_id}
