"""`entrada keys`: making keys, rotating the ring, and seeing what each key is still needed for.

A rotation takes two steps, so that no worker ever meets the seal of a key it does not know: first the new key waits
and only opens; when all workers know it, it becomes the active one. Nothing but `generate` prints a secret.
"""

import asyncio
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from entrada import keyring
from entrada.clock import system_clock
from entrada.errors import SettingsRefused
from entrada.files import ANYBODY_ELSE, alone_with, write_anew
from entrada.keyring import Key, KeyRing
from entrada.sessions import resealing
from entrada.sessions.census import Census, take_census
from entrada.sessions.keyfile import KeyFile, load_or_create_ring, ring_file
from entrada.sessions.resealing import Progress
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store, visible
from entrada.sessions.stores.store import SessionStore
from entrada.settings import Settings

WAIT_SECONDS = 60  # workers look at the file each second; the rest is for a machine that is busy or asleep

keys = typer.Typer(help="The keys that protect sessions.", no_args_is_help=True)
T = TypeVar("T")
SHOW_EVERY = 10_000  # sessions between two lines of progress
Force = Annotated[bool, typer.Option("--force", help="Even if people have to sign in again for it.")]
File = Annotated[Path | None, typer.Option("--file", help="The file of the ring; by default the settings name it.")]


@keys.command()
def generate() -> None:
    """Print a new key: keep it as you would a password."""
    typer.echo(keyring.generate())


@keys.command()
def rotate(file: File = None) -> None:
    """Take the next step of a rotation: a new key that waits, or the waiting one made active."""
    path = _path(file)
    with alone_with(path):
        ring = KeyFile(path).read()
        newest = ring.waiting
        _write(path, ring.promoted() if newest else _extended(ring), waited=newest)
    if newest is None:
        typer.echo(
            f"A new key waits. In a minute, when every worker has read {path}, run this again to make it active."
        )
        typer.echo("Where other machines have the ring from elsewhere, give them this one first.")
    else:
        typer.echo(f"{newest.id} is active. {ring.active.id} still opens what it sealed: see `entrada keys status`.")


@keys.command()
def reseal() -> None:
    """Seal everything in the store anew with the active key; workers may run, and it may be run again."""
    settings = Settings.load()
    ring = load_or_create_ring(settings)
    if not visible(settings.store, data_dir=settings.data_dir):
        raise SettingsRefused(["store: there is nothing that could be sealed anew from here"])
    sealer, shown = Sealer(ring), 0

    def told(progress: Progress) -> None:
        nonlocal shown
        if progress.sessions - shown >= SHOW_EVERY:
            shown = progress.sessions
            typer.echo(_done(progress))

    typer.echo(_done(_with_store(settings, lambda store: resealing.reseal(store, sealer=sealer, told=told))))
    census = _census(settings, ring)
    if census:
        _show(ring, census)


@keys.command()
def drop(key_id: str, file: File = None, force: Force = False) -> None:
    """Take a key out of the ring, unless a session still needs it."""
    settings = Settings.load()
    path = _path(file, settings)
    with alone_with(path):
        ring = KeyFile(path).read()
        try:
            rest = ring.without(key_id)
        except KeyError:
            raise SettingsRefused([f"keys: {key_id} is not in {path}"]) from None
        except ValueError as error:
            raise SettingsRefused([f"keys: {key_id}: {error}; rotate first"]) from None
        census = _census(settings, ring)
        needed = census is None or census.needs(key_id)
        if needed and not force:
            mend = "wait, or use --force: those people sign in again"
            raise SettingsRefused(
                [f"keys: {key_id}: sessions need it, or the store cannot tell; see the status; {mend}"]
            )
        _replace(path, rest)
    typer.echo(f"{key_id} is gone: what it sealed opens no more.")


@keys.command()
def status() -> None:
    """Show the keys of the ring, and how many living sessions need each of them."""
    settings = Settings.load()
    ring = load_or_create_ring(settings)
    census = _census(settings, ring)
    typer.echo(f"ring: {ring_file(settings) or 'the setting keys'}")
    if census is None:
        for key in ring.keys:
            typer.echo(f"  {key.id:<32} {_state(key, ring)}")
        typer.echo("The store is in the memory of the running application: what it holds cannot be seen from here.")
        return
    _show(ring, census)


def _show(ring: KeyRing, census: Census) -> None:
    typer.echo(f"  {'key':<12} {'state':<8} {'sessions':>9} {'records':>9} {'tokens':>9}  needed")
    for key in ring.keys:
        counts = "".join(f" {counted[key.id]:>9}" for counted in (census.found, census.records, census.tokens))
        typer.echo(f"  {key.id:<12} {_state(key, ring):<8}{counts}  {_needed(key, ring, census)}")
    records, tokens = census.to_reseal(ring.active.id)
    if records or tokens:
        typer.echo(f"left to re-seal: {records} records (by their next use), {tokens} tokens (by their next renewal)")
        typer.echo("`entrada keys reseal` does it now.")
    else:
        typer.echo("left to re-seal: nothing")
    if census.unreadable:
        typer.echo(
            f"unreadable: {census.unreadable} sessions that no key of this ring opens; their people sign in again"
        )


def _state(key: Key, ring: KeyRing) -> str:
    if key == ring.active:
        return "active"
    return "waiting" if key.waiting else "old"


def _needed(key: Key, ring: KeyRing, census: Census) -> str:
    if key == ring.active or key.waiting:
        return "yes"
    if not census.needs(key.id):
        return f"no longer: `entrada keys drop {key.id}`"
    last = census.last.get(key.id)
    return f"until {last:%Y-%m-%d %H:%M} UTC at the latest" if last else "until its records and tokens are sealed anew"


def _census(settings: Settings, ring: KeyRing) -> Census | None:
    """Return what the store holds; None when it cannot be seen from another process."""
    if settings.store == "memory:":
        return None
    if not visible(settings.store, data_dir=settings.data_dir):
        return Census()
    return _with_store(settings, lambda store: take_census(store, sealer=Sealer(ring)))


def _with_store(settings: Settings, work: Callable[[SessionStore], Awaitable[T]]) -> T:
    """Do the work on the store of the settings, and let go of it."""

    async def run() -> T:
        store = open_store(settings.store, data_dir=settings.data_dir, clock=system_clock)
        try:
            await store.prepare()
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _done(progress: Progress) -> str:
    return f"{progress.sessions} sessions: {progress.records} records and {progress.tokens} tokens sealed anew"


def _path(file: Path | None, settings: Settings | None = None) -> Path:
    path = file or ring_file(settings or Settings.load())
    if path is None:
        raise SettingsRefused(
            ["keys: the ring is in ENTRADA_KEYS, which cannot be written from here; name a file with ENTRADA_KEYS_FILE"]
        )
    if not path.is_file():
        raise SettingsRefused([f"keys_file: {path} is not a file; make one with `entrada keys generate`"])
    return path


def _extended(ring: KeyRing) -> KeyRing:
    return ring.with_waiting(KeyRing.parse(keyring.generate()).active)


def _write(path: Path, ring: KeyRing, *, waited: Key | None) -> None:
    """Write the ring for its owner only; refuse to make a key active that workers may not know yet."""
    found = path.stat()
    left = found.st_mtime + WAIT_SECONDS - time.time()
    if waited and left > 0:
        raise SettingsRefused([f"keys: {waited.id} has not waited long enough; run this again in {left:.0f} seconds"])
    _replace(path, ring)
    if stat.S_IMODE(found.st_mode) & ANYBODY_ELSE:
        typer.echo(f"{path} is for its owner only now; others could read it before.", err=True)


def _replace(path: Path, ring: KeyRing) -> None:
    try:
        write_anew(path, ring.text().encode())
    except OSError as error:
        raise SettingsRefused([f"keys_file: {path}: {error.strerror}; nothing was changed"]) from None
