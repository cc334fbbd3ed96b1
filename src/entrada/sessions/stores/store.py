"""Where sessions are kept: a protocol of bytes in, bytes out, that knows neither people nor tokens.

Every method may raise StoreUnavailable. Keys are opaque bytes. A session has two parts, each with a version of its own:
the record, read on every request, and the tokens, read when one is needed; so a touch never makes a renewal lose.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

Stored: TypeAlias = tuple[bytes, int]
"""One part of a session as the store has it, and its version, which is what a replacement must name."""

NOT_INDEXED = b""
"""The `Index.user` of what an older release inserted without an index; `Sessions` gives it one."""

CLOCK_SLACK = timedelta(seconds=1)
"""How far a clock may run back, being put right in small steps, without a lease being taken for one of before."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a session can be found by, beside its key; bytes are keyed hashes, not names."""

    user: bytes = field(repr=False)
    """Of `User.key`."""
    sid: bytes | None = field(repr=False)
    """Of issuer and `sid`; None where the provider names no session."""
    due_at: datetime | None
    """When its tokens want renewal; None: never."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a session holds, under another seal: each part with the version it is the content of; None leaves it."""

    key: bytes
    record: Stored | None = field(repr=False)
    tokens: Stored | None = field(repr=False)


class SessionStore(Protocol):
    """What a session store does. Methods are coroutines, but `get` of an embedded store never suspends."""

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none.

        It may have expired and not been swept yet: it says itself until when it is good, under our signature.
        """
        ...

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired."""
        ...

    async def prepare(self) -> None:
        """Connect, and make ready what is needed; SettingsRefused when this store must not be used."""
        ...

    async def insert(
        self,
        key: bytes,
        *,
        record: bytes,
        tokens: bytes,
        expires_at: datetime,
        index: Index,
        replacing: Sequence[bytes] = (),
    ) -> None:
        """Add a session with both parts at version 1 and delete those it replaces.

        Once it returns, both are done. Where they cannot be done together, those replaced go last: a store that fails
        half-way ends nobody's session, and nobody has got the id of what it may have added.
        """
        ...

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False, and nothing done, when that is not the present one.

        A session that was deleted or has expired stays so: nothing is ever put where nothing is.
        """
        ...

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int, due_at: datetime | None) -> bool:
        """Put new tokens, and when they want renewal, in place of `version`; under the same conditions as `replace`."""
        ...

    async def reseal(self, rows: Sequence[Resealed]) -> None:
        """Put these parts in place of those of the same versions, which stay as they are, like everything else.

        So nobody notices who reads or writes the sessions meanwhile. A part of another version is left alone.
        """
        ...

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts; once it returns, no worker reads them again.

        With Redis that holds for this worker; the others have heard of it, or ask again, within half a second.
        """
        ...

    async def index(self, indexes: Mapping[bytes, Index]) -> None:
        """Let those of these sessions that are there be found by this from now on, and by nothing else."""
        ...

    async def by_user(self, user: bytes, *, limit: int) -> list[tuple[bytes, Stored]]:
        """Return key and record of at most `limit` living sessions of this user, in no order."""
        ...

    async def by_sid(self, sid: bytes) -> list[bytes]:
        """Return the keys of the living sessions that began with this `sid`."""
        ...

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions due before then, soonest first.

        The cost follows the number that is due, not the number of sessions.
        """
        ...

    async def postpone(self, key: bytes, *, due_at: datetime | None) -> None:
        """Let a session that is there be due then; None: never, until its tokens are replaced."""
        ...

    async def take_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> int | None:
        """Hold `name` alone for `lifetime`; return a fence, or None when somebody else holds it.

        Of all fences that were ever given for a name, on whichever worker, a later one is greater. All who take a name
        give one lifetime: a lease that would last longer is from before a clock was set back, and has ended (REL-046).
        """
        ...

    async def extend_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> bool:
        """Hold it for `lifetime` from now; False when it was lost in between, and nothing done."""
        ...

    async def drop_lease(self, name: bytes, *, holder: bytes) -> None:
        """Let go of a lease, if this holder has it."""
        ...

    async def add_if_absent(self, key: bytes, *, lifetime: timedelta) -> bool:
        """Remember `key` for `lifetime`; True for exactly one caller, on whichever worker, until it is forgotten."""
        ...

    async def delete_expired(self, *, limit: int) -> int:
        """Delete at most `limit` of what has expired, of each kind, and return how many there were.

        Nothing, always, where the store's own expiry does it.
        """
        ...

    def scan(self) -> AsyncIterator[tuple[bytes, Stored, Stored]]:
        """Give key, record and tokens of each living session, in no order, a batch at a time.

        For whoever looks after the store, not for requests: it reads everything. What begins or ends meanwhile may be
        given or not.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections; nothing may be asked afterwards."""
        ...
