"""Secrets in files of their own: read where NAME_FILE says, refused in words that repeat nothing (SEC-173)."""

from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import Entrada
from entrada.errors import SettingsRefused
from entrada.settings import Settings
from entrada.settings.names import known_names, secret_settings
from tests.front_door import SECRET, running

GOOD: dict[str, Any] = {"tenant_id": "11111111-1111-4111-8111-111111111111", "client_id": "an-application"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in known_names():
        monkeypatch.delenv(name, raising=False)


def fault(**values: Any) -> str:
    with pytest.raises(SettingsRefused) as refused:
        Settings.load(**GOOD, **values)
    (only,) = refused.value.faults
    return only


async def test_people_sign_in_with_a_secret_from_a_file(
    entra: Entra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC-173: the authority is shown what the file says, without the line end that an editor put there."""
    (tmp_path / "client").write_text(f"{SECRET}\n", "utf-8")
    monkeypatch.setenv("AZURE_CLIENT_SECRET_FILE", str(tmp_path / "client"))
    from_file = Settings.load(**GOOD).client_secret
    async with running(entra, tmp_path, client_secret=from_file) as door:
        assert (await door.signed_in()).jar


def test_each_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting that is a secret or may hold one, but the key ring, whose file has a setting of its own."""
    said = {
        "client_secrets": "first-of-two-values\nsecond-of-two-values\n",
        "client_certificate_password": "a password with blanks \r\n",
        "metrics_token": "a-token-of-thirty-two-characters-x\n",
        "audit_webhook_secret": "whsec_" + "A" * 43 + "=",
        "store": "redis://:a-password@localhost/0",
        "database_url": "postgresql://entrada:a-password@localhost/entrada\n",
    }
    assert secret_settings() == said.keys() | {"client_secret"}
    for name, text in said.items():
        (tmp_path / name).write_text(text, "utf-8")
        monkeypatch.setenv(f"ENTRADA_{name.upper()}_FILE", str(tmp_path / name))
    monkeypatch.setenv("ENTRADA_AUDIT_WEBHOOK_URL", "https://log.contoso.com/rows")
    (tmp_path / "client.pfx").touch()
    settings = Settings.load(**GOOD, client_certificate=tmp_path / "client.pfx")
    assert [each.get_secret_value() for each in settings.client_secrets] == said["client_secrets"].split()
    assert settings.client_certificate_password
    assert settings.client_certificate_password.get_secret_value() == "a password with blanks "
    assert (settings.store, settings.database_url) == (said["store"], said["database_url"].strip())
    assert "a-password" not in repr(settings)


def test_a_file_named_in_env(tmp_path: Path) -> None:
    """The name may be in `.env` as well, and the constructor comes first as ever."""
    (tmp_path / "client").write_text("a-value-from-a-file", "utf-8")
    (tmp_path / ".env").write_text("AZURE_CLIENT_SECRET_FILE=client\n", "utf-8")
    found = Settings.load(**GOOD).client_secret
    assert found
    assert found.get_secret_value() == "a-value-from-a-file"
    assert Settings.load(**GOOD, client_secret=None).client_secret is None


def test_a_secret_and_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two places for one secret are a mistake, whichever names they have."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-value-of-its-own")
    monkeypatch.setenv("ENTRADA_CLIENT_SECRET_FILE", str(tmp_path / "client"))
    told = fault()
    assert told == "client_secret: AZURE_CLIENT_SECRET and ENTRADA_CLIENT_SECRET_FILE are set; keep one of them"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff\xfea\x00", "is not UTF-8 text"),
        (b"x" * 70_000, "is over 64 KiB: no secret"),
    ],
)
def test_a_file_that_says_no_secret(
    content: bytes | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is refused; what the file says, or a secret that was put where its path belongs, is not repeated."""
    path = tmp_path / "a-secret-in-the-wrong-place"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("AZURE_CLIENT_SECRET_FILE", str(path))
    assert fault() == f"client_secret: the file that AZURE_CLIENT_SECRET_FILE names {reason}"


def test_what_is_no_secret_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is read nowhere stops the start, as ever (SEC-184)."""
    monkeypatch.setenv("ENTRADA_HOME_FILE", "/etc/home")
    assert fault().startswith("ENTRADA_HOME_FILE: no such setting")


def test_an_application_starts_with_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Entrada()` reads them as `Settings.load` does."""
    (tmp_path / "client").write_text("a-value-from-a-file", "utf-8")
    for name, value in (("AZURE_TENANT_ID", GOOD["tenant_id"]), ("AZURE_CLIENT_ID", GOOD["client_id"])):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_CLIENT_SECRET_FILE", str(tmp_path / "client"))
    entrada = Entrada()
    entrada.install(FastAPI())
    assert entrada.settings.client_secret
