"""What we give to run an application with fits the library: settings, names, manifests, nginx's file."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrada import Settings, keyring
from tests.chromium.certificates import certificate_for

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLES = sorted((DEPLOY / "env").glob("*.env.example"))
KNOWN = {f"ENTRADA_{name}".upper() for name in Settings.model_fields}
NAMED = re.compile(r"^(?:ENTRADA|AZURE|B2C)_")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_settings_of_each_kind_of_client_start_in_production(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied as they stand, with only the files put in place, they are complete and safe."""
    for name in filter(NAMED.match, list(os.environ)):
        monkeypatch.delenv(name)
    (tmp_path / "entrada_keys").write_text(keyring.generate())
    (tmp_path / "entrada_keys").chmod(0o600)
    certificate_for("app.example.com", tmp_path)[1].rename(tmp_path / "client.pem")
    (tmp_path / ".env").write_text(example.read_text("utf-8").replace("/run/secrets", str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(data_dir=tmp_path)
    assert settings.production
    assert settings.base_url.startswith("https://")


def test_the_compose_file_names_only_what_there_is() -> None:
    """Each secret, network and volume of a service is declared, and each of our settings exists."""
    compose = _read("compose.yaml")
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("networks", ())) <= set(compose["networks"])
        assert set(service.get("depends_on", ())) <= set(compose["services"])
        ours = {name for name in service.get("environment", {}) if name.startswith("ENTRADA_")}
        assert ours <= KNOWN
    assert (DEPLOY / compose["services"]["application-1"]["build"]["context"] / "deploy/Dockerfile").is_file()


def test_the_manifests_fit_each_other_and_the_application() -> None:
    """What a Service, a budget or a policy selects is what is deployed, and the probes ask for what is answered."""
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes/application.yaml").read_text("utf-8")))
    deployment = next(document for document in documents if document["kind"] == "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [document["spec"].get("selector") or document["spec"].get("podSelector") for document in documents]
    assert all((selector or labels).get("matchLabels", selector or labels) == labels for selector in selectors)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    asked = [container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")]
    assert asked == ["/health", "/health", "/ready"]
    assert {entry["name"] for entry in container["env"]} <= KNOWN


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    """`nginx -t` accepts it, with a certificate in place and names that resolve here."""
    (tmp_path / "tls").mkdir()
    chain = certificate_for("app.example.com", tmp_path)[1]
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / "tls" / name).write_bytes(chain.read_bytes())
    text = re.sub(r"application-\d:8000", "127.0.0.1:8000", (DEPLOY / "nginx.conf").read_text("utf-8"))
    text = re.sub(r"(pid |_temp_path )/(?:run|tmp)", rf"\1{tmp_path}", text)
    (tmp_path / "nginx.conf").write_text(text)
    command = ["nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr


def _read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))
