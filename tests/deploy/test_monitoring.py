"""What we give to watch an application with asks for numbers that it really has, and the page of them is in order."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from entrada_emulator.pytest_plugin import Entra

from entrada.web.monitoring.metrics import FAMILIES
from tests.front_door import AUTH, BASE, running

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy/monitoring"
TOKEN = "a-token-for-prometheus-alone"
NAMED = re.compile(r"\bentrada_[a-z_]+\b")
MATCHED = re.compile(r"(entrada_[a-z_]+)\{([^}]*)\}")
NO_PROMTOOL = "promtool is not installed; it is in Debian's `prometheus`, 96 MB that nobody is made to install"
HAS_PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason=NO_PROMTOOL)


async def page(entra: Entra, tmp_path: Path) -> str:
    """Return the page of an application at which people have signed in, failed, and been refused."""
    async with running(entra, tmp_path, metrics_token=TOKEN, client_secret_expires=("2099-01-31",)) as door:
        browser = await door.signed_in()
        await browser.open(f"{BASE}/graph")
        await door.raw("GET", f"{AUTH}/me")
        answer = await door.raw("GET", f"{BASE}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        return answer.text


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> Any:
    return json.loads((MONITORING / "dashboard.json").read_text("utf-8"))


def asked() -> list[str]:
    """Return every expression of the alerts and of the dashboard."""
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in alerts()] + panels + [v["query"] for v in dashboard()["templating"]["list"]]


async def test_every_number_that_is_asked_for_is_there(entra: Entra, tmp_path: Path) -> None:
    """AUD-2: each series of the alert rules and the dashboard is on the page; where a word is named, with that word."""
    shown = await page(entra, tmp_path)
    families = {family.name: family for family in FAMILIES}
    expressions = asked()
    assert len(expressions) > 30
    for expression in expressions:
        for name in NAMED.findall(expression):
            base = re.sub(r"_(bucket|count|sum)$", "", name)
            assert base in families, expression
            assert base == name or families[base].kind == "histogram", expression
            if base != "entrada_sessions_ended_total":  # not before one is ended
                assert re.search(rf"^{name}[ {{]", shown, re.MULTILINE), expression
        for name, matched in MATCHED.findall(expression):
            for label, word in re.findall(r'(\w+)="([^"]*)"', matched):
                assert f'{label}="{word}"' in "".join(re.findall(rf"^{name}.*$", shown, re.MULTILINE)), expression


def test_labels_that_are_asked_for_are_those_of_the_metric() -> None:
    """AUD-2: `sum by (…)` and the like name labels that the metric has, or that Prometheus adds."""
    families = {family.name: {*family.labels, "job", "instance", "le"} for family in FAMILIES}
    for expression in asked():
        names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in NAMED.findall(expression)}
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            wanted = {label.strip() for label in grouped.split(",")}
            assert all(wanted <= families[name] for name in names), expression


def test_each_alert_says_what_is_the_matter_and_what_to_do() -> None:
    """AUD-2: name, severity, one sentence, and what it means; no two have one name."""
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) > 10
    for rule in alerts():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert all(rule["annotations"][part] for part in ("summary", "description"))


def test_panels_do_not_overlap() -> None:
    """The dashboard is laid out in a grid of 24 columns, each panel with a place and an id of its own."""
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_documentation_lists_every_metric() -> None:
    """AUD-2: docs/monitoring.md has a row for each metric, with its labels, and no other."""
    rows = re.findall(
        r"^\| `(entrada_\w+)` \| (\w+) \| ([^|]*) \|", (ROOT / "docs/monitoring.md").read_text("utf-8"), re.MULTILINE
    )
    written = [(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows]
    assert written == [(family.name, family.kind, family.labels) for family in FAMILIES]


@HAS_PROMTOOL
def test_the_rules_fire_when_they_should() -> None:
    """AUD-2: Prometheus' own tool takes the rules and the part of its configuration, and runs our tests of them."""
    for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]):
        result = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


@HAS_PROMTOOL
async def test_promtool_takes_the_page(entra: Entra, tmp_path: Path) -> None:
    """AUD-2: Prometheus' own parser reads the page, and its linter has nothing to say."""
    shown = await page(entra, tmp_path)
    result = await anyio.run_process(["promtool", "check", "metrics"], input=shown.encode(), check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, b"")
