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
        admitted = await self.asked(user)
        await self._directory.signed_in(admitted, at)
        return admitted

    async def check_active(self, user: User) -> None:
        """Raise NotAdmitted for a person who was made inactive; one who never signed in here is not."""
        if await self._directory.is_inactive(user):
            raise NotAdmitted("the user is inactive")

    async def asked(self, user: User) -> User:
        """Return the user as the rule admits them, whose row is not written; NotAdmitted when it refuses."""
        if self._rule is None:
            return user
        answer = self._rule(user)
        admitted = await answer if inspect.isawaitable(answer) else answer
        if admitted is None or admitted.key != user.key:
            raise NotAdmitted("the provision function refused")
        return admitted
