"""The customers of B2C tenants: those of the directory, and what changed since: sign-ups, passwords, profiles."""

import uuid
from dataclasses import replace

from entrada_emulator.directory.model import User
from entrada_emulator.directory.world import World

SHORTEST_PASSWORD = 8  # characters


class Customers:
    """Everybody who signed up or changed while the emulator runs; the directory itself never changes."""

    def __init__(self) -> None:
        self._changed: dict[tuple[str, str], User] = {}

    def get(self, world: World, tenant_id: str, object_id: str) -> User | None:
        """The customer as they are now."""
        return self._changed.get((tenant_id, object_id)) or world.user(tenant_id, object_id)

    def all_of(self, world: World, tenant_id: str) -> list[User]:
        """All customers of a tenant, the directory's first."""
        known = {user.id: user for user in world.users_of(tenant_id)}
        added = {user.id: user for (tenant, _), user in self._changed.items() if tenant == tenant_id}
        return list((known | added).values())

    def by_email(self, world: World, tenant_id: str, email: str) -> User | None:
        """The customer with this address, in any case."""
        wanted = email.strip().lower()
        return next((u for u in self.all_of(world, tenant_id) if (u.mail or "").lower() == wanted), None)

    def sign_up(self, tenant_id: str, *, email: str, password: str, names: dict[str, str]) -> User:
        """A new customer."""
        object_id = str(uuid.uuid4())
        customer = User(
            id=object_id,
            tenant_id=tenant_id,
            user_principal_name=email,
            display_name=names["display_name"],
            password=password,
            given_name=names["given_name"],
            surname=names["surname"],
            mail=email,
        )
        return self._keep(customer)

    def set_password(self, customer: User, password: str) -> User:
        """A new password."""
        return self._keep(replace(customer, password=password))

    def edit(self, customer: User, names: dict[str, str]) -> User:
        """A new profile."""
        return self._keep(
            replace(
                customer,
                display_name=names["display_name"],
                given_name=names["given_name"],
                surname=names["surname"],
            )
        )

    def _keep(self, customer: User) -> User:
        self._changed[(customer.tenant_id, customer.id)] = customer
        return customer
