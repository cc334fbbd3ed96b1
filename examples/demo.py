"""What an example needs to run beside the emulated tenant: its ports, its registration, its addresses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from examples.supervisor import NotRunning, Program, port_is_free


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, on localhost."""

    application: int
    pages: int
    clients: int

    @classmethod
    def chosen(cls, environment: Mapping[str, str]) -> "Ports":
        """Read the ports; NotRunning names the variable to set when one is no port or is taken."""
        return cls(
            application=port(environment, "PORT", 8000),
            pages=port(environment, "EMULATOR_HTTP_PORT", 8080),
            clients=port(environment, "EMULATOR_HTTPS_PORT", 8443),
        )


def port(environment: Mapping[str, str], variable: str, default: int) -> int:
    """Return the port that a variable names; NotRunning when it is none or is taken."""
    text = environment.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise NotRunning(f"{variable} must be a port number from 1 to 65535.")
    if not port_is_free(int(text)):
        raise NotRunning(
            f"Port {text} is taken. Choose another with {variable}, for example: {variable}={int(text) + 1} make demo"
        )
    return int(text)


def no_programs(_ports: Ports, _data: Path) -> Sequence[Program]:
    """Return nothing: most examples are one program."""
    return ()


@dataclass(frozen=True, slots=True)
class Demo:
    """One example. Each has a module `demo` with a function `demo(environment)` that returns it."""

    client_id: str
    """The registration that it is, in the emulated tenant."""
    prefix: str = ""
    """Where its sign-in routes are."""
    confidential: bool = True
    """Whether it is given the registration's secret."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further variables of its environment."""
    programs: Callable[[Ports, Path], Sequence[Program]] = no_programs
    """What else has to run, started before it."""
    note: str = ""
    """One more line for the person at the terminal."""
