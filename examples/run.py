"""Start an example together with the emulator, say what to open and who can sign in, and stop both together.

    python -m examples.run auth_code_flow

Ports come from the environment: PORT for the application, EMULATOR_HTTP_PORT for the pages that people see,
EMULATOR_HTTPS_PORT for the addresses that clients call. What both keep is in `.entrada/` of the current folder.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from entrada_emulator.directory.model import Tenant
from entrada_emulator.directory.seeds import BIRCH, PASSWORD, TOTP_SECRET, default_world
from entrada_emulator.inspector.views import FLOWS

from examples.demo import Demo, Ports, inherited, organisation, served
from examples.supervisor import AskedToStop, NotRunning, Program, Supervisor

HERE = Path(__file__).parent


def emulator(ports: Ports, data: Path) -> Program:
    """Return the emulated tenant: pages by http on localhost, the rest by https under a CA of its own."""
    return Program(
        name="The emulator",
        command=(
            sys.executable, "-m", "entrada_emulator", "serve", "--data-dir", str(data),
            "--http-port", str(ports.pages), "--https-port", str(ports.clients),
        ),
        environment=inherited(os.environ),
        heard=False,  # what it would say, `welcome` says
        ready=f"http://localhost:{ports.pages}/{BIRCH.id}/v2.0/.well-known/openid-configuration",
    )  # fmt: skip


def application(example: str, demo: Demo, ports: Ports, data: Path) -> Program:
    """Return the example itself."""
    settings = {
        **registration(demo, ports),
        "AZURE_REDIRECT_URI": f"http://localhost:{ports.application}{demo.prefix}/callback",
        "ENTRADA_PREFIX": demo.prefix,
        "ENTRADA_GRAPH_URL": f"https://localhost:{ports.clients}",
        "ENTRADA_DATA_DIR": str(data),
        **demo.settings,
    }
    return served(
        f"The example {example}",
        app=f"examples.{example}.app:app",
        port=ports.application,
        data=data,
        settings=settings,
    )


def registration(demo: Demo, ports: Ports) -> Mapping[str, str]:
    """Return the variables that say which application this is, and at which authority."""
    secret = secret_of(demo.client_id) if demo.confidential else ""
    if demo.authority:
        return demo.authority(ports, secret)
    proof = {"AZURE_CLIENT_SECRET": secret} if secret else {}
    return {**organisation(ports), "AZURE_CLIENT_ID": demo.client_id, **proof}


def make_certificates(folder: Path) -> None:
    """Make the emulator's certificate authority unless it is there: the application looks for it at its start."""
    if not (folder / "ca.pem").is_file():
        from entrada_emulator.wire.certificates import tls_files

        tls_files(folder)


def secret_of(client_id: str) -> str:
    """Return the emulated application's secret, which is no secret."""
    registration = default_world().application(client_id)
    if registration is None:
        raise NotRunning(f"The emulator knows no application {client_id}.")
    return registration.secrets[0].value


def welcome(ports: Ports, note: str, tenant: Tenant) -> str:
    """Say what to open and who can sign in."""
    world = default_world()
    people = [user for user in world.users if not user.is_guest and world.in_tenant(user, tenant.id)]
    width = max(len(person.user_principal_name) for person in people)
    return "\n".join([
        "",
        f"  Open          http://localhost:{ports.application}",
        f"  Emulated at   http://localhost:{ports.pages}   (never type a real password there)",
        f"  Drawn at      http://localhost:{ports.pages}{FLOWS}   (every sign-in, step by step)",
        *([f"  {note}"] if note else []),
        "",
        f"  Who can sign in; everybody's password is {PASSWORD}",
        *(f"    {person.user_principal_name:{width}}  {person.note}" for person in people),
        f"  Authenticator secret, where a code is asked for: {TOTP_SECRET}",
        "",
        "  Ctrl-C stops both.",
        "",
    ])  # fmt: skip


async def run(example: str) -> int:
    """Run until a person stops it (0), or until something is not as it must be (1)."""
    data = Path.cwd() / ".entrada"
    try:
        demo: Demo = import_module(f"examples.{example}.demo").demo(os.environ)
        ports = Ports.chosen(os.environ)
        async with Supervisor() as supervisor:
            make_certificates(data / "emulator")
            programs = demo.programs(ports, data)
            await supervisor.start(
                emulator(ports, data / "emulator"), *programs, application(example, demo, ports, data)
            )
            print(welcome(ports, demo.note, demo.tenant), flush=True)
            await supervisor.wait()
    except AskedToStop:
        print("\nBoth are stopped.", flush=True)
        return 0
    except NotRunning as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def examples() -> list[str]:
    """Return the names of the examples that are here."""
    return sorted(path.parent.name for path in HERE.glob("*/app.py"))


def main() -> int:
    """Run the example that the command line names."""
    match sys.argv[1:]:
        case [example] if example in examples():
            return asyncio.run(run(example))
    print(f"Say which example: python -m examples.run {'|'.join(examples())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
