"""Who becomes a user here: the application's own rule, then the directory of users."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from entrada.errors import SignInRefused
from entrada.principal import User

if TYPE_CHECKING:
    from entrada.users.directory import Directory

Provision = Callable[[User], User | Awaitable[User | None] | None]
"""The application's rule: gives the user to admit, perhaps with other roles, or None to refuse."""


class NotAdmitted(SignInRefused):
    """The authority knows this person; this application does not let them in."""

    code = "not_admitted"
    public = "Your account may not use this application."


class Provisioning:
    """Admits a verified person: asks the rule, then creates or updates their row."""

    def __init__(self, directory: "Directory", rule: Provision | None = None) -> None:
        self._directory = directory
        self._rule = rule

    async def admit(self, user: User, *, at: datetime) -> User:
        """Return the user who may come in; SignInRefused when the rule or the directory says no."""
        admitted = await self._asked(user)
        await self._directory.signed_in(admitted, at)
        return admitted

    async def admit_by_bearer(self, user: User) -> User:
        """Return the user whom a bearer token lets in, by the same rule; no row is written, for nobody signed in."""
        admitted = await self._asked(user)
        if await self._directory.is_inactive(admitted):
            raise NotAdmitted("the user is inactive")
        return admitted

    async def _asked(self, user: User) -> User:
        """Return the user as the rule admits them."""
        if self._rule is None:
            return user
        answer = self._rule(user)
        admitted = await answer if inspect.isawaitable(answer) else answer
        if admitted is None or admitted.key != user.key:
            raise NotAdmitted("the provision function refused")
        return admitted
