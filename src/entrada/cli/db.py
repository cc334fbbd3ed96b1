"""`entrada db`: how far the tables of the users' database are, and bringing them to this release.

An application does it by itself at its start; who wants the tables ready before, or the start without the right to make
tables, runs `upgrade` once with a user who has it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.settings import Settings
from entrada.users.database import Database
from entrada.users.upgrade import Schema, Step, indexes_after, schema_at

PENDING, CANNOT_TELL = 1, 2
NEWER = "a newer release of Entrada wrote it ({}); run that one, or restore the backup from before it"

db = typer.Typer(help="The users' database: its tables and their migrations.", no_args_is_help=True)
T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@db.command()
def status(as_json: Json = False) -> None:
    """Show which migrations are pending: exit status 0 when none is, 1 when some are, 2 when nobody can tell."""
    schema = _with_database(Database.schema, otherwise=schema_at(None))
    typer.echo(json.dumps(asdict(schema), indent=2) if as_json else _as_text(schema))
    raise typer.Exit(PENDING if schema.pending or schema.newer else 0)


@db.command()
def upgrade() -> None:
    """Take the pending migrations, all of them or none; workers may run."""
    before = _with_database(Database.schema, otherwise=schema_at(None))
    if before.newer:
        raise SettingsRefused([f"database_url: {NEWER.format(before.current)}"])
    if not before.pending:
        typer.echo(f"Nothing to do: {before.current} is this release's.")
        return
    if before.current and (indexes := indexes_after(before.current)):
        typer.echo(f"Indexes to make: {', '.join(indexes)}. With many rows this takes minutes.")
    taken = 0

    def told(step: Step) -> None:
        nonlocal taken
        taken += 1
        typer.echo(f"{taken} of {len(before.pending)}: {step.revision} {step.does}")

    _with_database(lambda database: database.upgrade(told))
    typer.echo(f"Done: the tables are at {before.pending[-1].revision}, this release's.")


def schema_of(settings: Settings) -> Awaitable[Schema]:
    """Say how far the settings' database is, without making it; StoreUnavailable when it does not answer."""
    return _on_database(settings, Database.schema, otherwise=schema_at(None))


def _as_text(schema: Schema) -> str:
    if schema.newer:
        return f"current  {schema.current}\n{NEWER.format(schema.current)}"
    lines = [f"current  {schema.current or 'nothing is there yet'}"]
    lines += [f"pending  {step.revision}  {step.does}" for step in schema.pending]
    return "\n".join([*lines, "Run `entrada db upgrade`." if schema.pending else "Nothing is pending."])


def _with_database(work: Callable[[Database], Awaitable[T]], *, otherwise: T | None = None) -> T:
    """Do the work on the users' database of the settings; exit status 2 when it does not answer."""
    settings = Settings.load()
    try:
        return asyncio.run(_on_database(settings, work, otherwise=otherwise))
    except StoreUnavailable as error:
        typer.echo(f"It does not answer: {error}", err=True)
        raise typer.Exit(CANNOT_TELL) from None


async def _on_database(
    settings: Settings, work: Callable[[Database], Awaitable[T]], *, otherwise: T | None = None
) -> T:
    """Do the work and let go of it; `otherwise` where there is no directory yet that it could be in."""
    if otherwise is not None and settings.database_url is None and not settings.data_dir.is_dir():
        return otherwise
    database = Database(settings.database_url, data_dir=settings.data_dir)
    try:
        return await work(database)
    finally:
        await database.close()
