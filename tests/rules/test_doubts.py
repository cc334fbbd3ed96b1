"""What may be right and probably is not: told when the application starts, which it does."""

import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from entrada import Entrada, Settings
from entrada.settings.names import known_names

ID = "21111111-1111-4111-8111-111111111111"
SECRET_ID = "5D1c4a7e-9c6b-4d3a-8f6a-1b2c5f4a2a0e"
VALUE = "abC8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789_"  # the form that Entra makes
GOOD: dict[str, Any] = {"tenant_id": "11111111-1111-4111-8111-111111111111", "client_id": ID}
PROVIDER = {"tenant_id": None, "issuer": "https://id.contoso.com"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in known_names():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Any:
    """Return a function that starts an application with these settings, and says what was in doubt."""

    def start(**values: Any) -> list[str]:
        caplog.set_level(logging.WARNING, logger="entrada")
        caplog.clear()
        Entrada(Settings.load(**{**GOOD, **values})).install(FastAPI())
        return [each for record in caplog.records if (each := record.getMessage()).startswith("setting_in_doubt ")]

    return start


@pytest.mark.parametrize(
    ("values", "doubted"),
    [
        ({"client_secret": SECRET_ID}, "client_secret"),
        ({"client_secret": SECRET_ID.lower()}, "client_secret"),
        ({"client_secrets": f"{VALUE} {SECRET_ID}"}, "client_secrets"),
        ({"client_secret": VALUE}, None),
        ({"client_secret": "0" * 34}, None),
        ({"client_secret": f"{SECRET_ID}="}, None),
        ({"client_secret": SECRET_ID, **PROVIDER}, None),
    ],
)
def test_a_secret_that_is_the_id_of_one(told: Any, values: dict[str, Any], doubted: str | None) -> None:
    """A GUID is not what Entra makes as a secret's value; it is told without the value, and refused to nobody."""
    found = told(**values)
    assert [f'setting={doubted} reason="looks like the portal' in line for line in found] == ([True] if doubted else [])
    assert SECRET_ID.lower() not in "".join(found).lower()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"client_id": "my-application"}, "is no GUID"),
        ({"client_id": f"api://{ID}"}, "is no GUID"),
        ({"client_id": GOOD["tenant_id"]}, "is the tenant's id"),
        ({"client_id": GOOD["tenant_id"], "tenant_id": GOOD["tenant_id"].upper()}, "is the tenant's id"),
        ({"client_id": ID}, None),
        ({"client_id": "my-application", **PROVIDER}, None),
    ],
)
def test_an_id_that_entra_has_not_made(told: Any, values: dict[str, Any], said: str | None) -> None:
    """A client id that is no GUID, or the tenant's, is told before anybody has tried to sign in by it."""
    assert [f'setting=client_id reason="{said}' in line for line in told(**values)] == ([True] if said else [])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("client_secret", f"{VALUE}\n", "begins or ends with a blank"),
        ("client_secret", f" {VALUE}", "begins or ends with a blank"),
        ("client_secret", f'"{VALUE}"', "is in quotes"),
        ("client_secrets", f"'{VALUE}' other~", "is in quotes"),
        ("client_id", f"'{ID}'", "is in quotes"),
        ("client_secret", f"'{VALUE}\"", None),
        ("client_secret", "it's", None),
    ],
)
def test_what_an_orchestrator_wraps_around_a_value(told: Any, name: str, value: str, said: str | None) -> None:
    """A newline of `echo`, and quotes that Docker's --env-file keeps, are told before the authority refuses them."""
    found = told(**{name: value})
    assert [f'setting={name} reason="{said}' in line for line in found] == ([True] if said else [])
    assert VALUE not in "".join(found)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AZURE_CLIENTSECRET", "AZURE_CLIENT_SECRET"),
        ("azure_clinet_secret", "AZURE_CLIENT_SECRET"),
        ("AZURE_REDIRECT_URL", "AZURE_REDIRECT_URI"),
        ("B2C_TENANT", "B2C_TENANT_ID"),
        ("B2C_SIGN_IN_POLICY", "B2C_SIGNIN_POLICY"),
        ("SESSION_EXPIRY_DAY", "SESSION_EXPIRY_DAYS"),
        ("TOKEN_REFRESH_BUFFER_SEC", "TOKEN_REFRESH_BUFFER_SECS"),
        *((name, None) for name in ("AZURE_AUTHORITY_HOST", "AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_CONFIG_DIR",
                                    "AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "AZURE_CLOUD",
                                    "AZURE_REGIONAL_AUTHORITY_NAME", "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
                                    "AZURE_FEDERATED_TOKEN", "AZURE_STORAGE_ACCOUNT", "TOKEN", "SESSION_SECRET")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["environment", "file"])
def test_a_name_that_is_nearly_one(
    told: Any, name: str, meant: str | None, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt customary name is told; the names of azure-identity and of other tools are not (SEC-184)."""
    if way == "environment":
        monkeypatch.setenv(name, "hunter2")
    else:
        Path(".env").write_text(f"{name}=hunter2\n")
    found = told()
    line = f'setting_in_doubt setting={name.upper()} reason="no setting is read from it; did you mean {meant}?"'
    assert found == ([line] if meant else [])
    assert "hunter2" not in "".join(found)


def test_a_near_miss_beside_the_name_itself(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the setting is there, what is nearly its name is somebody else's."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET2", "hunter2")
    assert len(told()) == 1
    assert told(client_secret=VALUE) == []


def test_a_variable_in_a_file_is_told(told: Any) -> None:
    """Whoever expects `${NAME}` to be replaced is told that it is not, by the line and never with the value."""
    Path(".env").write_text("OTHER=${HOME}\nENTRADA_CLIENT_SECRET=hunter2$x\nENTRADA_HOME=/hunter2/${HOME}\n")
    (found,) = told(home="/")
    assert 'setting=.env reason="line 3: ENTRADA_HOME has ${…}, which is taken as it stands' in found
    assert "hunter2" not in found


def test_a_file_that_these_settings_are_not_from(caplog: pytest.LogCaptureFixture) -> None:
    """An application with settings of its own starts beside a `.env` that is no text."""
    Path(".env").write_bytes(b"\xff\xfe")
    Entrada(Settings(**GOOD, _env_file=None)).install(FastAPI())
    assert "setting_in_doubt" not in caplog.text
