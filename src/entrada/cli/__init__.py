"""The command `entrada`, for whoever runs an application: `pip install "entrada[cli]"`."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

MISSING = 'The command line needs one more package: pip install "entrada[cli]"'


def main() -> None:
    """Run the command, or say what it needs."""
    try:
        import typer  # noqa: F401 - whether it is there
    except ModuleNotFoundError:
        sys.exit(MISSING)
    from entrada.errors import EntradaError

    try:
        commands()()
    except EntradaError as error:
        sys.exit(str(error))


def commands() -> "typer.Typer":
    """Return the command with all that is below it."""
    import typer

    from entrada.cli.audit import audit
    from entrada.cli.db import db
    from entrada.cli.doctor import doctor
    from entrada.cli.explain import explain
    from entrada.cli.keys import keys
    from entrada.cli.serve import serve
    from entrada.cli.tenants import tenants
    from entrada.cli.token import token
    from entrada.cli.users import users

    made = typer.Typer(
        help="Look after an application that Entrada guards.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    made.callback()(_nothing)
    made.add_typer(db, name="db")
    made.add_typer(keys, name="keys")
    made.add_typer(users, name="users")
    made.add_typer(audit, name="audit")
    made.add_typer(tenants, name="tenants")
    for command in (serve, token, explain, doctor):
        made.command()(command)
    return made


def _nothing() -> None:
    """Look after an application that Entrada guards."""
