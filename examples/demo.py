"""What an example needs to run beside the emulated tenant: its ports, its registration, its addresses."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from entrada_emulator.directory.model import Tenant
from entrada_emulator.directory.seeds import BIRCH

from examples.supervisor import NotRunning, Program, port_is_free

OURS = ("ENTRADA_", "AZURE_", "B2C_")


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


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of a real tenant, which must not meet those of the emulated one."""
    return {name: value for name, value in environment.items() if not name.upper().startswith(OURS)}


def organisation(ports: Ports) -> dict[str, str]:
    """Return the variables that name the emulated organisation."""
    return {"AZURE_TENANT_ID": BIRCH.id, "AZURE_AUTHORITY": f"https://localhost:{ports.clients}/{BIRCH.id}"}


def served(name: str, *, app: str, port: int, data: Path, settings: Mapping[str, str]) -> Program:
    """Return an application on localhost, told by environment alone; `settings` name its tenant, the emulated one."""
    address = f"http://localhost:{port}"
    return Program(
        name=name,
        command=(
            sys.executable, "-m", "uvicorn", app, "--host", "localhost",
            "--port", str(port), "--log-level", "warning",
        ),
        environment={
            **inherited(os.environ),
            "ENTRADA_BASE_URL": address,
            "ENTRADA_CA_FILE": str(data / "emulator" / "ca.pem"),
            **settings,
        },
        ready=f"{address}/ready",
    )  # fmt: skip


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
    tenant: Tenant = BIRCH
    """Whose people can sign in."""
    authority: Callable[[Ports, str], Mapping[str, str]] | None = None
    """Gives the variables of an authority other than the organisation's, with the secret for it."""
    note: str = ""
    """One more line for the person at the terminal."""
