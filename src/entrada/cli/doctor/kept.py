"""Where sessions and people are kept: whether it answers, keeps what it is given, and has this release's tables."""

import os
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from entrada.cli.db import NEWER, schema_of
from entrada.cli.doctor.patient import Patient
from entrada.cli.findings import Finding
from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import SessionStore
from entrada.users.upgrade import Schema

PROBE_LIFE = timedelta(seconds=30)
SERVER = "start the server, and check its address, user and password in the setting, and the way to it"
SAME_USER = "run this as the user who runs the application"


async def store(patient: Patient) -> Iterable[Finding]:
    """The session store keeps sessions, and a key that is written is read and deleted again (SEC-188)."""
    if patient.settings.store == "memory:":
        return [Finding("store", "passes", "memory: lives in the application's process, and ends with it")]
    if (path := patient.session_file) is not None and (found := _file("store", path)):
        return [found]
    return [await _tried(patient)]


async def _tried(patient: Patient) -> Finding:
    began = time.perf_counter()
    try:
        opened = open_store(patient.settings.store, data_dir=patient.settings.data_dir, clock=patient.clock)
    except SettingsRefused as refused:
        return _refused("store", refused)
    try:
        await opened.prepare()
        kept = await keeps(opened)
    except SettingsRefused as refused:
        return _refused("store", refused)
    except StoreUnavailable as outage:
        return Finding("store", "fails", str(outage), SERVER if patient.session_file is None else "mend the disk")
    finally:
        await opened.close()
    if not kept:
        return Finding("store", "fails", "a probe key that was written was not found", "let all workers use one store")
    took = (time.perf_counter() - began) * 1000
    return Finding("store", "passes", f"a probe key was written, read and deleted in {took:.0f} ms")


async def keeps(opened: SessionStore) -> bool:
    """Write a key, see that it is there and that it is gone when deleted; nothing else in the store is touched."""
    name, holder, other = (b"doctor:" + secrets.token_bytes(8), secrets.token_bytes(8), secrets.token_bytes(8))
    written = await opened.take_lease(name, holder=holder, lifetime=PROBE_LIFE) is not None
    there = await opened.take_lease(name, holder=other, lifetime=PROBE_LIFE) is None
    await opened.drop_lease(name, holder=holder)
    gone = await opened.take_lease(name, holder=other, lifetime=PROBE_LIFE) is not None
    await opened.drop_lease(name, holder=other)
    return written and there and gone


async def users(patient: Patient) -> Iterable[Finding]:
    """The users' database answers, and its tables are this release's."""
    if (path := patient.users_file) is not None and (found := _file("users", path)):
        return [found]
    try:
        schema = await schema_of(patient.settings)
    except SettingsRefused as refused:
        return [_refused("users", refused)]
    except StoreUnavailable as outage:
        return [Finding("users", "fails", str(outage), SERVER)]
    return [Finding("users", "passes", "the database answers"), migrations(schema)]


def migrations(schema: Schema) -> Finding:
    """Judge how far the tables are."""
    if schema.newer:
        mend = "run the release that wrote it, or restore the backup from before it"
        return Finding("migrations", "fails", NEWER.format(schema.current), mend)
    if schema.pending:
        steps = ", ".join(step.revision for step in schema.pending)
        mend = "run `entrada db upgrade`; an application that may make tables does so at its start"
        return Finding("migrations", "fails", f"at {schema.current or 'nothing'}, pending {steps}", mend)
    return Finding("migrations", "passes", f"at {schema.current}, this release's")


def _file(check: str, path: Path) -> Finding | None:
    """Return what is to be said of a file that must not be opened from here; None when it may."""
    if not path.is_file():
        return _not_made(check, path)
    if path.stat().st_uid != os.getuid():
        # what SQLite makes beside it would be ours, and the application could not write it
        return Finding(check, "unknown", f"{path} is another user's", SAME_USER)
    return None


def _not_made(check: str, path: Path) -> Finding | None:
    if path.with_name(f"{path.name}.made").exists():
        return None  # it was there: who opens it says how it is to be mended
    there = next(each for each in path.absolute().parents if each.is_dir())
    if os.access(there, os.W_OK | os.X_OK):
        return Finding(check, "unknown", f"{path} is not there yet; the first start makes it")
    return Finding(check, "fails", f"{path} is not there, and {there} cannot be written", SAME_USER)


def _refused(check: str, refused: SettingsRefused) -> Finding:
    """Return the first fault, which says itself how to mend it after its semicolon."""
    told, _, mend = refused.faults[0].partition("; ")
    return Finding(check, "fails", told, mend or "see docs/stores.md")
