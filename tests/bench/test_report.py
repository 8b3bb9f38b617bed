"""A bench that misjudges is worse than none: verdicts follow their goals, and a program can read the end."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import __main__ as bench
from bench.core import run as core
from bench.core.flow import Flow
from bench.core.report import NEXT, Report, Row
from bench.figures import Figures, percentile

REPO = Path(bench.__file__).parents[1]


@pytest.mark.parametrize(("met", "verdict"), [(True, "ok"), (False, "short"), (None, "stated")])
def test_a_row_reads_name_ours_rival_limit_ratio_goal_verdict(met: bool | None, verdict: str) -> None:
    row = Row("events_per_s", 5000.0, ">=50", met, 100.0, 6000.0, 50.0)
    assert str(row).split() == ["events_per_s", "5,000", "100", "6,000", "50.00", ">=50", verdict]


def test_what_there_is_none_of_is_a_dash_and_a_note_ends_the_row() -> None:
    assert str(Row("idle_rss_mb", 96.25, "<=120", True, note="all roles")).split()[1:] == [
        "96.25", "-", "-", "-", "<=120", "ok", "all", "roles",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NEXT)
def test_a_row_that_is_short_says_what_comes_next_and_one_that_is_not_does_not(name: str) -> None:
    assert NEXT[name] in str(Row(name, 1.0, ">=2", False))
    assert NEXT[name] not in str(Row(name, 2.0, ">=2", True))


def _flow(monkeypatch: pytest.MonkeyPatch, ours: Flow, naive: Flow, bare: Flow, waits: list[float]) -> Report:
    measured = SimpleNamespace(
        ours=lambda *_: ours, naive=lambda *_: naive, bare=lambda *_: bare, delay=lambda *_: waits
    )
    monkeypatch.setattr(core, "flow", measured)
    monkeypatch.setattr(core, "MEMORY", 0)
    report = Report()
    core._flow(None, report)  # type: ignore[arg-type]
    return report


@pytest.mark.parametrize(
    ("ours", "met"),
    [(5000.0, {"over_naive": True, "over_bare": True}), (4999.0, {"over_naive": False, "over_bare": True}),
     (4499.0, {"over_naive": False, "over_bare": False})],
)  # fmt: skip
def test_the_flow_is_judged_at_fifty_times_and_nine_tenths(
    monkeypatch: pytest.MonkeyPatch, ours: float, met: dict[str, bool]
) -> None:
    report = _flow(monkeypatch, Flow(ours, 300, 100, 105), Flow(100, 9000), Flow(5000, 200), [0.05, 0.08])
    rows = {row.name: row for row in report.rows}
    for name, verdict in met.items():
        assert rows[f"events_per_s_{name}"].met is verdict
    assert rows["events_per_s_over_naive"].ratio == pytest.approx(ours / 100)
    assert rows["events_per_s_over_bare"].ratio == pytest.approx(ours / 5000)
    assert rows["event_in_to_out_p99_ms"].ours == pytest.approx(80)
    assert (rows["event_cost_us"].ours, rows["event_cost_us"].ratio) == (300, pytest.approx(1.5))


@pytest.mark.parametrize(("late", "met"), [(110.0, True), (110.2, False)])
def test_memory_is_flat_up_to_a_tenth(monkeypatch: pytest.MonkeyPatch, late: float, met: bool) -> None:
    report = _flow(monkeypatch, Flow(5000, 300, 100.1, late), Flow(100, 9000), Flow(5000, 200), [0.1])
    (row,) = [row for row in report.rows if row.name == "worker_rss_mb"]
    assert row.met is met


@pytest.mark.parametrize(("rate", "met"), [(5000.0, True), (4999.9, False)])
def test_more_workers_are_never_slower_than_one(
    monkeypatch: pytest.MonkeyPatch, rate: float, met: bool
) -> None:
    monkeypatch.setattr(core, "flow", SimpleNamespace(ours=lambda *_: Flow(rate, 1)))
    report = Report()
    core._workers(None, report, 5000.0)  # type: ignore[arg-type]
    assert [row.met for row in report.rows] == [met, met]


def test_a_rebuild_is_judged_by_its_rate_and_by_the_memory_of_both_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = iter([{"rate": 30_000.0, "rss_mb": 100.0}, {"rate": 19_999.0, "rss_mb": 111.0}])
    monkeypatch.setattr(core, "rebuilding", SimpleNamespace(measure=lambda *_: next(sizes)))
    report = Report()
    core._rebuild(None, report)  # type: ignore[arg-type]
    assert [(row.ours, row.met) for row in report.rows] == [(19_999.0, False), (111.0, False)]


def test_the_delay_that_counts_is_what_is_over_the_broker_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SimpleNamespace(ours=[7.0, 20.0], broker=[3.0, 7.9])
    monkeypatch.setattr(core, "delays", SimpleNamespace(measure=lambda *_: (slow, slow)))
    report = Report()
    core._delays(None, report, 1000.0)  # type: ignore[arg-type]
    assert [(row.ratio, row.met) for row in report.rows[:2]] == [
        (pytest.approx(4.0), True), (pytest.approx(12.1), False),
    ]  # fmt: skip


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile(list(range(1, 101)), 99) == 99
    assert percentile([7], 99) == 7
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 50)


def test_the_last_line_is_json_with_every_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report()
    report.add(Row("events_per_s_over_naive", 5000.0, ">= 50", True, 100.0, None, 50.0))
    figures = Figures()
    figures.add("commands_per_s", 1234.56, "/s")
    monkeypatch.setattr(bench, "run", lambda _: figures)
    monkeypatch.setattr(
        bench, "PARTS", {"core": SimpleNamespace(run=lambda _folder, _say, into: into.take(report))}
    )
    assert bench.main() == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["commands_per_s"] == 1234.6
    assert (found["events_per_s_over_naive"]["ratio"], found["events_per_s_over_naive"]["met"]) == (
        50.0,
        True,
    )


def test_a_measurement_that_breaks_off_prints_what_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_folder: Path, _say: Any, report: Report) -> None:
        report.add(Row("firings_per_s_3_replicas", 10_001, ">= 10,000", True))
        raise TimeoutError("30 giây vẫn chưa thấy")

    monkeypatch.setattr(bench, "PARTS", {"deadlines": SimpleNamespace(run=breaks)})
    assert bench.main("deadlines") == 1
    said = capsys.readouterr()
    assert "30 giây vẫn chưa thấy" in said.err
    assert "10,001" in said.out


@pytest.mark.parametrize(("given", "code"), [(("cores",), 2), (("core", "more"), 2), (("--help",), 0)])
def test_misuse_is_told_at_once_and_measures_nothing(given: tuple[str, ...], code: int) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "bench", *given], cwd=REPO, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert (said.returncode, "python -m bench core" in said.stdout + said.stderr) == (code, True)
    assert "Starting" not in said.stderr
