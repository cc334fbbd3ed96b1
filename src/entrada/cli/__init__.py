"""The command `entrada`, for whoever runs an application: `pip install "entrada[cli]"`."""

import platform
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

from entrada.versions import version_of

if TYPE_CHECKING:
    import typer

PLACES = ("serve", "token", "explain", "doctor", "db", "keys", "users", "audit", "tenants")
"""Each in a module of its name, in the order in which help lists them."""
MISSING = 'The command line needs one more package: pip install "entrada[cli]"'


def main() -> None:
    """Run the command, or say what it needs."""
    try:
        import typer  # noqa: F401 - whether it is there
    except ModuleNotFoundError:
        sys.exit(MISSING)
    from entrada.errors import EntradaError

    try:
        commands(next(iter(sys.argv[1:]), None))()
    except EntradaError as error:
        sys.exit(str(error))


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
