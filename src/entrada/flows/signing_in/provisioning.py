"""Who becomes a user here: the application's own rule, then the directory of users."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from entrada.errors import SignInRefused
from entrada.flows.signing_in.admission import Admission
from entrada.principal import Principal, User

if TYPE_CHECKING:
    from entrada.users.directory import Directory
    from entrada.users.person import Person

Provision = Callable[[User], User | Awaitable[User | None] | None]
"""The application's rule: gives the user to admit, perhaps with other roles, or None to refuse."""


class NotAdmitted(SignInRefused):
    """The authority knows this person; this application does not let them in."""

    code = "not_admitted"
    public = "Your account may not use this application."


class Provisioning:
    """Admits a verified person: asks about the tenant, then the rule, then creates or updates their row."""

    def __init__(
        self, directory: "Directory", rule: Provision | None = None, *, admission: Admission | None = None
    ) -> None:
        """Ask `admission` about tenants; None where the authority is for one, whose people it vouches for."""
        self._directory = directory
        self._rule = rule
        self.admission = admission

    async def admit(self, user: User, *, at: datetime) -> User:
        """Return the user who may come in; SignInRefused when tenants, rule or directory say no."""
        await self._check_tenant(user)
        admitted = await self.asked(user)
        person = await self._directory.signed_in(admitted, at)
        return admitted.with_grants(person.roles)

    async def readmit(self, user: User) -> User:
        """Return somebody who is in as they would be admitted now; nothing is written.

        SignInRefused when tenants, rule or directory say no, where they must be known.
        """
        await self._check_tenant(user)
        admitted = await self.asked(user)
        return admitted.with_grants(_roles(await self._directory.known(admitted)))

    async def standing(self, caller: Principal) -> frozenset[str]:
        """Return the roles granted here to a caller who may still come in; none to an application.

        NotAdmitted for a person who was made inactive, TenantRefused for a tenant that is not let in. One who never
        signed in here is not inactive; an application is only asked about by its tenant.
        """
        await self._check_tenant(caller)
        person = await self._directory.known(caller) if isinstance(caller, User) else None
        return _roles(person) if person else frozenset()

    async def still(self, user: User) -> frozenset[str]:
        """Return the roles granted here to somebody who was admitted a moment ago.

        Errors like `standing`; NotAdmitted also for one who was deleted meanwhile.
        """
        await self._check_tenant(user)
        return _roles(await self._directory.known(user))

    async def _check_tenant(self, caller: Principal) -> None:
        if self.admission is not None:
            await self.admission.check(caller.tenant_id)

    async def asked(self, user: User) -> User:
        """Return the user as the rule admits them, whose row is not written; NotAdmitted when it refuses."""
        if self._rule is None:
            return user
        answer = self._rule(user)
        admitted = await answer if inspect.isawaitable(answer) else answer
        if admitted is None or admitted.key != user.key:
            raise NotAdmitted("the provision function refused")
        return admitted


def _roles(person: "Person | None") -> frozenset[str]:
    if person is None or not person.is_active:
        raise NotAdmitted("the user is inactive, or was deleted")
    return person.roles
