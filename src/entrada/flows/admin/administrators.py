"""Lets administrators in, each to a desk of their own."""

from dataclasses import replace

from entrada.errors import NotAllowed
from entrada.flows.admin.administration import Actor
from entrada.flows.admin.desk import Desk, Office
from entrada.flows.admin.policy import AdminPolicy
from entrada.principal import User
from entrada.users.changes import RIGHTS
from entrada.users.directory import Directory


class Administrators:
    """Knows by the settings, and by the directory as it is at this moment, who administers whom."""

    def __init__(self, policy: AdminPolicy, office: Office, directory: Directory) -> None:
        self.policy = policy
        self._office = office
        self._directory = directory

    async def desk(self, user: User, actor: Actor) -> Desk:
        """Return what this person administers; NotAllowed when that is nothing, StoreUnavailable if it cannot be told.

        What they must have proven is the policy's to say, and the caller's to ask.
        """
        person = await self._directory.known(user)
        if person is None:
            raise NotAllowed(RIGHTS)
        scope = self.policy.scope_of(user, person)
        actor = replace(actor, id=person.id, promoted=person.is_admin)
        return Desk(self._office, person=person, scope=scope, actor=actor)
