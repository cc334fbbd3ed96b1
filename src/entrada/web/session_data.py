"""`request.session`: the application's own data in the session of the person who is signed in, as Starlette has it.

It costs nothing until it is used, is written only when it has changed, and when two requests change it at once each
keeps what it changed.
"""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from entrada.errors import NotSignedIn
from entrada.sessions import data
from entrada.sessions.data import Values
from entrada.web.context import Context


class SessionData(MutableMapping[str, Any]):
    """Names with JSON values; empty, and closed to changes, when nobody is signed in."""

    _values: dict[str, Any] | None = None
    _before: Values

    def __init__(self, context: Context) -> None:
        self._context = context

    def __getitem__(self, name: str) -> Any:
        return self._open()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._writable()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._writable()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    def __repr__(self) -> str:
        return "SessionData(…)"  # what an application keeps here is not for logs

    async def save(self) -> None:
        """Write what has changed, if anything; NotSignedIn, SessionDataRefused or StoreUnavailable when it cannot."""
        values, self._values = self._values, None  # once: an answer to a failure of this does not try again
        session = self._context.known_session
        if values is None or session is None:
            return
        if changed := data.changes(self._before, values):
            await self._context.house.sessions.change_data(session, changed)

    def _writable(self) -> dict[str, Any]:
        values = self._open()
        if self._context.known_session is None:
            raise NotSignedIn("session data is kept for people who are signed in")
        return values

    def _open(self) -> dict[str, Any]:
        if self._values is None:
            session = self._context.known_session
            self._before = self._context.house.sessions.data(session) if session else {}
            self._values = {name: json.loads(value) for name, value in self._before.items()}
            self._context.save_data = self.save
        return self._values
