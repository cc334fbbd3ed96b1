"""The application's own data in a session, sealed under the key of the ring that is active."""

from typing import Final

import msgspec

from entrada.logs import log
from entrada.sessions import data
from entrada.sessions.data import Values
from entrada.sessions.record import SessionRecord, owner
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session

PURPOSE: Final = "session-data"


class OwnData:
    """Opens and seals what applications keep in sessions."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def of(self, session: Session) -> Values:
        """Return what is in the session; nothing when it cannot be opened."""
        if not session.record.data:
            return {}
        plain = self._sealer.open(session.record.data, purpose=PURPOSE, bound_to=owner(session.key, session.user))
        if plain is None:
            log.error("session_unreadable", part="data")
        return data.decode(plain or b"")

    def put_into(self, session: Session, values: Values) -> SessionRecord:
        """Return the session's record with these instead; SessionDataRefused when they are too many."""
        plain = data.encode(values)
        bound_to = owner(session.key, session.user)
        sealed = self._sealer.seal(plain, purpose=PURPOSE, bound_to=bound_to) if plain else b""
        return msgspec.structs.replace(session.record, data=sealed)

    def resealed(self, session: Session) -> bytes:
        """Return the sealed data under the active key; as it is where no key of ours opens it."""
        sealed = session.record.data
        if not sealed:
            return sealed
        return self._sealer.resealed(sealed, purpose=PURPOSE, bound_to=owner(session.key, session.user)) or sealed
