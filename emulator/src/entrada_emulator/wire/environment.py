"""The environment lines that clients need to find and trust a served emulator."""

import shlex
from collections.abc import Mapping

from entrada_emulator.directory.model import Application
from entrada_emulator.directory.world import World
from entrada_emulator.wire.serving import Service


def environment(service: Service, application: Application) -> dict[str, str]:
    """Variables for requests (MSAL), OpenSSL's default (httpx), Node, azure-identity, and Entrada."""
    authority = str(service.files.authority.resolve())
    secret = next((secret.value for secret in application.secrets), None)
    return {
        "ENTRADA_AUTHORITY": f"{service.public_origin}/{application.tenant_id}",
        "AZURE_TENANT_ID": application.tenant_id,
        "AZURE_CLIENT_ID": application.client_id,
        **({"AZURE_CLIENT_SECRET": secret} if secret else {}),
        "AZURE_AUTHORITY_HOST": service.public_origin,
        "ENTRADA_GRAPH_URL": service.public_origin,
        "ENTRADA_CA_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
        "EMULATOR_PAGES": service.pages_origin,
        "EMULATOR_CONTROL_URL": f"{service.public_origin}/_emulator/",
        "EMULATOR_CONTROL_KEY_FILE": str(service.control_key_file.resolve()),
    }


def as_lines(variables: Mapping[str, str]) -> str:
    """One `NAME=value` a line, quoted for a shell where that is needed."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def default_application(world: World) -> Application:
    """The application whose lines are printed unless another is named: the first web one with a secret."""
    confidential = [application for application in world.applications if application.secrets]
    return next((one for one in confidential if one.kind == "web"), (confidential or list(world.applications))[0])
