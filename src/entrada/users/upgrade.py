"""The steps of `migrations/`: which were taken, which are left, and taking them by Alembic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "entrada_schema"
REVISION = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - our own name


@dataclass(frozen=True, slots=True)
class Step:
    """One migration."""

    revision: str
    does: str
    """What it does, in a sentence."""


Told = Callable[[Step], None]
"""Hears of each step as it is taken; what it took is kept only when all of them were."""


@dataclass(frozen=True, slots=True)
class Schema:
    """How far the tables of a database are."""

    current: str | None
    """The last step that was taken; None before the first."""
    pending: tuple[Step, ...]
    """What this release would do, in its order."""
    newer: bool = False
    """Whether a newer release has been there: this one must not touch it, and does not know what is in it."""


def upgrade(connection: Connection, told: Told) -> None:
    """Take the steps that were not taken, on a connection that is in a transaction already.

    Alembic's CommandError when the schema is none that this release knows.
    """
    taken = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if taken == _steps().get_current_head():
        return  # as at every start but a release's first
    config = _config()
    config.attributes["connection"] = connection
    config.attributes["applied"] = lambda *, step, **_: told(_step(step.up_revision))
    command.upgrade(config, "head")


def schema_at(revision: str | None) -> Schema:
    """Return what is left to do in a database whose last step is this one."""
    try:
        left = tuple(_step(each) for each in _steps().iterate_revisions("head", revision or "base"))
    except RevisionError:
        return Schema(revision, (), newer=True)
    return Schema(revision, left[::-1])


def indexes_after(revision: str | None) -> Mapping[str, str]:
    """Return what indexes the steps after this one make on tables that may be large: by name, table and columns.

    None after a step that this release does not know.
    """
    try:
        steps = list(_steps().iterate_revisions("head", revision or "base"))
    except RevisionError:
        return {}
    return {name: on for step in steps for name, on in getattr(step.module, "ON_LARGE_TABLES", {}).items()}


@cache
def _steps() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _step(script: Any) -> Step:
    return Step(script.revision, script.doc)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
