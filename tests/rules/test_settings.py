"""Settings: where they come from, and that every fault is named at once with its mend."""

import os
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from entrada.errors import SettingsRefused
from entrada.keyring import generate
from entrada.provider.tokens.signature import ALGORITHMS
from entrada.settings import Settings
from entrada.settings.names import known_names

TENANT = "11111111-1111-4111-8111-111111111111"
CAPITALS = "A1111111-1111-4111-8111-11111111111B"
GOOD: dict[str, Any] = {"tenant_id": TENANT, "client_id": "an-application"}
PRODUCTION: dict[str, Any] = {
    **GOOD,
    "profile": "production",
    "base_url": "https://app.contoso.com",
    "client_secret": "k8Q~real-looking-value",
}
TYPED = f"k1:{urlsafe_b64encode(b'0123456789abcdefghijklmnopqrstuv').decode()}"
PROVIDER = {"issuer": "https://id.contoso.com"}
B2C_HERE = {
    "tenant_id": None,
    "b2c_tenant": "contoso.onmicrosoft.com",
    "b2c_policy": "B2C_1_susi",
    "b2c_authority": "https://localhost:8443/contoso.onmicrosoft.com",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's own environment is read."""
    monkeypatch.chdir(tmp_path)
    for name in known_names():
        monkeypatch.delenv(name, raising=False)


def faults(**values: Any) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        Settings.load(**values)
    return refused.value.faults


def test_tenant_and_client_id_are_enough_to_begin() -> None:
    """In development two settings suffice, and everything else has its default."""
    settings = Settings.load(**GOOD)
    assert settings.callback_uri == "http://localhost:8000/api/auth/callback"
    assert settings.entra_authority == f"https://login.microsoftonline.com/{TENANT}"
    assert settings.sign_in_scopes == ("User.Read",)
    assert (settings.session_idle, settings.session_absolute) == (timedelta(hours=1), timedelta(days=7))
    assert settings.served_hosts == {"localhost"}
    assert not settings.production
    assert not settings.secure


def test_production_starts_with_what_it_asks_for() -> None:
    """With https, keys of its own and a real tenant, production starts."""
    settings = Settings.load(**PRODUCTION, keys=generate())
    assert settings.production
    assert settings.secure


@pytest.mark.parametrize(
    ("name", "value", "field", "read"),
    [
        ("AZURE_TENANT_ID", TENANT, "tenant_id", TENANT),
        ("AZURE_CLIENT_ID", "other", "client_id", "other"),
        ("AZURE_AUTHORITY", f"https://login.microsoftonline.us/{TENANT}", "authority", None),
        ("AZURE_REDIRECT_URI", "http://localhost:8000/api/auth/callback", "redirect_uri", None),
        ("SESSION_EXPIRY_DAYS", "30", "session_expiry_days", 30),
        ("ENTRADA_SESSION_EXPIRY_DAYS", "14", "session_expiry_days", 14),
        ("TOKEN_REFRESH_BUFFER_SECS", "60", "token_refresh_buffer_secs", 60),
        ("ENTRADA_SCOPES", "User.Read Mail.Read", "scopes", ("User.Read", "Mail.Read")),
        ("ENTRADA_SESSION_IDLE_MINUTES", "15", "session_idle_minutes", 15),
        ("entrada_profile", "development", "profile", None),
        ("ENTRADA_DATA_DIR", "/srv/data", "data_dir", Path("/srv/data")),
    ],
)
@pytest.mark.parametrize("way", ["environment", "file"])
def test_ours_and_the_customary_names_are_read(
    name: str, value: str, field: str, read: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name is read from the environment and from `.env`."""
    if way == "environment":
        monkeypatch.setenv(name, value)
    else:
        Path(".env").write_text(f'{name}="{value}"\n')
    given = {key: setting for key, setting in GOOD.items() if key != field}
    assert getattr(Settings.load(**given), field) == (value if read is None else read)


def test_the_client_secret_is_read_from_its_customary_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """AZURE_CLIENT_SECRET makes a confidential client."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "hunter2-hunter2")
    secret = Settings.load(**GOOD).client_secret
    assert secret
    assert secret.get_secret_value() == "hunter2-hunter2"


def test_the_constructor_wins_over_the_environment_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several values the nearest counts, whichever of its names each was given under."""
    Path(".env").write_text("ENTRADA_CLIENT_ID=file\nENTRADA_SESSION_EXPIRY_DAYS=1\nENTRADA_PREFIX=/file\n")
    assert Settings.load(tenant_id=TENANT).client_id == "file"
    monkeypatch.setenv("AZURE_CLIENT_ID", "environment")
    monkeypatch.setenv("ENTRADA_PREFIX", "/environment")
    settings = Settings.load(tenant_id=TENANT)
    assert (settings.client_id, settings.session_expiry_days, settings.prefix) == ("environment", 1, "/environment")
    settings = Settings.load(**GOOD, prefix="/constructor", session_expiry_days=2)
    assert (settings.client_id, settings.session_expiry_days, settings.prefix) == ("an-application", 2, "/constructor")


def test_our_name_wins_over_the_customary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both are in the environment, ours counts."""
    monkeypatch.setenv("AZURE_CLIENT_ID", "customary")
    monkeypatch.setenv("ENTRADA_CLIENT_ID", "ours")
    assert Settings.load(tenant_id=TENANT).client_id == "ours"


def test_every_algorithm_that_the_verifier_has_can_be_set() -> None:
    """RFC 9864's Ed25519 is one of them."""
    assert {*Settings.load(**GOOD, algorithms=" ".join(ALGORITHMS)).algorithms} == ALGORITHMS


def test_unknown_names_are_start_errors_with_the_nearest_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt ENTRADA_ name, in the environment, the file or the constructor, is refused (SEC-184)."""
    monkeypatch.setenv("ENTRADA_CLIENT_IDD", "x")
    Path(".env").write_text("ENTRADA_SESION_IDLE_MINUTES=5\nUNRELATED=1\n")
    found = faults(**GOOD, tenant="x")
    assert "ENTRADA_CLIENT_IDD: no such setting; did you mean ENTRADA_CLIENT_ID?" in found
    assert "ENTRADA_SESION_IDLE_MINUTES: no such setting; did you mean ENTRADA_SESSION_IDLE_MINUTES?" in found
    assert "tenant: no such setting" in found
    assert len(found) == 3


@pytest.mark.parametrize("service", ["ENTRADA", "ENTRADA_REDIS", "ENTRADA_2_PORT"])
def test_what_kubernetes_adds_for_a_service(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Service that is called after us keeps nobody from starting; its names are mistakes without it (SEC-184)."""
    ends = ["SERVICE_PORT", "SERVICE_PORT_HTTP_ADMIN", "PORT", "PORT_80_TCP", "PORT_80_TCP_PROTO", "PORT_80_UDP_PORT",
            "PORT_6379_TCP_ADDR"]  # fmt: skip
    for end in ends:
        monkeypatch.setenv(f"{service}_{end}", "10.0.0.1")
    assert len(faults(**GOOD)) == len(ends)
    monkeypatch.setenv(f"{service}_SERVICE_HOST", "10.0.0.1")
    assert Settings.load(**GOOD)
    monkeypatch.setenv(f"{service}_SERVICE_HOSTS", "10.0.0.1")
    assert len(faults(**GOOD)) == 1


def test_a_refused_start_names_near_misses_of_customary_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was meant for a setting that is missing is told beside it, whosever name it is (SEC-184)."""
    monkeypatch.setenv("AZURE_TENANTID", TENANT)
    found = faults(client_id="a")
    assert "AZURE_TENANTID: no setting is read from it; did you mean AZURE_TENANT_ID?" in found
    assert len(found) == 2


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_dollar_in_a_file_is_a_dollar(quote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in place of `$NAME` or `${NAME}`: a secret is what was written (0395)."""
    monkeypatch.setenv("HOME", "/root")
    Path(".env").write_text(f"ENTRADA_CLIENT_SECRET={quote}a$HOME${{HOME}}b${{NONE:-c}}$${quote}\n")
    secret = Settings.load(**GOOD).client_secret
    assert secret
    assert secret.get_secret_value() == "a$HOME${HOME}b${NONE:-c}$$"


def test_a_pipe_in_place_of_the_file() -> None:
    """What gives its lines only once, as keepers of secrets do, is read once."""
    os.mkfifo(".env")
    writing = Thread(target=Path(".env").write_text, args=["ENTRADA_PREFIX=/from-a-pipe\n"], daemon=True)
    writing.start()
    assert Settings.load(**GOOD).prefix == "/from-a-pipe"
    writing.join()


def test_every_fault_is_named_at_once() -> None:
    """A start with many faults names all of them together (SEC-183)."""
    found = faults(
        profile="production", base_url="http://example.com/x/", prefix="auth/", client_secret=" ", store="redis:"
    )
    for name in ("base_url", "prefix", "client_id", "tenant_id", "client_secret", "store", "keys"):
        assert any(fault.startswith(f"{name}: ") for fault in found), name


def test_wrong_values_do_not_hide_the_other_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is none, an unknown name and a missing tenant are told together (SEC-183, SEC-184)."""
    monkeypatch.setenv("ENTRADA_LEEWAY_SECONDS", "300x")
    monkeypatch.setenv("ENTRADA_NONSENSE", "1")
    found = faults(client_id="a")
    assert {fault.split(":")[0] for fault in found} == {"leeway_seconds", "ENTRADA_NONSENSE", "tenant_id"}


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"client_id": ""}, "client_id: missing; set AZURE_CLIENT_ID"),
        ({"tenant_id": None}, "tenant_id: missing; set AZURE_TENANT_ID for Entra, or ENTRADA_ISSUER"),
        ({"tenant_id": "common"}, "tenants: name the GUIDs"),
        ({"tenant_id": "Organizations"}, "tenants: name the GUIDs"),
        ({"tenant_id": "a/b"}, "tenant_id: must be a GUID or a verified domain"),
        ({"tenant_id": "Birch"}, "tenant_id: must be a GUID or a verified domain, such as contoso.onmicrosoft.com"),
        ({"scopes": "User.Read,Mail.Read"}, "scopes: are separated by blanks"),
        ({"api_clients": "one, two"}, "api_clients: are separated by blanks"),
        ({"issuer": "https://id.example"}, "issuer: is for other providers; leave out tenant_id"),
        ({"tenant_id": None, "issuer": "http://id.example"}, "issuer: must begin with https://"),
        ({"authority": "http://localhost/x"}, "authority: must begin with https://"),
        ({"authority": "https://login.microsoftonline.com/common"}, "authority: must end in the tenant"),
        ({"authority": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"}, "authority: must end in the"),
        ({"authority": f"https://login.microsoftonline.com/{CAPITALS.lower()}"}, "authority: is of another tenant"),
        ({"tenant_id": None, "issuer": "https://id.example/.well-known/openid-configuration"}, "issuer: is what the"),
        ({"data_dir": "~/data"}, "data_dir: ~ is no home directory here; write the whole path"),
        ({"ca_file": "~/ca.pem"}, "ca_file: ~ is no home directory here; write the whole path"),
        ({"data_dir": "C:\\Users\\ada\\data"}, "data_dir: is a path of Windows; in WSL C:\\ is /mnt/c"),
        ({"keys_file": "c:/keys"}, "keys_file: is a path of Windows"),
        ({"store": "sqlite:C:\\sessions.db"}, "store: is a path of Windows"),
        ({"store": "sqlite:///sessions.db"}, "store: sqlite: is followed by the path itself"),
        ({"authority": "https://a:b@login.microsoftonline.com/x"}, "authority: must be an address without user name"),
        ({"authority": "https://[::1/x"}, "authority: must be an address"),
        ({"graph_url": "graph.microsoft.com"}, "graph_url: must begin with https://"),
        ({"base_url": "http://app.contoso.com"}, "base_url: http is for this machine only"),
        ({"base_url": "https://app.contoso.com/"}, "base_url: must be an origin such as"),
        ({"base_url": "https://app.contoso.com/app"}, "base_url: must be an origin such as"),
        ({"base_url": "https://ada@app.contoso.com"}, "base_url: must be an origin such as"),
        ({"base_url": "https://app.contoso.com\n"}, "base_url: must be an origin such as"),
        ({"base_url": "https://app.contoso.com:0x50"}, "base_url: must be an origin such as"),
        ({"base_url": "https://APP.contoso.com"}, "base_url: must be an origin such as"),
        ({"base_url": "https://[::1"}, "base_url: must be an origin such as"),
        ({"base_url": "ftp://localhost"}, "base_url: must be an origin such as"),
        ({"base_url": "localhost:8000"}, "base_url: must be an origin such as"),
        ({"base_url": "https://*.contoso.com"}, "base_url: must be an origin such as"),
        ({"prefix": "/"}, "prefix: must be empty or a path"),
        ({"prefix": "auth"}, "prefix: must be empty or a path"),
        ({"prefix": "/a/../b"}, "prefix: must be empty or a path"),
        ({"prefix": "/a?b"}, "prefix: must be empty or a path"),
        (
            {"redirect_uri": "http://localhost:8000/back"},
            "redirect_uri: nobody is expected there; register",
        ),
        ({"redirect_uri": "http://localhost:8000.evil.example/callback"}, "redirect_uri: must begin with base_url"),
        ({"home": "//evil.example"}, "home: must be a path of this application"),
        ({"home": "/\\evil.example"}, "home: must be a path of this application"),
        ({"home": "https://evil.example"}, "home: must be a path of this application"),
        ({"home": "/\n/evil.example"}, "home: must be a path of this application"),
        ({"response_mode": "form_post"}, "response_mode: form_post needs https"),
        ({"hosts": "*"}, "hosts: name each host"),
        ({"hosts": "*.contoso.com"}, "hosts: name each host"),
        ({"hosts": "app.contoso.com:443"}, "hosts: name each host"),
        ({"hosts": "https://app.contoso.com"}, "hosts: name each host"),
        ({"client_id": TENANT.replace("1", "A")}, f"client_id: write {TENANT.replace('1', 'a')}, as tokens have it"),
        (
            {"api_clients": TENANT.replace("4", "F")},
            f"api_clients: write {TENANT.replace('4', 'f')}, as tokens have it",
        ),
        ({"algorithms": "HS256"}, "algorithms: HS256 cannot be accepted; use asymmetric ones"),
        ({"algorithms": "RS256 none"}, "algorithms: none cannot be accepted; use asymmetric ones"),
        ({"algorithms": "RSA"}, "algorithms: RSA cannot be accepted; use asymmetric ones"),
        ({"algorithms": ""}, "algorithms: name at least one"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file: /nowhere/ca.pem is not a file"),
        ({"keys_file": "/nowhere/keys"}, "keys_file: /nowhere/keys is not a file"),
        ({"keys": "a:c2hvcnQ"}, "keys: number 1: the secret must be 32 bytes"),
        ({"keys": ""}, "keys: empty; make one with `python -m entrada.keyring`"),
        ({"client_secret": ""}, "client_secret: empty; set it, or leave it out for a public client"),
        ({"store": "http://localhost"}, "store: must be memory:, sqlite:, sqlite:PATH"),
        ({"profile": "prod"}, "profile: Input should be 'development' or 'production' (set ENTRADA_PROFILE)"),
        ({"response_mode": "fragment"}, "response_mode: Input should be 'query' or 'form_post'"),
        ({"leeway_seconds": 301}, "leeway_seconds: Input should be less than or equal to 300"),
        ({"leeway_seconds": "60x"}, "leeway_seconds: Input should be a valid integer"),
        ({"leeway_seconds": "1e2"}, "leeway_seconds: Input should be a valid integer"),
        ({"session_idle_minutes": 0}, "session_idle_minutes: Input should be greater than or equal to 1"),
        ({"session_idle_minutes": "1.5"}, "session_idle_minutes: Input should be a valid integer"),
        ({"session_expiry_days": 91}, "session_expiry_days: Input should be less than or equal to 90"),
        ({"session_expiry_days": -1}, "session_expiry_days: Input should be greater"),
        ({"sign_in_minutes": 61}, "sign_in_minutes: Input should be less than or equal to 60"),
        ({"token_refresh_buffer_secs": 3601}, "token_refresh_buffer_secs: Input should be less"),
        ({"offline_access": "maybe"}, "offline_access: Input should be a valid boolean"),
    ],
)
def test_each_fault_is_named_with_its_mend(values: dict[str, Any], fault: str) -> None:
    """One wrong setting gives one fault, which begins with its name and says how to mend it (SEC-184)."""
    found = faults(**{**GOOD, **values})
    assert len(found) == 1, found
    assert found[0].startswith(fault)


@pytest.mark.parametrize(
    "held", [b"", b"0\x82\x01\x0a", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_ca_file_without_a_certificate(held: bytes, tmp_path: Path) -> None:
    """SEC-024, SEC-184: a file that is empty, in DER or damaged is told like any other fault, before anything calls."""
    file = tmp_path / "ca.pem"
    file.write_bytes(held)
    (fault,) = faults(**{**GOOD, "ca_file": file})
    assert fault.startswith(f"ca_file: {file} has no certificate in PEM in it; if it is in DER: openssl x509")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"base_url": "http://localhost:8000"}, "base_url: production needs https"),
        ({"keys": None}, "keys: production needs its own: set ENTRADA_KEYS"),
        ({"store": "memory:"}, "store: memory: is lost at each restart"),
        ({"tenant_id": "e7712ada-0000-4000-8000-000000000001"}, "tenant_id: this tenant is the emulator's"),
        ({"tenant_id": "E7712ADA-0000-4000-8000-000000000001"}, "tenant_id: this tenant is the emulator's"),
        ({"authority": f"https://localhost:8443/{TENANT}"}, "authority, issuer, graph_url: an address of this machine"),
        ({"graph_url": "https://127.0.0.1:8443"}, "authority, issuer, graph_url: an address of this machine"),
        ({"graph_url": "https://127.9.9.9"}, "authority, issuer, graph_url: an address of this machine"),
        ({"graph_url": "https://emulator.localhost"}, "authority, issuer, graph_url: an address of this machine"),
        ({"graph_url": "https://LOCALHOST"}, "authority, issuer, graph_url: an address of this machine"),
        ({"tenant_id": None, "issuer": "http://localhost:9000"}, "authority, issuer, graph_url: an address of this"),
        ({"client_secret": "changeme"}, "client_secret: is a sample value"),
        ({"client_secret": "Your-Client-Secret"}, "client_secret: is a sample value"),
        ({"client_secret": " changeme"}, "client_secret: is a sample value"),
        ({"client_secret": None, "client_secrets": "emulator-secret-a k8Q~real"}, "client_secret: is a sample value"),
        ({"keys": TYPED}, "keys: number 1: the secret is not random"),
        ({"cors_origins": "http://localhost:3000"}, "cors_origins: an origin of this machine"),
        ({"cors_origins": "https://127.0.0.1"}, "cors_origins: an origin of this machine"),
        ({"tenant_id": None, **PROVIDER, "endpoint_hosts": "localhost"}, "endpoint_hosts: a name of this machine"),
        ({"tenant_id": None, **PROVIDER, "endpoint_hosts": "a.localhost"}, "endpoint_hosts: a name of this machine"),
        ({"private_networks": "0.0.0.0/0"}, "private_networks: 0.0.0.0/0"),
        ({"private_networks": "10.0.0.0/8 ::/0"}, "private_networks: 0.0.0.0/0"),
        ({"private_networks": "127.0.0.0/8"}, "private_networks: 0.0.0.0/0"),
        ({"store": "redis://cache.contoso.com"}, "store: production needs TLS"),
        ({"store": "postgresql://db.contoso.com/x?sslmode=require"}, "store: production needs TLS"),
        ({"database_url": "postgresql://db.contoso.com/x?sslmode=require"}, "database_url: production needs TLS"),
        (B2C_HERE, "authority, issuer, graph_url: an address of this machine"),
    ],
)
def test_production_refuses_what_development_lets_pass(values: dict[str, Any], fault: str) -> None:
    """Each unsafe setting keeps production from starting, by name (SEC-172, SEC-183, SEC-190)."""
    found = faults(**{**PRODUCTION, "keys": generate(), **values})
    assert len(found) == 1, found
    assert found[0].startswith(fault)
    if values.get("keys", "given") not in {None, TYPED} and "base_url" not in values:
        Settings.load(**{**PRODUCTION, **values, "profile": "development"})


def test_production_names_every_unsafe_setting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start with each of them tells them all together, what the environment does to TLS included (SEC-183)."""
    monkeypatch.setenv("SSLKEYLOGFILE", "/srv/keys.log")
    unsafe = {
        "base_url": "http://localhost:8000",
        "store": "memory:",
        "database_url": "postgresql://db.contoso.com/x",
        "tenant_id": "e7712ada-0000-4000-8000-000000000001",
        "graph_url": "https://localhost:8443",
        "client_secret": "changeme",
        "cors_origins": "http://localhost:3000 *",
        "hosts": "*",
        "private_networks": "0.0.0.0/0",
    }
    named = {fault.split(":")[0] for fault in faults(**{**PRODUCTION, **unsafe})}
    assert named == {*unsafe, "keys", "authority, issuer, graph_url", "SSLKEYLOGFILE"} - {"graph_url"}
    assert Settings.load(**GOOD)


def test_one_key_setting_at_a_time(tmp_path: Path) -> None:
    """Keys come from the setting or from its file, never from both; the file is read (SEC-173)."""
    text = generate()
    file = tmp_path / "ring"
    file.write_text(text + "\n")
    assert Settings.load(**PRODUCTION, keys_file=file).keys_text() == text
    assert faults(**GOOD, keys=generate(), keys_file=file) == ["keys: set either keys or keys_file, not both"]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", b"a:tooshort"])
def test_a_bad_keys_file_is_named(content: bytes, tmp_path: Path) -> None:
    """A file that is empty, no text or no ring is refused by name and not replaced by a key of ours (SEC-172)."""
    file = tmp_path / "ring"
    file.write_bytes(content)
    for base in (GOOD, PRODUCTION):
        assert [fault[:4] for fault in faults(**base, keys_file=file)] == ["keys"]


def test_a_file_that_is_no_text_is_refused_plainly() -> None:
    """A `.env` that is not UTF-8 is a fault that names it, not a traceback."""
    Path(".env").write_bytes(b"ENTRADA_CLIENT_SECRET=\xff\xfe\n")
    assert [fault for fault in faults(**GOOD) if fault.startswith(".env: ")]


def test_no_secret_is_shown_by_anything(tmp_path: Path) -> None:
    """Neither the settings nor a refusal ever show the client secret, a key or a database password (SEC-173)."""
    key = generate()
    secrets = {"client_secret": "hunter2-hunter2", "keys": key, "database_url": "postgresql://a:hunter3@db/x"}
    settings = Settings.load(**GOOD, **secrets)
    wrong = faults(**secrets, session_idle_minutes=0, client_id=["hunter2-hunter2"], profile="hunter2-hunter2")
    shown = f"{settings!r} {settings} {settings.model_dump_json(exclude={'database_url'})} {wrong}"
    for secret in ("hunter2", "hunter3", key.split(":")[1]):
        assert secret not in shown


def test_settings_cannot_be_changed() -> None:
    """Settings are frozen once they are checked."""
    settings = Settings.load(**GOOD)
    with pytest.raises(ValueError, match="frozen"):
        settings.profile = "production"


def test_no_setting_turns_a_check_off() -> None:
    """There is no name by which verification of anything could be disabled (SEC-185)."""
    for name in Settings.model_fields:
        assert not any(word in name for word in ("verify", "insecure", "skip", "disable", "debug", "allow")), name


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('ENTRADA_ADMIN_NETWORKS="10.0.0.0/8\n', ".env: line 1: ENTRADA_ADMIN_NETWORKS is not read; write"),
        (
            "\n\nazure_client_secret: x\n",
            ".env: line 3: AZURE_CLIENT_SECRET is not read; write AZURE_CLIENT",
        ),
        ("A=1\nexport ENTRADA_TRACES\n", ".env: line 2: ENTRADA_TRACES is not read"),
        ("A='x\nENTRADA_TRACES=true\nB='y'\n", ".env: line 1: ENTRADA_TRACES is not read"),
        ("ENTRADA_LIMITS=true\nB=1\nENTRADA_LIMITS=false\n", ".env: line 3: ENTRADA_LIMITS is in line 1 already"),
    ],
)
def test_a_line_that_would_not_hold(text: str, fault: str) -> None:
    """SEC-184: a line that nobody could read, or that another takes the place of, is a fault with its number."""
    Path(".env").write_text(text)
    (found,) = faults(**GOOD)
    assert found.startswith(fault)
    assert "10.0.0.0" not in found


def test_lines_that_are_not_ours() -> None:
    """What other programs have in the same file is theirs, and so is the same line twice; CRLF and BOM are read."""
    text = (
        'OTHER=\'x\nLINE\nHOST=a\nHOST=b\nENTRADA_PREFIX=/x\nENTRADA_PREFIX="/x" # again\nexport ENTRADA_HOME=/home\n'
    )
    Path(".env").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    settings = Settings.load(**GOOD)
    assert (settings.prefix, settings.home) == ("/x", "/home")
