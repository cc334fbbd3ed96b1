"""The command `entrada`, for whoever runs an application: `pip install "entrada[cli]"`."""

import io
import os
import platform
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from entrada.versions import version_of

if TYPE_CHECKING:
    import typer

PLACES = ("serve", "token", "explain", "doctor", "db", "keys", "users", "audit", "tenants")
"""Each in a module of its name, in the order in which help lists them."""
DEFECT, INTERRUPTED = 2, 130
MISSING = 'The command line needs one more package: pip install "entrada[cli]"'


def main() -> None:
    """Run the command, or say what it needs or what went wrong: in a line, for a traceback may have secrets in it."""
    try:
        import typer  # noqa: F401 - whether it is there
    except ModuleNotFoundError:
        sys.exit(MISSING)
    from entrada.errors import EntradaError

    only = next(iter(sys.argv[1:]), None)
    _take_every_character()
    if not all(map(_is_text, sys.argv)):
        sys.exit("The arguments are not text in UTF-8.")
    try:
        commands(only)()
    except EntradaError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if only == "serve":  # of an application, whose author wants to see where
            raise
        _say(error)


def _take_every_character() -> None:
    """Let a terminal without a character have something in its place, and not a command that ends there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _is_text(argument: str) -> bool:
    """Say whether these were characters, and not bytes for which Python has put something in their place."""
    return not any("\ud800" <= each <= "\udfff" for each in argument)


def _say(error: Exception) -> NoReturn:
    if isinstance(error, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries once more when it ends
        sys.exit(f"It cannot be written, or read: {error.strerror or type(error).__name__}.")
    where = traceback.extract_tb(error.__traceback__)[-1]
    told = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
    sys.stderr.write(f"The command cannot go on: {told}. This is a defect; please report it.\n")
    sys.exit(DEFECT)


def commands(only: str | None = None) -> "typer.Typer":
    """Return the command with all that is below it; or with `only` one, so that no other's libraries are loaded."""
    import typer

    made = typer.Typer(
        help="Look after an application that Entrada guards.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    version = typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit.")

    @made.callback()
    def about(*, version: Annotated[bool, version] = False) -> None:
        """Look after an application that Entrada guards."""

    for name in (only,) if only in PLACES else PLACES:
        command = getattr(import_module(f"entrada.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _tell_version(wanted: bool) -> None:
    import typer

    if wanted:
        typer.echo(f"entrada {version_of('entrada') or 'from its source'}, Python {platform.python_version()}")
        raise typer.Exit
