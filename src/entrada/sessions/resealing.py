"""What sessions hold is sealed anew under the active key, all of it: for whoever rotates keys, beside running workers.

What is under the active key already is passed by, so a run that was cut short is taken up by running it again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
import msgspec

from entrada.sessions.record import SessionRecord, decode, encode, owner
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import Resealed, SessionStore, Stored

BATCH = 200  # sessions: one transaction, of a few milliseconds
PAUSE = 0.02  # seconds after each, in which others write


@dataclass(slots=True)
class Progress:
    """How far it has come."""

    sessions: int = 0
    """How many were looked at."""
    records: int = 0
    """How many records were signed anew."""
    tokens: int = 0
    """How many sessions' tokens were sealed anew."""
    unreadable: int = 0
    """How many have a part that no key of the ring opens, or that a newer release wrote: they stay as they are."""


async def reseal(store: SessionStore, *, sealer: Sealer, told: Callable[[Progress], None]) -> Progress:
    """Seal every living session anew; `told` hears after each batch. StoreUnavailable leaves done what was done.

    Safe beside workers: a part that one of them changes meanwhile keeps what they wrote.
    """
    progress, batch = Progress(), list[Resealed]()
    async for key, record, tokens in store.scan():
        batch.append(_anew(key, record, tokens, sealer=sealer, progress=progress))
        if len(batch) == BATCH:
            await _put(store, batch)
            told(progress)
            batch.clear()
            await anyio.sleep(PAUSE)
    await _put(store, batch)
    return progress


def _anew(key: bytes, record: Stored, tokens: Stored, *, sealer: Sealer, progress: Progress) -> Resealed:
    """Return the parts of a session that are not under the active key yet, under it."""
    progress.sessions += 1
    signed, version = record
    plain = sealer.verify(signed, purpose="session-record", bound_to=key)
    held = decode(plain) if plain else None
    if held is None:
        progress.unreadable += 1
        return Resealed(key, None, None)
    anew = _record(key, signed, held, sealer=sealer)
    sealed = sealer.resealed(tokens[0], purpose="session-tokens", bound_to=owner(key, held.user))
    progress.unreadable += sealed is None
    progress.records += anew is not signed
    progress.tokens += sealed not in {None, tokens[0]}
    return Resealed(
        key,
        None if anew is signed else (anew, version),
        None if sealed in {None, tokens[0]} else (sealed or b"", tokens[1]),
    )


def _record(key: bytes, signed: bytes, held: SessionRecord, *, sealer: Sealer) -> bytes:
    """Return the record signed anew with the application's data sealed anew, or itself where nothing is to be done."""
    data = held.data and sealer.resealed(held.data, purpose="session-data", bound_to=owner(key, held.user))
    if sealer.made(signed) and data in {None, held.data}:
        return signed
    return sealer.sign(
        encode(msgspec.structs.replace(held, data=data or held.data)), purpose="session-record", bound_to=key
    )


async def _put(store: SessionStore, batch: list[Resealed]) -> None:
    if rows := [row for row in batch if row.record or row.tokens]:
        await store.reseal(rows)
