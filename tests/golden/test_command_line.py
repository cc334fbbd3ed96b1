"""The commands and their options change only on purpose."""

from collections.abc import Iterator
from typing import Any

import typer.main

from entrada.cli import commands
from tests.golden.golden import check


def described(command: Any, path: str) -> Iterator[str]:
    """Give a line for each command, and one for each of its options and arguments."""
    yield f"{path}: {(command.help or '').splitlines()[0]}"
    for parameter in sorted(command.params, key=lambda each: each.name):
        names = " ".join([*parameter.opts, *parameter.secondary_opts])
        yield f"    {names} = {parameter.default!r}"
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from described(below, f"{path} {name}")


def test_commands_and_options_are_as_written_down() -> None:
    """Names, defaults and the first line of help are the same as in the golden file."""
    check("tests/golden/command_line.txt", "\n".join(described(typer.main.get_command(commands()), "entrada")))
