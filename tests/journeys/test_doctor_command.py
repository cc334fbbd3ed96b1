"""One command says what keeps people from signing in and what mends it (BEY-6); each failure here is a real one."""

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from entrada_emulator.directory import seeds
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import ServedEntra, served
from fastapi import FastAPI
from typer.testing import CliRunner

from entrada import Entrada, Settings
from entrada.cli import commands
from entrada.keyring import generate
from tests.chromium.served import served as application
from tests.command import run
from tests.servers import RedisServer, redis_server

SECRET = "emulator-secret-birch-portal"
Environment = dict[str, str]


@pytest.fixture(scope="module")
def tenant(entra_keys: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedEntra]:
    """One emulator over TLS for all of this file; whoever moves its clock moves it back."""
    with served(tmp_path_factory.mktemp("emulator"), keys=entra_keys) as running:
        yield running


@pytest.fixture
def portal(tenant: ServedEntra) -> Environment:
    """The settings of the portal at the served tenant: all of them right."""
    return {
        "AZURE_TENANT_ID": seeds.BIRCH.id,
        "AZURE_CLIENT_ID": seeds.WEB_APP,
        "AZURE_CLIENT_SECRET": SECRET,
        "ENTRADA_AUTHORITY": tenant.authority,
        "ENTRADA_GRAPH_URL": tenant.service.public_origin,
        "ENTRADA_CA_FILE": tenant.ca_file,
        "ENTRADA_CLIENT_SECRET_EXPIRES": f"{datetime.now(UTC) + timedelta(days=200):%Y-%m-%d}",
    }


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)


def found(*arguments: str, code: int, **environment: str) -> dict[str, dict[str, str]]:
    """Return what `entrada doctor --json` finds, by check; each that fails says what mends it."""
    done = CliRunner(env=environment).invoke(commands(), ["doctor", "--json", *arguments])
    assert done.exit_code == code, done.output
    assert SECRET not in done.output
    told = json.loads(done.stdout)
    assert told["verdict"] == ("fails" if code else "fine")
    assert all(each["reason"] and each["mend"] for each in told["checks"] if each["result"] == "fails")
    return {each["check"]: each for each in told["checks"]}


def failing(checks: dict[str, dict[str, str]]) -> list[str]:
    return [name for name, each in checks.items() if each["result"] == "fails"]


async def test_nothing_is_wrong(portal: Environment, tmp_path: Path) -> None:
    """With settings that are right every check passes or says why it cannot be told; a table says it, and no secret."""
    assert (await run("db", "upgrade", cwd=tmp_path, **portal)).code == 0
    done = await run("doctor", cwd=tmp_path, **portal)
    assert done.code == 0, done.said
    assert (SECRET in done.said, done.err) == (False, "")
    for name in ("discovery", "keys", "clock", "redirect_uri", "scopes", "accepted: client_secret 1", "migrations"):
        assert [line for line in done.out.splitlines() if line.startswith("ok") and f" {name} " in line], done.out
    assert "Nothing fails" in done.out


def test_what_the_authority_refuses(tenant: ServedEntra, portal: Environment, tmp_path: Path) -> None:
    """A wrong secret, an address that is not registered and a clock that is wrong are found before anybody signs in."""
    tenant.entra.state.clock.move(timedelta(minutes=4))
    try:
        wrong = portal | {"AZURE_CLIENT_SECRET": f"not-{SECRET}", "ENTRADA_PREFIX": "/elsewhere"}
        checks = found(code=1, **wrong)
    finally:
        tenant.entra.state.clock.reset()
    assert failing(checks) == ["clock", "redirect_uri", "accepted: client_secret 1"]
    assert re.match(r"2[2-4]\d s behind the authority's", checks["clock"]["reason"])
    assert "AADSTS50011" in checks["redirect_uri"]["reason"]
    assert "http://localhost:8000/elsewhere/callback" in checks["redirect_uri"]["reason"]
    assert "AADSTS7000215" in checks["accepted: client_secret 1"]["reason"]
    assert checks["scopes"]["result"] == "unknown"


def test_what_is_probably_a_mistake(portal: Environment) -> None:
    """A name that is nearly one, and the id of a secret in place of its value, are told before anybody signs in."""
    right = {name: value for name, value in portal.items() if "SECRET" not in name}
    done = CliRunner(env=right | {"AZURE_CLIENTSECRET": SECRET}).invoke(commands(), ["doctor", "--offline"])
    assert (done.exit_code, SECRET in done.output) == (0, False)
    assert "did you mean AZURE_CLIENT_SECRET?" in done.output
    assert "look at: settings" in done.output
    checks = found(code=1, **portal | {"AZURE_CLIENT_SECRET": str(uuid4())})
    assert checks["settings"]["result"] == "warns"
    assert "Secret ID" in checks["settings"]["reason"]
    assert "not its id" in checks["accepted: client_secret 1"]["reason"]


def test_what_is_kept_elsewhere(portal: Environment, tmp_path: Path) -> None:
    """A Redis that evicts, a schema of before, a ring that others read and a permission that is none are found."""
    assert CliRunner(env=portal).invoke(commands(), ["db", "upgrade"]).exit_code == 0
    forget_last_steps(tmp_path / ".entrada" / "entrada.db")
    ring = tmp_path / "ring"
    ring.write_text(generate())
    ring.chmod(0o644)
    with redis_server(tmp_path / "redis", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru") as server:
        more = {"ENTRADA_STORE": server.url, "ENTRADA_KEYS_FILE": str(ring), "ENTRADA_SCOPES": "api://nobody/Read"}
        more["ENTRADA_CLIENT_SECRET_EXPIRES"] = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
        checks = found(code=1, **portal | more)
        assert failing(checks) == ["key_ring", "expiry of client_secret 1", "scopes", "store", "migrations"]
        assert "allkeys-lru" in checks["store"]["reason"]
        assert "noeviction" in checks["store"]["mend"]
        assert "entrada db upgrade" in checks["migrations"]["mend"]
        assert "(0644)" in checks["key_ring"]["reason"]
        assert "AADSTS" in checks["scopes"]["reason"]
        assert left_in(server) == "0"


@pytest.mark.parametrize(
    ("profile", "limited", "result"),
    [("production", "false", "warns"), ("production", "true", "passes"), ("development", "false", "passes")],
)
def test_limits_that_are_off(portal: Environment, profile: str, limited: str, result: str) -> None:
    """Production without limits by rate is warned of, with what to see to; it is no failure (0340)."""
    right = {
        "AZURE_TENANT_ID": "11111111-1111-4111-8111-111111111111",
        "AZURE_CLIENT_ID": portal["AZURE_CLIENT_ID"],
        "AZURE_CLIENT_SECRET": "k8Q~real-looking-value",
        "ENTRADA_KEYS": generate(),
        "ENTRADA_BASE_URL": "https://app.contoso.com",
    }
    checks = found("--offline", code=0, **right, ENTRADA_PROFILE=profile, ENTRADA_LIMITS=limited)
    assert checks["limits"]["result"] == result
    assert ("ENTRADA_LIMITS" in checks["limits"]["mend"]) == (result == "warns")


def test_nobody_answers(tenant: ServedEntra, portal: Environment, tmp_path: Path, free_tcp_port: int) -> None:
    """An authority, a store, a database and an application that are down are each named; what rests on them is open."""
    nowhere = f"127.0.0.1:{free_tcp_port}"
    checks = found(
        code=1,
        **portal
        | {
            "ENTRADA_AUTHORITY": f"https://{nowhere}/{seeds.BIRCH.id}",
            "ENTRADA_STORE": f"redis://{nowhere}",
            "ENTRADA_DATABASE_URL": f"postgresql://entrada@{nowhere}/x",
            "ENTRADA_BASE_URL": f"http://{nowhere}",
        },
    )
    assert failing(checks) == ["discovery", "store", "users"]
    for name in ("keys", "clock", "redirect_uri", "scopes", "accepted: client_secret 1", "base_url"):
        assert checks[name]["result"] == "unknown"


def test_a_receiver_of_the_audit_log(tenant: ServedEntra, portal: Environment, free_tcp_port: int) -> None:
    """One that is not there is found before rows pile up; one that answers anything at all is reached."""
    signed = portal | {"ENTRADA_AUDIT_WEBHOOK_SECRET": f"whsec_{'a' * 43}="}
    checks = found(code=1, **signed, ENTRADA_AUDIT_WEBHOOK_URL=f"https://localhost:{free_tcp_port}/audit?key=hunter2")
    assert failing(checks) == ["audit_webhook"]
    assert "hunter2" not in str(checks)
    checks = found(code=0, **signed, ENTRADA_AUDIT_WEBHOOK_URL=f"{tenant.service.public_origin}/nowhere")
    assert "reached (it answers 404" in checks["audit_webhook"]["reason"]


def test_a_client_without_a_credential(portal: Environment) -> None:
    """Whether the registration lets a public client in is not known before somebody signs in, and said to be open."""
    checks = found(code=0, **{name: value for name, value in portal.items() if "SECRET" not in name})
    assert checks["credential"]["result"] == "unknown"
    assert "AADSTS7000218" in checks["credential"]["mend"]


def test_offline_nobody_is_asked(tenant: ServedEntra, portal: Environment, tmp_path: Path) -> None:
    """With --offline no request leaves this machine and no file is made; the rest is judged all the same."""
    asked = tenant.entra.state.recorder.counts.total()
    checks = found("--offline", code=0, **portal)
    assert tenant.entra.state.recorder.counts.total() == asked
    assert {checks[name]["result"] for name in ("authority", "accepted", "store", "users", "base_url")} == {"unknown"}
    assert checks["disk"]["result"] in {"passes", "warns"}
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_wrong_are_all_told(portal: Environment, tmp_path: Path) -> None:
    """SEC-183: what production refuses is told at once, each fault with its mend."""
    done = CliRunner(env=portal | {"ENTRADA_PROFILE": "production", "COLUMNS": "300"}).invoke(commands(), ["doctor"])
    assert done.exit_code == 1
    for fault in (
        "base_url: production needs https",
        "keys: production needs its own",
        "this tenant is the emulator's",
    ):
        assert fault in done.stdout
    assert SECRET not in done.output


def test_the_application_and_its_store_are_there(portal: Environment, tmp_path: Path, free_tcp_port: int) -> None:
    """`/health` is looked for under base_url, past the host check; a Redis that is right keeps nothing of the probe."""
    here, address = f"http://localhost:{free_tcp_port}", f"http://127.0.0.1:{free_tcp_port}"
    app = FastAPI()
    Entrada(Settings.load(tenant_id=seeds.BIRCH.id, client_id="a", base_url=here, data_dir=tmp_path / "app")).install(
        app
    )
    with redis_server(tmp_path / "redis") as server, application(app, port=free_tcp_port):
        kept = portal | {"ENTRADA_STORE": server.url}
        checks = found(code=0, **kept, ENTRADA_BASE_URL=here)
        assert {checks[name]["result"] for name in ("base_url", "store", "redirect_uri")} == {"passes"}
        assert server.said("KEYS", "*session*").lstrip("*") in {"0", ""}
        checks = found(code=1, **kept, ENTRADA_BASE_URL=address)
        assert failing(checks) == ["redirect_uri", "base_url"]
        assert "refuses the host" in checks["base_url"]["reason"]


def test_a_certificate_that_has_ended_and_is_not_registered(portal: Environment, tmp_path: Path) -> None:
    """SEC-174: of two credentials each is judged: the certificate is over, unknown and readable, the secret good."""
    path = tmp_path / "client.pem"
    path.write_bytes(ended_certificate())
    path.chmod(0o644)
    checks = found(code=1, **portal, ENTRADA_CLIENT_CERTIFICATE=str(path))
    assert failing(checks) == ["certificate_file", "expiry of client_certificate", "accepted: client_certificate"]
    assert "AADSTS700027" in checks["accepted: client_certificate"]["reason"]
    assert checks["accepted: client_secret 1"]["result"] == "passes"


def test_customers(tenant: ServedEntra, portal: Environment) -> None:
    """At Azure AD B2C the redirect URI is asked about in the same way; what B2C does not tell stays open."""
    b2c = {
        "B2C_TENANT_ID": shop.SHOP_DOMAIN,
        "B2C_SIGNIN_POLICY": "B2C_1_susi",
        "B2C_AUTHORITY": f"{tenant.service.public_origin}/{shop.SHOP_DOMAIN}",
        "B2C_CLIENT_ID": shop.SHOP_APP,
        "B2C_CLIENT_SECRET": "emulator-secret-birch-shop",
        "ENTRADA_CA_FILE": tenant.ca_file,
    }
    checks = found(code=0, **b2c)
    assert {checks[name]["result"] for name in ("discovery", "redirect_uri", "scopes")} == {"passes"}
    assert checks["accepted: client_secret 1"]["result"] == "unknown"
    checks = found(code=1, **b2c, ENTRADA_PREFIX="/elsewhere")
    assert failing(checks) == ["redirect_uri"]
    assert "AADB2C90006" in checks["redirect_uri"]["reason"]
    assert "B2C" in checks["redirect_uri"]["mend"]


def forget_last_steps(path: Path) -> None:
    """Let the database be one of an earlier release."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entrada_schema SET version_num = '0003'")
    connection.close()


def left_in(server: RedisServer) -> str:
    """Return how many keys the store holds."""
    return server.said("DBSIZE").lstrip(":")


def ended_certificate() -> bytes:
    """Return a key and its certificate, which was good until yesterday, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    now = datetime.now(UTC)
    times = builder.not_valid_before(now - timedelta(days=9)).not_valid_after(now - timedelta(days=1, hours=1))
    certificate = times.serial_number(x509.random_serial_number()).sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
