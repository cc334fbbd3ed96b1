"""The command `entrada`, for whoever runs an application: `pip install "entrada[cli]"`."""

import sys

MISSING = 'The command line needs one more package: pip install "entrada[cli]"'


def main() -> None:
    """Run the command, or say what it needs."""
    try:
        import typer
    except ModuleNotFoundError:
        sys.exit(MISSING)
    from entrada.cli.explain import explain
    from entrada.cli.keys import keys
    from entrada.cli.serve import serve
    from entrada.cli.token import token
    from entrada.errors import EntradaError

    commands = typer.Typer(
        help="Look after an application that Entrada guards.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    commands.callback()(_nothing)
    commands.add_typer(keys, name="keys")
    commands.command()(serve)
    commands.command()(token)
    commands.command()(explain)
    try:
        commands()
    except EntradaError as error:
        sys.exit(str(error))


def _nothing() -> None:
    """Look after an application that Entrada guards."""
