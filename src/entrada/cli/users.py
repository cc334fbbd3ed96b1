"""`entrada users`: who has signed in here, and what administrators do with them; the first one is made so."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from entrada.cli.opened import Opened, actor, with_all
from entrada.errors import EntradaError, SettingsRefused
from entrada.users.people import MOST_AT_ONCE, People, Wanted
from entrada.users.person import Person

users = typer.Typer(help="The people who have signed in here.", no_args_is_help=True)
Who = Annotated[
    str, typer.Argument(metavar="WHO", help="Their id here, tenant:object-id, e-mail address, or user name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@users.command(name="list")
def show_all(
    search: Annotated[str | None, typer.Option(help="Only those with this in a name or address.")] = None,
    admins: Annotated[bool, typer.Option("--admins", help="Only administrators.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show people, newest first."""
    wanted = Wanted(text=search, is_admin=True if admins else None)
    nobody = "Nobody here is as asked for." if search or admins else "Nobody has signed in here yet."

    async def work(opened: Opened) -> None:
        after, people = None, opened.administration.people
        while True:
            page = await people.page(wanted, limit=MOST_AT_ONCE, after=after)
            for person in page.people:
                typer.echo(json.dumps(await people.exported(person)) if as_json else _line(person))
            if after is None and not page.people:
                typer.echo(nobody, err=True)
            after = page.next
            if after is None:
                return

    with_all(work)


@users.command()
def show(who: Who) -> None:
    """Show what the directory has of one person, as JSON."""
    typer.echo(json.dumps(_with_person(who, lambda opened, person: opened.administration.people.exported(person))))


@users.command()
def promote(who: Who) -> None:
    """Make somebody an administrator: how the first one becomes one."""
    _change(who, lambda opened, person: opened.administration.promote(person.id, by=actor()), "is an administrator")


@users.command()
def demote(who: Who) -> None:
    """Let somebody be an administrator no longer; the last one stays."""
    _change(who, lambda opened, person: opened.administration.demote(person.id, by=actor()), "is no administrator")


@users.command()
def deactivate(who: Who) -> None:
    """Let somebody in no more, and end what they have open."""
    _change(who, lambda opened, person: opened.administration.deactivate(person.id, by=actor()), "is shut out")


@users.command()
def reactivate(who: Who) -> None:
    """Let somebody in again."""
    _change(who, lambda opened, person: opened.administration.reactivate(person.id, by=actor()), "is let in again")


@users.command()
def export(who: Who, output: Annotated[Path | None, typer.Option("--output", "-o", help="A new file.")] = None) -> None:
    """Write all that is kept of one person, as JSON."""
    found = _with_person(who, lambda opened, person: opened.administration.export(person.id, by=actor()))
    text = json.dumps(found, indent=2) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SettingsRefused([f"--output: {output}: {error.strerror}"]) from None


@users.command()
def erase(who: Who, yes: Yes = False) -> None:
    """Delete somebody and take their data out of the audit log; it cannot be undone."""
    if not yes:
        typer.confirm(f"Erase {who}? It cannot be undone", abort=True)
    _change(who, lambda opened, person: opened.administration.erase(person.id, by=actor()), "is erased")


def _change(who: str, act: Callable[[Opened, Person], Awaitable[Person]], said: str) -> None:
    person = _with_person(who, act)
    typer.echo(f"{_readable(person.user.label)} ({person.id}) {said}.")


def _with_person(who: str, act: Callable[[Opened, Person], Awaitable[Any]]) -> Any:
    async def work(opened: Opened) -> Any:
        try:
            return await act(opened, await _found(opened.administration.people, who))
        except SettingsRefused:
            raise
        except EntradaError as error:
            raise SettingsRefused([error.public]) from None

    return with_all(work)


async def _found(people: People, who: str) -> Person:
    """Return whom the words name; SettingsRefused unless that is exactly one person."""
    tenant, colon, object_id = who.partition(":")
    if colon:
        found = [await people.by_object_id(tenant.lower(), object_id.lower())]
    elif "@" in who:
        found = list(await people.by_address(who))
    else:
        found = [await people.by_id(_id(who))]
    known = [person for person in found if person]
    if len(known) > 1:
        several = ", ".join(str(person.id) for person in known)
        raise SettingsRefused([f"WHO: several people have this address; name one by id: {several}"])
    if not known:
        raise SettingsRefused(["WHO: nobody; people are known here once they have signed in: see `entrada users list`"])
    return known[0]


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise SettingsRefused(
            ["WHO: must be an id, tenant:object-id, an e-mail address, or a user name with an @"]
        ) from None


def _line(person: Person) -> str:
    state = "admin" if person.is_admin else "" if person.is_active else "inactive"
    seen = f"{person.last_sign_in_at:%Y-%m-%d %H:%M} UTC"
    return f"{person.id}  {seen}  {state:<8}  {_readable(person.user.label)}"


def _readable(text: str) -> str:
    return text if text.isprintable() else repr(text)
