"""Every figure of the messaging core in one run on one mongod and one Kafka, for machines are noisy: rivals
and ours by turns, each side's best counted. ``FULL=1`` takes the large sizes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.core import commands, delays, flow, rebuilding, rest, stages
from bench.core.ground import Ground
from bench.core.report import Report, Row
from bench.figures import percentile

FULL: Final = os.environ.get("FULL", "") not in {"", "0"}
EVENTS: Final = 100_000 if FULL else 20_000
MEMORY: Final = 1_000_000 if FULL else 0  # 0: the memory of the measured runs is what is looked at
REBUILDS: Final = (100_000, 1_000_000) if FULL else (50_000, 150_000)
NAIVE: Final = 500

Say = Callable[[str], None]


def run(folder: Path, say: Say, report: Report) -> None:
    say("The core: starting mongod and Kafka")
    with Ground(folder) as ground:
        say("The core: at rest")
        _rest(ground, report)
        say("The core: where the time goes")
        report.tables.append(stages.table(ground))
        say("The core: events in, events out")
        best = _flow(ground, report)
        say("The core: two workers, three workers")
        _workers(ground, report, best)
        say("The core: from a commit to Kafka")
        _delays(ground, report, best / 2)
        say("The core: commands, fifty at once")
        _commands(ground, report)
        say("The core: a projection built anew")
        _rebuild(ground, report)


def _rest(ground: Ground, report: Report) -> None:
    cpu, rss = rest.measure(ground)
    report.add(Row("idle_cpu_percent", cpu, "<= 3", cpu <= 3))
    report.add(Row("idle_rss_mb", rss, "<= 120", rss <= 120))


def _flow(ground: Ground, report: Report) -> float:
    naive, bare, ours = [], [], []
    for batch in (500, 2000):
        naive.append(flow.naive(ground, NAIVE))
        bare.append(flow.bare(ground, EVENTS, batch))
        ours.append(flow.ours(ground, EVENTS))
    best, limit, rival = (max(each, key=lambda one: one.rate) for each in (ours, bare, naive))
    times, share = best.rate / rival.rate, best.rate / limit.rate
    reach = f"the bare limit itself is {limit.rate / rival.rate:.0f} x"
    for name, goal, met, ratio, note in (
        ("events_per_s_over_naive", ">= 50", times >= 50, times, reach),
        ("events_per_s_over_bare", ">= 0.9", share >= 0.9, share, ""),
    ):
        report.add(Row(name, best.rate, goal, met, rival.rate, limit.rate, ratio, note))
    costs = [min(one.cost for one in each) for each in (ours, naive, bare)]
    note = "processor time of all processes, brokers included"
    report.add(Row("event_cost_us", costs[0], "stated", None, costs[1], costs[2], costs[0] / costs[2], note))
    pace = best.rate / 2
    waits = sorted(flow.delay(ground, pace, 6))
    for percent in (50, 99):
        wait = percentile(waits, percent) * 1000
        report.add(Row(f"event_in_to_out_p{percent}_ms", wait, "stated", note=f"at {pace:,.0f}/s"))
    if MEMORY:
        best = flow.ours(ground, MEMORY)
    grown = best.rss_late / best.rss_early
    note = f"{best.rss_early:.0f} MB at a fifth of {MEMORY or EVENTS:,} events"
    report.add(Row("worker_rss_mb", best.rss_late, "<= 1.1 x", grown <= 1.1, ratio=grown, note=note))
    return max(one.rate for one in ours)


def _workers(ground: Ground, report: Report, one: float) -> None:
    for workers in (2, 3):
        rate = flow.ours(ground, EVENTS, workers).rate
        report.add(
            Row(f"events_per_s_{workers}_workers", rate, ">= 1 x one", rate >= one, one, None, rate / one)
        )


def _delays(ground: Ground, report: Report, pace: float) -> None:
    alone, steady = delays.measure(ground, pace)
    for name, found, note in (("one", alone, ""), ("half_load", steady, f"at {pace:,.0f}/s")):
        for percent, most in ((50, 4), (99, 12)):
            ours, broker = percentile(found.ours, percent), percentile(found.broker, percent)
            report.add(Row(
                f"commit_to_kafka_{name}_p{percent}_ms", ours, f"<= {most} over ack", ours - broker <= most,
                limit=broker, ratio=ours - broker, note=note,
            ))  # fmt: skip


def _commands(ground: Ground, report: Report) -> None:
    found = commands.measure(ground, 4.0 if FULL else 2.5)
    share, times = found.ours / found.frame, found.ours / found.transaction
    note = f"p99 {found.p99_ms:.0f} ms; a bare FastAPI no-op: {found.nothing:,.0f}/s"
    report.add(Row(
        "commands_per_s_to_noop", found.ours, ">= 0.65", share >= 0.65, found.transaction, found.frame, share,
        note=note,
    ))  # fmt: skip
    report.add(Row(
        "commands_per_s_over_transaction", found.ours, ">= 3.5", times >= 3.5, found.transaction, found.frame,
        times,
    ))  # fmt: skip


def _rebuild(ground: Ground, report: Report) -> None:
    small, large = (rebuilding.measure(ground, count) for count in REBUILDS)
    rate, grown = large["rate"], large["rss_mb"] / small["rss_mb"]
    report.add(Row("rebuild_events_per_s", rate, ">= 20,000", rate >= 20_000, note=f"{REBUILDS[1]:,} events"))
    note = f"{small['rss_mb']:.0f} MB at {REBUILDS[0]:,} events"
    report.add(Row("rebuild_peak_rss_mb", large["rss_mb"], "<= 1.1 x", grown <= 1.1, ratio=grown, note=note))
