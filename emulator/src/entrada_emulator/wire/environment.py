"""The environment lines that clients need to find and trust a served emulator."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from entrada_emulator.directory.model import Application
from entrada_emulator.directory.world import World
from entrada_emulator.wire.certificates import write_private
from entrada_emulator.wire.safety import RefusedToStart
from entrada_emulator.wire.serving import Service

OWN = "EMULATOR_CONTROL_URL"
"""The name that shows whose lines a file has."""
PROOF = "AZURE_CLIENT_SECRET"
"""Of an application that has one; another's does not outlive it."""
WHOSE = (
    "AZURE_", "ENTRADA_AUTHORITY", "ENTRADA_CA_FILE", "ENTRADA_CLIENT", "ENTRADA_GRAPH_URL", "ENTRADA_ISSUER",
    "ENTRADA_TENANT",
)  # fmt: skip
"""What says which application it is, and at which authority: the emulator's own word for it cannot stand beside."""


def environment(service: Service, application: Application) -> dict[str, str]:
    """Variables for requests (MSAL), OpenSSL's default (httpx), Node, azure-identity, and Entrada."""
    authority = str(service.files.authority.resolve())
    secret = next((secret.value for secret in application.secrets), None)
    return {
        "ENTRADA_AUTHORITY": f"{service.public_origin}/{application.tenant_id}",
        "AZURE_TENANT_ID": application.tenant_id,
        "AZURE_CLIENT_ID": application.client_id,
        **({PROOF: secret} if secret else {}),
        "AZURE_AUTHORITY_HOST": service.public_origin,
        "ENTRADA_GRAPH_URL": service.public_origin,
        "ENTRADA_CA_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
        "EMULATOR_PAGES": service.pages_origin,
        OWN: f"{service.public_origin}/_emulator/",
        "EMULATOR_CONTROL_KEY_FILE": str(service.control_key_file.resolve()),
    }


def as_lines(variables: Mapping[str, str]) -> str:
    """One `NAME=value` a line, quoted for a shell where that is needed."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def refuse_to_lose(path: Path) -> None:
    """RefusedToStart when a file has no folder, or settings of somebody else's, such as a real tenant's secret."""
    if not path.absolute().parent.is_dir():
        raise RefusedToStart(f"--env-file {path}: there is no folder {path.parent}")
    names = {name for name, _ in _lines(path)}
    if OWN not in names and (lost := sorted(name for name in names if name.startswith(WHOSE))):
        raise RefusedToStart(
            f"--env-file {path}: has {', '.join(lost)} of somebody else's, which could be lost; "
            "move the file away, or name another"
        )


def write_lines(path: Path, variables: Mapping[str, str]) -> None:
    """Put the lines into a file, in place of an earlier run's; what somebody has added there stays."""
    added = "".join(f"{line}\n" for name, line in _lines(path) if name not in {PROOF, *variables})
    write_private(path, (as_lines(variables) + added).encode("utf-8", "surrogateescape"))


def _lines(path: Path) -> list[tuple[str, str]]:
    """Each line of a file, and the name that it gives a value; none where there is no file."""
    text = path.read_text("utf-8", "surrogateescape") if path.is_file() else ""
    return [(line.partition("=")[0].removeprefix("export ").strip(), line) for line in text.splitlines()]


def default_application(world: World) -> Application:
    """The application whose lines are printed unless another is named: the first web one with a secret."""
    confidential = [application for application in world.applications if application.secrets]
    return next((one for one in confidential if one.kind == "web"), (confidential or list(world.applications))[0])
