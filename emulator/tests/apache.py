"""Apache with mod_auth_openidc as Debian has it: a site behind a sign-in and an API behind access tokens."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import API_SCOPE, ServedEntra

from emulator.tests.asking import BIRCH, SECRETS

MODULES = Path("/usr/lib/apache2/modules")
LOADED = "mpm_event", "authz_core", "authz_user", "authn_core", "auth_openidc", "headers", "dir"
PATIENCE = 60  # seconds for a server to start on a busy machine
HOW = "Apache with mod_auth_openidc is missing: apt-get install apache2-bin libapache2-mod-auth-openidc"
CONFIGURATION = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {directory}/apache.pid
DefaultRuntimeDir {directory}
ErrorLog {directory}/error.log
DocumentRoot {directory}/site
DirectoryIndex index.html
ServerLimit 1
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCCABundlePath {directory}/ca.pem
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI {origin}/callback
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid profile email offline_access User.Read"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCInfoHook iat access_token access_token_expires id_token userinfo refresh_token
OIDCOAuthVerifyJwksUri {keys}
OIDCOAuthRemoteUserClaim preferred_username

<Location />
    AuthType openid-connect
    Require valid-user
    Header always set Seen-As expr=%{{REMOTE_USER}}
    Header always set Cache-Control no-store
</Location>
<Location /api>
    AuthType oauth20
    <RequireAll>
        Require claim iss:{issuer}
        Require claim aud:{api}
        Require claim scp:{scope}
    </RequireAll>
</Location>
<Location /signed-out>
    AuthType None
    Require all granted
</Location>
"""


@dataclass(frozen=True, slots=True)
class Apache:
    """A running one."""

    origin: str
    directory: Path

    @property
    def log(self) -> str:
        """What it wrote of errors."""
        return (self.directory / "error.log").read_text()


@contextmanager
def apache(entra: ServedEntra) -> Iterator[Apache]:
    """An Apache of its own on a free port, set up with the emulator's metadata address and the application's secret."""
    path = _program()
    with tempfile.TemporaryDirectory(prefix="entrada-apache-") as made:
        directory = Path(made)
        port = _free_port()
        _write(directory, port, entra)
        process = subprocess.Popen([path, "-D", "FOREGROUND", "-f", f"{directory}/apache.conf"], **_as_nobody())
        try:
            _wait(process, port, directory)
            yield Apache(f"http://localhost:{port}", directory)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _program() -> str:
    """Where Apache is; without it or the module the test is skipped, or fails where CI says they must be there."""
    path = shutil.which("apache2", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if path is not None and (MODULES / "mod_auth_openidc.so").exists():
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(HOW)
    pytest.skip(HOW)


def _write(directory: Path, port: int, entra: ServedEntra) -> None:
    """Write what it reads; its directory is its own, because root's are closed to whom it runs as."""
    issuer = f"{entra.service.public_origin}/{BIRCH}/v2.0"
    told = {
        "directory": directory,
        "port": port,
        "origin": f"http://localhost:{port}",
        "issuer": issuer,
        "keys": f"{entra.service.public_origin}/{BIRCH}/discovery/v2.0/keys",
        "client": seeds.WEB_APP,
        "secret": SECRETS[seeds.WEB_APP],
        "passphrase": os.urandom(16).hex(),
        "api": seeds.API,
        "scope": API_SCOPE.rpartition("/")[2],
    }
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in LOADED)
    (directory / "apache.conf").write_text(modules + CONFIGURATION.format(**told))
    shutil.copy(entra.ca_file, directory / "ca.pem")
    (directory / "ca.pem").chmod(0o644)
    for name, text in {"index.html": "the site", "signed-out": "signed out", "api": "the API"}.items():
        place = directory / "site" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"<title>Application</title><p>{text}")
    if os.getuid() == 0:
        shutil.chown(directory, "nobody")


def _as_nobody() -> dict[str, Any]:
    """Apache does not serve as root: root runs it as `nobody`."""
    if os.getuid() != 0:
        return {}
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, directory: Path) -> None:
    """Return when it answers; fails with its log where it ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, (directory / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "Apache did not start"
            time.sleep(0.02)
        else:
            return
