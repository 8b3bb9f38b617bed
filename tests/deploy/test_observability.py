"""Prometheus asks services that exist; each alert and panel is drawn from a metric that the code exports."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

REPO = Path(__file__).resolve().parents[2]
PARTS: dict[str, dict[str, Any]] = yaml.safe_load((REPO / "docker-compose.yml").read_text("utf-8"))[
    "services"
]
SERVICES = ("content", "qa", "sync", "notifier")
OBSERVABILITY = REPO / "deploy" / "observability"


def test_prometheus_asks_services_that_exist_where_they_listen() -> None:
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text(encoding="utf-8"))
    asked = {}
    for job in config["scrape_configs"]:
        assert job["metrics_path"] == "/metrics"
        for group in job["static_configs"]:
            asked |= {target.split(":")[0]: int(target.split(":")[1]) for target in group["targets"]}
    assert asked == {name: int(PARTS[name]["environment"]["PORTAL_HTTP_PORT"]) for name in SERVICES}
    mounted = {
        entry.split(":")[1]: REPO / entry.split(":")[0] for entry in PARTS["prometheus"]["volumes"][:2]
    }
    assert all(mounted[path].is_file() for path in config["rule_files"])


KEYWORDS = {
    "sum",
    "by",
    "rate",
    "increase",
    "histogram_quantile",
    "and",
    "or",
    "on",
    "max",
    "min",
    "le",
    "count",
    "absent",
    "clamp_min",
    "delta",
}


def exported() -> set[str]:
    """The names under which the code's metrics are scraped."""
    for module in (
        "shared.service",
        "shared.jobs",
        "shared.operations",
        "shared.web.edge",
        "shared.clocks_agree",
    ):
        importlib.import_module(module)
    for service in SERVICES:
        for path in (REPO / "services" / service).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "prometheus_client" in text:
                importlib.import_module(".".join(path.relative_to(REPO).with_suffix("").parts))
    names: dict[str, Any] = vars(REGISTRY)["_names_to_collectors"]
    return {*names, "up"}


def metrics_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", bare)
    return set(re.findall(r"[a-z_:][a-z0-9_:]*", bare)) - KEYWORDS


def test_every_alert_and_panel_is_drawn_from_a_metric_that_the_code_exports() -> None:
    rules = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text(encoding="utf-8"))
    board = json.loads((OBSERVABILITY / "dashboards/newsroom.json").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    known = exported()
    assert {e: metrics_in(e) - known for e in expressions if metrics_in(e) - known} == {}


def test_every_alert_says_what_is_broken_and_what_to_do() -> None:
    rules = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in {"page", "ticket"}
