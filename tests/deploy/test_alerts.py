"""Each alert rule sees what it is for, in the time that it promises, and is silent beside it: judged by
Prometheus' own promtool. Without promtool the rules' form is checked all the same, and the skip says so."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import promtool

REPO = Path(__file__).resolve().parents[2]
FILE = REPO / "deploy" / "observability" / "alerts.yml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(FILE.read_text("utf-8"))["groups"]
    for rule in group["rules"]
}
Series = dict[str, str]


@dataclass(frozen=True)
class Case:
    """``series``: one value every ten seconds (`a+bxn`: n steps from a by b). ``then``: the labels with which
    it fires at ``at``; empty: it is silent."""

    alert: str
    words: str
    series: Series
    at: str
    then: dict[str, str] = field(default_factory=dict)


def fires(alert: str, words: str, series: Series, at: str, **labels: str) -> Case:
    return Case(alert, words, series, at, {"severity": RULES[alert]["labels"]["severity"], **labels})


silent = Case
_UP, _WAITING = 'up{job="newsroom", part="qa"}', "notifier_notice_waiting_seconds"
_SWEPT = 'job_runs_total{job="fire_due", outcome="ran", part="notifier"}'
_URGENT, _OWED, _OWN = (f'{_WAITING}{{lane="{lane}"}}' for lane in ("urgent", "statutory", "internal"))
_LAG, _MEDIAN = (f'notifier_firing_lag_seconds{{quantile="{q}"}}' for q in ("0.99", "0.5"))
_MEASURED = 'job_runs_total{job="measure", outcome="ran", part="notifier"}'
_BACK, _SENT, _TWICE, _FAILED_MAIL, _WITHHELD = (
    f'notifier_notices{{outcome="{o}"}}' for o in ("bounced", "sent", "possibly_twice", "failed", "withheld")
)

_LAGGING, _HANDLED = (
    'inbox_lag{service="qa", topic="t"}',
    'inbox_events_total{service="qa", outcome="handled"}',
)
_BURIED = 'inbox_events_total{service="qa", outcome="buried"}'
_RELAY, _LISTS = (f'{{service="qa", follower="{f}"}}' for f in ("relay", "projector"))
_FAILED = 'job_runs_total{part="sync", job="push", outcome="failed"}'
_DEFERRED, _SCANNED = (f'file_scans_total{{part="qa", outcome="{o}"}}' for o in ("deferred", "clean"))
_503, _200 = (f'http_seconds_count{{part="qa", status="{s}"}}' for s in (503, 200))
_QUICK, _BEARABLE, _ANY = (f'http_seconds_bucket{{part="qa", le="{le}"}}' for le in ("0.1", "5", "+Inf"))
_OLDEST, _ALONE, _MOVING = (
    f"notifier_{name}" for name in ("oldest_unfired_seconds", "people_unreached", "calendar_moving_seconds")
)
_HELD_1, _HELD_2 = (f'clocks_held{{service="notifier", part="{p}"}}' for p in ("notifier", "notifier-2"))
_SWEPT_TOO = _SWEPT.replace('"notifier"', '"notifier-2"')

CASES = (
    fires("ServiceDown", "it is silent for a minute", {_UP: "1x6 0x12"}, "2m", job="newsroom", part="qa"),
    silent("ServiceDown", "it misses one scrape", {_UP: "1x6 0 1x12"}, "2m"),
    fires("EventsBuried", "one event is buried", {_BURIED: "0x6 1x30"}, "2m", service="qa"),
    silent("EventsBuried", "events are handled", {_HANDLED: "0+5x60"}, "5m"),
    fires("InboxBehind", "1,200 wait", {_LAGGING: "1200x30"}, "3m", service="qa", topic="t"),
    silent("InboxBehind", "a burst is worked off", {_LAGGING: "5000-1000x4 0x30"}, "3m"),
    fires("InboxStopped", "five wait, none goes", {_LAGGING: "5x60", _HANDLED: "9x60"}, "5m", service="qa"),
    silent("InboxStopped", "five wait, others go", {_LAGGING: "5x60", _HANDLED: "0+1x60"}, "5m"),
    fires("FollowerBehind", "it is a minute behind", {f"follower_behind_seconds{_RELAY}": "60x30"}, "2m",
          service="qa", follower="relay"),
    silent("FollowerBehind", "it is two seconds behind", {f"follower_behind_seconds{_RELAY}": "2x30"}, "2m"),
    fires("FollowerStandsStill", "a column fails", {f"follower_troubled{_LISTS}": "1x30"}, "1m",
          service="qa", follower="projector"),
    silent("FollowerStandsStill", "nothing fails", {f"follower_troubled{_LISTS}": "0x30"}, "1m"),
    fires("JobsFailing", "every run fails", {_FAILED: "0+1x90"}, "10m", part="sync", job="push"),
    fires("FilesNotScanned", "the scanner is down for twenty minutes", {_DEFERRED: "0+1x120"}, "20m",
          part="qa"),
    silent("FilesNotScanned", "it is down for a minute", {_DEFERRED: "0x6 1 2 2x110"}, "20m"),
    silent("FilesNotScanned", "one file fails again and again, others are scanned",
           {_DEFERRED: "0+1x120", _SCANNED: "0+1x120"}, "20m"),
    silent("JobsFailing", "one run in ten minutes fails", {_FAILED: "0x30 1x60"}, "10m"),
    fires("RequestsFailing", "one in ten fails", {_503: "0+10x90", _200: "0+90x90"}, "10m", part="qa"),
    silent("RequestsFailing", "one in a hundred fails", {_503: "0+1x90", _200: "0+99x90"}, "10m"),
    fires("RequestsSlow", "all take four seconds",
          {_QUICK: "0x120", _BEARABLE: "0+10x120", _ANY: "0+10x120"}, "15m", part="qa"),
    silent("RequestsSlow", "all take a moment", {_QUICK: "0+10x120", _ANY: "0+10x120"}, "15m"),
    fires("RegisterGone", "nobody of the notifier is scraped", {_UP: "1x60"}, "2m"),
    silent("RegisterGone", "one replica is", {_OLDEST: "0x60"}, "2m"),
    fires("DeadlinesNotFiring", "a stage waits ever longer", {_OLDEST: "0+10x30"}, "3m"),
    silent("DeadlinesNotFiring", "what is due fires", {_OLDEST: "0 3 1 0 2 4 0 0 1 5 2 0 0 3"}, "2m"),
    silent("DeadlinesNotFiring", "50,000 take half a minute", {_OLDEST: "0x6 10 20 30 0x20"}, "3m"),
    fires("SweepStopped", "a sweep hangs", {_SWEPT: "0+10x12 120x60"}, "6m"),
    silent("SweepStopped", "one of two hangs", {_SWEPT: "0+10x12 120x60", _SWEPT_TOO: "0+10x72"}, "6m"),
    fires("ClocksDisagree", "one replica's clock jumps", {_HELD_1: "0x6 1x30", _HELD_2: "0x36"}, "90s",
          service="notifier"),
    silent("ClocksDisagree", "they agree", {_HELD_1: "0x36", _HELD_2: "0x36"}, "90s"),
    fires("FiringLate", "a breach in a hundred is a minute late", {_LAG: "60x90"}, "11m"),
    silent("FiringLate", "all are within two seconds", {_LAG: "2x90"}, "11m"),
    fires("FiringSlow", "every other breach is ten seconds late", {_MEDIAN: "10x90"}, "11m"),
    silent("FiringSlow", "the slowest alone are a minute late", {_MEDIAN: "1x90", _LAG: "60x90"}, "11m"),
    fires("VitalsFrozen", "they are measured no more", {_MEASURED: "0+1x12 12x60"}, "6m"),
    silent("VitalsFrozen", "one of two measures no more",
           {_MEASURED: "0+1x12 12x60", _MEASURED.replace('"notifier"', '"notifier-2"'): "0+1x72"}, "6m"),
    fires("RefusalNotTold", "an asker waits for two minutes", {_URGENT: "0+10x30"}, "2m"),
    silent("RefusalNotTold", "it is tried again once and taken", {_URGENT: "0 10 20 0x30"}, "2m"),
    silent("RefusalNotTold", "an answer waits", {_OWED: "0+10x30", _URGENT: "0x30"}, "2m"),
    fires("NoticesWaiting", "an answer waits for a quarter of an hour", {_OWED: "0+10x120"}, "17m"),
    silent("NoticesWaiting", "an answer waits for ten minutes", {_OWED: "0+10x60 0x60"}, "17m"),
    fires("OutboxBehind", "mail to the units is stuck", {_OWN: "0+10x300"}, "40m", lane="internal"),
    silent("OutboxBehind", "a morning's mail takes ten minutes", {_OWN: "0+10x60 0x240"}, "40m"),
    fires("PeopleUnreached", "one address does not exist", {_ALONE: "0x6 1x60"}, "7m"),
    silent("PeopleUnreached", "he is reached by telephone", {_ALONE: "0x6 1x12 0x60"}, "7m"),
    fires("MailReturned", "a tenth comes back", {_BACK: "50x90", _SENT: "500x90"}, "12m"),
    silent("MailReturned", "one of the first five mails comes back", {_BACK: "1x90", _SENT: "5x90"}, "12m"),
    fires("NoticesRefused", "twelve are refused for good, eight withheld",
          {_FAILED_MAIL: "3x180 15x200", _WITHHELD: "0x180 8x200"}, "50m"),
    silent("NoticesRefused", "three are refused, the others were so yesterday",
           {_FAILED_MAIL: "30x180 33x200", _WITHHELD: "40x380"}, "50m"),
    fires("MailDoubtful", "twenty answers were lost within the hour", {_TWICE: "0x180 20x200"}, "50m"),
    silent("MailDoubtful", "they were lost yesterday", {_TWICE: "20x400"}, "60m"),
    fires("CalendarStillMoving", "it takes a quarter of an hour", {_MOVING: "0+10x90"}, "12m"),
    silent("CalendarStillMoving", "it takes a minute", {_MOVING: "0+10x6 0x90"}, "12m"),
)  # fmt: skip


@pytest.fixture(scope="session")
def judge() -> str:
    found = promtool.find()
    if found is None:
        pytest.skip(promtool.MISSING)
    return found


def ids(case: Case) -> str:
    return f"{case.alert} {'calls' if case.then else 'is silent'}: {case.words}"


def cases_of(case: Case, folder: Path) -> Path:
    """As promtool reads it. The words of an alert are not judged here, so the rules go without."""
    rules: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules), "utf-8")
    series = [{"series": name, "values": values} for name, values in case.series.items()]
    expected = [{"exp_labels": case.then}] if case.then else []
    test = {
        "interval": "10s", "input_series": series,
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }  # fmt: skip
    content = {"rule_files": ["alerts.yml"], "evaluation_interval": "10s", "tests": [test]}
    (folder / "cases.yml").write_text(yaml.safe_dump(content), "utf-8")
    return folder / "cases.yml"


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_an_alert_calls_when_it_should_and_is_silent_when_it_should(
    case: Case, judge: str, tmp_path: Path
) -> None:
    assert promtool.check(judge, "test", "rules", str(cases_of(case, tmp_path))) == ""


def test_the_judge_can_say_no(judge: str, tmp_path: Path) -> None:
    wrong = Case("PeopleUnreached", "nobody", {"notifier_people_unreached": "1x60"}, "7m")
    assert "FAILED" in promtool.check(judge, "test", "rules", str(cases_of(wrong, tmp_path)))


def test_prometheus_itself_takes_the_rules_with_all_their_words(judge: str) -> None:
    assert promtool.check(judge, "check", "rules", str(FILE)) == ""


def test_every_alert_has_a_case_that_calls_and_one_that_is_silent() -> None:
    assert {case.alert for case in CASES if case.then} == set(RULES)
    assert {case.alert for case in CASES if not case.then} == set(RULES)


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_is_in_the_runbook(alert: str) -> None:
    assert f"`{alert}`" in (REPO / "docs" / "runbook.md").read_text("utf-8")


@pytest.mark.parametrize("alert", RULES)
def test_a_rule_has_the_form_of_one_also_where_there_is_no_promtool(alert: str) -> None:
    rule = RULES[alert]
    assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    for opening, closing in ("()", "[]", "{}"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)
    assert all(re.fullmatch(r"\d+[smh]", span) for span in re.findall(r"\[([^\]]*)\]", rule["expr"]))
    for words in rule["annotations"].values():
        named = re.findall(r"\$labels\.(\w+)", words)
        kept = re.findall(r"by \(([^)]*)\)", rule["expr"])
        labels = {label.strip() for group in kept for label in group.split(",")}
        assert set(named) <= labels or not kept, f"{alert} speaks of {named}, {labels} are left"
