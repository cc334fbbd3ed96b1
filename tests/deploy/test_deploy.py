"""What we give to run an application with fits the library: settings, names, manifests, nginx's file."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrada import Settings, keyring
from tests.chromium.certificates import certificate_for
from tests.servers import program

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLES = sorted((DEPLOY / "env").glob("*.env.example"))
KNOWN = {f"ENTRADA_{name}".upper() for name in Settings.model_fields}
NAMED = re.compile(r"^(?:ENTRADA|AZURE|B2C)_")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_settings_of_each_kind_of_client_start_in_production(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied as they stand, with only the files put in place, they are complete and safe; Compose's with them, too."""
    settings = _loaded(example, tmp_path, monkeypatch)
    assert settings.production
    assert settings.base_url.startswith("https://")
    service = _read("compose.yaml")["services"]["application-1"]
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value.replace("/run/secrets", str(tmp_path)))
    inside = Settings.load(data_dir=tmp_path)
    assert inside.production
    assert inside.store == "unix:///run/sessions/redis.sock"


def _loaded(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in filter(NAMED.match, list(os.environ)):
        monkeypatch.delenv(name)
    (tmp_path / "entrada_keys").write_text(keyring.generate())
    (tmp_path / "entrada_keys").chmod(0o600)
    certificate_for("app.example.com", tmp_path)[1].rename(tmp_path / "client.pem")
    (tmp_path / ".env").write_text(example.read_text("utf-8").replace("/run/secrets", str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return Settings.load(data_dir=tmp_path)


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


def test_in_the_compose_file_only_nginx_is_believed_and_reached() -> None:
    """SEC-153: the application trusts nginx's own address; only nginx has a port; the stores have no network at all."""
    services = _read("compose.yaml")["services"]
    address = {name: _inside(service) for name, service in services.items()}
    applications = ["application-1", "application-2"]
    for name in applications:
        assert services[name]["environment"]["ENTRADA_TRUSTED_PROXIES"] == address["nginx"]
        assert set(services[name]["networks"]) & set(services["nginx"]["networks"]) == {"inside"}
    assert services["nginx"]["extra_hosts"] == [f"{name}:{address[name]}" for name in applications]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert [services[name]["network_mode"] for name in ("sessions", "users")] == ["none", "none"]


def _inside(service: dict[str, Any]) -> str | None:
    networks = service.get("networks", {})
    address: str | None = networks.get("inside", {}).get("ipv4_address")
    return address


def test_what_the_compose_file_wants_of_people_is_kept_out_of_git_and_of_the_image() -> None:
    """Secrets and certificates that lie in the working tree are neither committed nor sent to the builder."""
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {".env", "/deploy/secrets/", "/deploy/tls/"} <= set(ignored)
    kept_back = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert {"**/.env", "deploy/secrets", "deploy/tls"} <= set(kept_back)


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: no comments, lines joined, each ARG in its default."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", "")
    for name, value in re.findall(r"^ARG (\w+)=(.*)$", text, flags=re.MULTILINE):
        text = text.replace(f"${{{name}}}", value)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def test_the_image_copies_files_that_are_there_and_runs_as_nobody_special() -> None:
    """What can be known without Docker: the sources exist, none is kept from the builder, and root is dropped."""
    copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    sources = {source for names in copied for source in names}
    assert sources >= {"src", "pyproject.toml", "requirements/deploy.txt", "examples/auth_code_flow"}
    assert all((ROOT / source).exists() for source in sources)
    kept_back = set((DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()[1:])
    assert not kept_back & {part for source in sources for part in (source, source.partition("/")[0])}
    words = [word for word, _ in instructions()]
    assert dict(instructions())["USER"] == "10001"
    assert words.index("USER") < words.index("CMD")


def test_what_the_image_runs_is_well_formed() -> None:
    """Its command and its health check are JSON lists; the check is Python; the example's module is what is served."""
    last = dict(instructions())
    shell, option, line = json.loads(last["CMD"])
    assert (shell, option, line.split()[:4]) == ("sh", "-c", ["exec", "entrada", "serve", '"$MODULE"'])
    assert last["ENV"].endswith("MODULE=app:app")
    check = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    assert check[:2] == ["python", "-c"]
    compile(check[2], "HEALTHCHECK", "exec")


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


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    """`nginx -t` accepts it, with a certificate in place and names that resolve here."""
    (tmp_path / "tls").mkdir()
    chain = certificate_for("app.example.com", tmp_path)[1]
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / "tls" / name).write_bytes(chain.read_bytes())
    text = re.sub(r"application-\d:8000", "127.0.0.1:8000", (DEPLOY / "nginx.conf").read_text("utf-8"))
    text = re.sub(r"(pid |_temp_path )/(?:run|tmp)", rf"\1{tmp_path}", text)
    (tmp_path / "nginx.conf").write_text(text)
    command = [program("nginx"), "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr


def _read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))
