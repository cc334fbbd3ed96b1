"""The command `entrada`, for whoever runs an application: `pip install "entrada[cli]"`."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

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
    made.callback()(_nothing)
    for name in (only,) if only in PLACES else PLACES:
        command = getattr(import_module(f"entrada.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _nothing() -> None:
    """Look after an application that Entrada guards."""
