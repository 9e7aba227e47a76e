"""The shipped alert rules and dashboards: what they name exists, every metric is shown, promtool agrees."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from steward.kit.telemetry.metrics import Metrics
from steward.kit.testing.clock import FakeClock

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))

# Labels that Prometheus itself gives.
TARGET_LABELS = {"instance", "job"}

_SELECTOR = re.compile(r"\b(steward_\w+)\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")


def known_metrics() -> Mapping[str, set[str]]:
    """Every series name that `Metrics` can show, with its labels."""
    metrics = Metrics(FakeClock(), tenant_labels=1)
    metrics.active_sessions(1)
    metrics.active_conversations(1)
    metrics.audit_unsealed(0)
    found: dict[str, set[str]] = {}
    for collector in list(metrics.registry._collector_to_names):
        if isinstance(collector, MetricWrapperBase):
            labels = set(collector._labelnames)
            for name in metrics.registry._collector_to_names[collector]:
                if not name.endswith("_created"):
                    found[name] = labels | ({"le"} if isinstance(collector, Histogram) else set())
        else:
            for family in collector.collect():
                found[family.name] = {label for sample in family.samples for label in sample.labels}
    return found


def rule_expressions() -> Iterator[tuple[str, str]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule["alert"], rule["expr"]


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        dashboard: dict[str, Any] = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.name}: {panel['title']}", target["expr"]
        for variable in dashboard["templating"]["list"]:
            yield f"{path.name}: ${variable['name']}", variable["query"]["query"]


EXPRESSIONS = [*rule_expressions(), *dashboard_expressions()]


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_named_metrics_and_labels_exist(where: str, expression: str) -> None:
    known = known_metrics()
    usable = set(TARGET_LABELS)
    for name, matchers in _SELECTOR.findall(expression):
        assert name in known, f"{where} names {name}, which nothing shows"
        usable |= known[name]
        unknown = set(_MATCHER.findall(matchers)) - known[name] - TARGET_LABELS
        assert not unknown, f"{where} selects {name} by {unknown}, which it does not have"
    for grouping in _GROUPING.findall(expression):
        unknown = {label.strip() for label in grouping.split(",")} - usable
        assert not unknown, f"{where} groups by {unknown}, which none of its metrics has"


def test_every_metric_is_on_a_dashboard_or_in_a_rule() -> None:
    used = {name for _, expression in EXPRESSIONS for name, _ in _SELECTOR.findall(expression)}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known_metrics()}
    unseen = {base for base in bases if not any(name.startswith(base) for name in used)}
    assert not unseen


def test_every_alert_has_a_test_that_fires_and_one_that_is_silent() -> None:
    fired, silent = set[str](), set[str]()
    for path in RULE_TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                (fired if case["exp_alerts"] else silent).add(case["alertname"])
    alerts = {alert for alert, _ in rule_expressions()}
    assert alerts <= fired
    assert alerts <= silent


def test_dashboard_parts_have_ids_and_places_of_their_own() -> None:
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        taken = set[tuple[int, int]]()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, f"{panel['title']} lies over another panel"
            taken |= cells


def test_dashboards_read_the_provisioned_source() -> None:
    provisioned = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    uids = {source["uid"] for source in provisioned["datasources"]}
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert {panel["datasource"]["uid"] for panel in panels if "datasource" in panel} <= uids


def promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        reason = "PROMTOOL IS MISSING, so the alert rules are NOT TESTED: install Debian's package prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_accepts_the_rules(path: Path) -> None:
    promtool("check", "rules", str(path))


def test_promtool_accepts_the_configuration() -> None:
    promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.name)
def test_promtool_passes_the_tests_of_the_rules(path: Path) -> None:
    promtool("test", "rules", str(path))
