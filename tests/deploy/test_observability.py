"""Prometheus asks services that exist; each alert and panel is drawn from a metric that the code exports."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

from deploy.docker import env
from services.notifier.api.alarms import Alarms
from services.notifier.app import build
from services.notifier.settings import NotifierSettings

REPO = Path(__file__).resolve().parents[2]
PARTS: dict[str, dict[str, Any]] = yaml.safe_load((REPO / "docker-compose.yml").read_text("utf-8"))[
    "services"
]
SERVICES = ("content", "qa", "sync", "notifier", "notifier-bulk")
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
                module = ".".join(path.relative_to(REPO).with_suffix("").parts)
                importlib.import_module(module.removesuffix(".__init__"))
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


KNOWN = {
    "": {"route", "receivers"},
    "route": {"receiver", "group_by", "group_wait", "group_interval", "repeat_interval"},
    "receiver": {"name", "webhook_configs"},
    "webhook": {"url", "send_resolved", "max_alerts", "http_config"},
    "http": {"follow_redirects", "oauth2"},
    "oauth2": {"client_id", "client_secret_file", "token_url"},
}


def test_alertmanager_posts_what_is_broken_where_the_notifier_takes_it() -> None:
    """Held to the fields that Alertmanager knows: one that it doesn't keeps it from starting."""
    config = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text(encoding="utf-8"))
    ((receiver,), route) = config["receivers"], config["route"]
    (webhook,) = receiver["webhook_configs"]
    http = webhook["http_config"]
    parts = dict(zip(KNOWN, (config, route, receiver, webhook, http, http["oauth2"]), strict=True))
    assert {part: unknown for part, said in parts.items() if (unknown := set(said) - KNOWN[part])} == {}
    assert route["receiver"] == receiver["name"]
    assert all(
        re.fullmatch(r"\d+[smh]", route[wait]) for wait in route if wait.endswith(("wait", "interval"))
    )
    environment = PARTS["notifier"]["environment"]
    address = webhook["url"].removeprefix(f"http://notifier:{environment['PORTAL_HTTP_PORT']}")
    service = build(NotifierSettings(environment="local", log_format="console"))
    taken = service.app().openapi()["paths"][address]["post"]["requestBody"]["content"]["application/json"]
    assert taken["schema"]["$ref"].endswith("/Alarms")
    most = next(m.max_length for m in Alarms.model_fields["alerts"].metadata if hasattr(m, "max_length"))
    assert 0 < webhook["max_alerts"] <= most


def test_alertmanager_signs_in_as_a_client_that_the_demos_issuer_knows() -> None:
    config = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text(encoding="utf-8"))
    signs_in = config["receivers"][0]["webhook_configs"][0]["http_config"]["oauth2"]
    made = env.files()
    clients = json.loads(re.findall(r"ISSUER_CLIENTS='(.*)'", made["issuer.env"])[0])
    assert clients[signs_in["client_id"]] == made["alertmanager.secret"]
    issuer = PARTS["issuer"]["environment"]
    assert signs_in["token_url"] == f"http://issuer:{issuer['ISSUER_PORT']}/token"
    mounts = [v for v in PARTS["alertmanager"]["volumes"] if isinstance(v, dict)]
    assert [mount["target"] for mount in mounts] == [signs_in["client_secret_file"]]
    assert mounts[0]["source"].endswith(":-./.data/compose/alertmanager.secret}")


def test_prometheus_tells_the_alertmanager_that_is_there() -> None:
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text(encoding="utf-8"))
    ((told,),) = (m["static_configs"] for m in config["alerting"]["alertmanagers"])
    (target,) = told["targets"]
    part, _, port = target.partition(":")
    assert PARTS[part]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert PARTS[part]["profiles"] == PARTS["prometheus"]["profiles"]
