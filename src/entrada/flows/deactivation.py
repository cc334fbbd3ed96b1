"""Shutting somebody out: they sign in no more, and what they have open ends."""

from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.users.directory import Directory


class Deactivation:
    """Deactivates people."""

    def __init__(self, directory: Directory, sessions: Sessions) -> None:
        self._directory = directory
        self._sessions = sessions

    async def of(self, user: User) -> int:
        """Let this person sign in no more, then end their sessions on every worker; return how many those were.

        StoreUnavailable when one of the two could not be done: it may be done again.
        """
        await self._directory.deactivate(user)
        return await self._sessions.end_all_of(user)
