"""The command: what it refuses, what it prints, how soon it is ready, how it stops, what it leaves on disk."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from entrada_emulator.app import create_app
from entrada_emulator.cli import cli
from entrada_emulator.directory import seeds
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.pytest_plugin import ServedEntra
from entrada_emulator.wire.certificates import tls_files
from entrada_emulator.wire.environment import refuse_to_lose, write_lines
from entrada_emulator.wire.safety import RefusedToStart
from entrada_emulator.wire.serving import Address, prepare
from typer.testing import CliRunner

from emulator.tests.asking import BIRCH

SOURCES = Path(__file__).parents[1] / "src"
FREE_PORTS = ("--https-port", "0", "--http-port", "0")


def command(*options: str, **environment: str) -> subprocess.Popen[str]:
    """Starts `python -m entrada_emulator serve` with our sources."""
    clean = {name: value for name, value in os.environ.items() if name not in {"ENVIRONMENT", "ENV", "ENTRADA_PROFILE"}}
    return subprocess.Popen(
        [sys.executable, "-m", "entrada_emulator", "serve", *options],
        env=clean | {"PYTHONPATH": str(SOURCES)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_where_it_is_and_stops_cleanly(tmp_path: Path) -> None:
    """Its lines, applications and people, and a redirect URI of one's own; SIGTERM ends it with 0 and no complaint."""
    env_file = tmp_path / "emulator.env"
    env_file.write_text(
        "EMULATOR_CONTROL_URL=of-an-earlier-run\nAZURE_CLIENT_SECRET=of-then\nENTRADA_SCOPES=User.Read\n"
    )
    own = "http://localhost:5000/getAToken"
    options = ("--data-dir", str(tmp_path / "data"), "--env-file", str(env_file), "--redirect-uri", own)
    running = command(*FREE_PORTS, *options)
    assert running.stdout is not None
    ready = running.stdout.readline()
    assert ready.startswith("Entrada Emulator (not Microsoft) is ready: https://localhost:")
    lines = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    assert (lines["AZURE_CLIENT_SECRET"], lines["ENTRADA_SCOPES"]) == ("emulator-secret-birch-portal", "User.Read")
    trust = ssl.create_default_context(cafile=lines["REQUESTS_CA_BUNDLE"])
    metadata = httpx2.get(f"{lines['ENTRADA_AUTHORITY']}/v2.0/.well-known/openid-configuration", verify=trust).json()
    pages = httpx2.get(metadata["authorization_endpoint"])
    asked = {"client_id": lines["AZURE_CLIENT_ID"], "redirect_uri": own}
    sent_back = httpx2.get(metadata["authorization_endpoint"], params=asked)
    running.send_signal(signal.SIGTERM)
    out = running.stdout.read()
    err = running.communicate(timeout=60)[1]
    assert metadata["issuer"] == f"{lines['ENTRADA_AUTHORITY']}/v2.0"
    assert metadata["authorization_endpoint"].startswith(lines["EMULATOR_PAGES"])
    assert "AADSTS900144" in pages.text
    assert (running.returncode, err) == (0, "")
    assert sent_back.headers["location"].startswith(f"{own}?error=invalid_request")
    assert "mia@birch.example" in out
    assert re.search(f"{seeds.DAEMON}  Birch Night Job +daemon Birch Works", out)
    assert f"{lines['EMULATOR_PAGES']}/_emulator/flows" in out
    assert Path(lines["EMULATOR_CONTROL_KEY_FILE"]).read_text() not in ready + out


def test_ctrl_c_stops_it(tmp_path: Path) -> None:
    """SIGINT ends it with 0 as well."""
    running = command(*FREE_PORTS, "--data-dir", str(tmp_path))
    assert running.stdout is not None
    running.stdout.readline()
    running.send_signal(signal.SIGINT)
    assert running.communicate(timeout=60)[1] == ""
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("options", "environment", "reason"),
    [
        ((), {"ENTRADA_PROFILE": "production"}, "ENTRADA_PROFILE says production"),
        ((), {"ENVIRONMENT": "Production"}, "ENVIRONMENT says production"),
        ((), {"ENV": "prod"}, "ENV says production"),
        (("--host", "0.0.0.0"), {}, "can be reached by others"),
        (("--host", "::"), {}, "can be reached by others"),
        (("--name", "login.microsoftonline.com"), {}, "belongs to Microsoft"),
        (("--name", "graph.microsoft.com"), {}, "belongs to Microsoft"),
        (("--name", "birch.b2clogin.com"), {}, "belongs to Microsoft"),
        (("--client", "nobody"), {}, "no application has this client id"),
        (("--world", "/nowhere/world.yaml"), {}, "/nowhere/world.yaml"),
        (("--env-file", "/nowhere/.env"), {}, "--env-file /nowhere/.env: there is no folder /nowhere"),
        (("--https-port", "65536"), {}, "65535"),
        (("--redirect-uri", "http://app.example/callback"), {}, "must be https, except on localhost"),
    ],
)
def test_it_refuses_to_start(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], reason: str
) -> None:
    """SEC-189: production, addresses that others reach, Microsoft's names; it exits 2 and names the reason."""
    told = refused(*FREE_PORTS, "--data-dir", str(tmp_path), *options, **environment)
    assert reason in told


def test_a_file_with_settings_of_a_real_tenant_stays_as_it_is(tmp_path: Path) -> None:
    """Where the emulator's lines were the quick start puts a real secret: the emulator, started again, leaves it."""
    env_file, real = tmp_path / ".env", "AZURE_TENANT_ID=real\nAZURE_CLIENT_SECRET=shown-once\n"
    env_file.write_text(real)
    told = refused(*FREE_PORTS, "--data-dir", str(tmp_path), "--env-file", str(env_file))
    assert "AZURE_CLIENT_SECRET, AZURE_TENANT_ID of somebody else's, which could be lost" in told
    assert "shown-once" not in told
    assert env_file.read_text() == real


def test_other_settings_do_not_hinder(tmp_path: Path) -> None:
    """Where the application listens, and what else it is told, may be written before the emulator's lines."""
    env_file = tmp_path / ".env"
    env_file.write_text("ENTRADA_BASE_URL=http://localhost:8001\nENTRADA_ADMIN=true\n")
    refuse_to_lose(env_file)
    write_lines(env_file, {"AZURE_TENANT_ID": "emulated"})
    assert env_file.read_text().splitlines() == [
        "AZURE_TENANT_ID=emulated", "ENTRADA_BASE_URL=http://localhost:8001", "ENTRADA_ADMIN=true",
    ]  # fmt: skip
    env_file.write_text("ENTRADA_CLIENT_ID=real\n")
    with pytest.raises(RefusedToStart, match="ENTRADA_CLIENT_ID of somebody else's"):
        refuse_to_lose(env_file)


def refused(*options: str, **environment: str) -> str:
    """What the command says when it refuses, having exited with 2."""
    result = CliRunner().invoke(cli, ["serve", *options], env=environment)
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize("origin", ["https://login.microsoftonline.com", "https://LOGIN.microsoftonline.com.:443"])
def test_an_application_cannot_be_served_under_microsofts_names(origin: str) -> None:
    """SEC-189: naming an origin means serving, and then Microsoft's names are refused."""
    with pytest.raises(RefusedToStart, match="belongs to Microsoft"):
        create_app(public_origin=origin)


def test_a_reason_opens_other_addresses(tmp_path: Path) -> None:
    """Whoever gives a reason may bind any address."""
    address = Address(host="0.0.0.0", dangerously_bind_any_address="a closed laboratory network")
    service = prepare(default_world(), address=address, data_dir=tmp_path)
    for _, bound in service.servers:
        assert bound.getsockname()[0] == "0.0.0.0"
        bound.close()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A port in use is refused in words, not with a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port}" in refused("--https-port", port, "--http-port", "0", "--data-dir", str(tmp_path))


def test_what_it_keeps_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The data directory is 0700, every file in it 0600."""
    folder = tmp_path / "data"
    tls_files(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_directory_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    """Whoever names an existing directory keeps it as it was; the files in it are private all the same."""
    tmp_path.chmod(0o755)
    tls_files(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_the_authority_is_kept_and_speaks_for_loopback_alone(tmp_path: Path) -> None:
    """A second start uses the same authority, which is constrained to local names; another name needs a new one."""
    first = tls_files(tmp_path).authority.read_bytes()
    assert tls_files(tmp_path).authority.read_bytes() == first
    authority = x509.load_pem_x509_certificate(first)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert {str(name.value) for name in constraints.value.permitted_subtrees or ()} == {"localhost", "127.0.0.0/8"}
    assert "not Microsoft" in authority.subject.rfc4514_string()
    assert tls_files(tmp_path, name="emulator.test").authority.read_bytes() != first


def test_a_client_that_does_not_trust_it_is_refused(served_entra: ServedEntra) -> None:
    """Without the authority's certificate TLS fails; with it, by name and by address, it works."""
    url = f"{served_entra.service.public_origin}/{BIRCH}/v2.0/.well-known/openid-configuration"
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, trust_env=False)
    trust = ssl.create_default_context(cafile=served_entra.ca_file)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    assert httpx2.get(url, verify=trust).status_code == 200
    assert httpx2.get(url.replace("localhost", "127.0.0.1"), verify=trust).status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_ready_within_a_second_of_work(tmp_path: Path) -> None:
    """From the command to the ready line it needs about a second of processor time, Python's start included.

    Processor time and not the clock: other tests may keep the machine busy.
    """
    running = command(*FREE_PORTS, "--data-dir", str(tmp_path))
    assert running.stdout is not None
    running.stdout.readline()
    used = sum(float(ticks) for ticks in Path(f"/proc/{running.pid}/stat").read_text().split()[13:15])
    running.terminate()
    running.communicate(timeout=60)
    assert used / os.sysconf("SC_CLK_TCK") < 1.5


def test_which_release_it_is() -> None:
    """`--version` says it on one line and begins nothing."""
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("entrada-emulator ")
    assert result.output.count("\n") == 1
