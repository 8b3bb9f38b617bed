"""Every figure of the register in one run on one mongod and one Kafka. ``FULL=1`` takes the large sizes."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.core.ground import Ground
from bench.core.report import Report, Row
from bench.deadlines import firing, moves, refusals, seeding, sweep
from bench.figures import percentile

FULL: Final = os.environ.get("FULL", "") not in {"", "0"}
OPEN: Final = (10_000, 100_000, 1_000_000) if FULL else (1_000, 10_000)
DUE: Final = 400  # of them, in each size
FIRED: Final = (1_000_000, 50_000) if FULL else (10_000, 5_000)  # open, due at once
POLLED: Final = 5_000 if FULL else 1_000
CROWD: Final = 100_000 if FULL else 10_000  # of one unit, when another's one falls due
MOVED: Final = 100_000 if FULL else 5_000

WARNINGS: Final = 50_000 if FULL else 3_000

Say = Callable[[str], None]


def run(folder: Path, say: Say, report: Report) -> None:
    say("The register: starting mongod and Kafka")
    with Ground(folder) as ground:
        say("The register: what a sweep examines")
        _examined(ground, report, say)
        say("The register: firings, three replicas and three pollers")
        _firings(ground, report)
        say(f"The register: {MOVED:,} open deadlines under another calendar")
        _moves(ground, report)
    say("The register: refusals, quiet and among warnings")
    _refusals(folder, report)


def _moves(ground: Ground, report: Report) -> None:
    name = ground.new_database()
    found = asyncio.run(moves.measure(ground.mongo_uri, name, MOVED))
    ground.mongo.drop_database(name)
    report.add(Row("calendar_preview_per_s", MOVED / found.preview, "stated",
                   note=f"{MOVED:,} in {found.preview:.1f} s"))  # fmt: skip
    report.add(Row("calendar_moves_per_s", MOVED / found.moves, "stated",
                   note=f"{MOVED:,} in {found.moves:.1f} s, the first due first"))  # fmt: skip
    exact = found.foreseen == found.moved == MOVED
    report.add(Row("calendar_moved_as_foreseen", found.moved, f"= {found.foreseen:,} foreseen", exact))


def _refusals(folder: Path, report: Report) -> None:
    quiet, loaded, left = refusals.quiet_and_loaded(folder / "system", WARNINGS)
    for name, waits, most, note in (
        ("refusal_to_mail_quiet", quiet, 200.0, ""),
        (
            "refusal_to_mail_loaded",
            loaded,
            1000.0,
            f"{WARNINGS:,} mails at once, {max(left, 0):,} still to go",
        ),
    ):
        half, far = (1000 * percentile(waits, percent) for percent in (50, 99))
        report.add(Row(f"{name}_p50_ms", half, "stated", note=note))
        report.add(Row(f"{name}_p99_ms", far, f"<= {most:.0f}", far <= most, note=note))


def _examined(ground: Ground, report: Report, say: Say) -> None:
    for open_ in OPEN:
        name = ground.new_database()
        say(f"  {open_:,} open, {DUE} due")
        found = asyncio.run(_one_size(ground.mongo_uri, name, open_))
        ground.mongo.drop_database(name)
        exact = found.documents == DUE == found.fired
        asked = f"{found.questions} questions, {found.keys} keys, {found.milliseconds:.1f} ms"
        note = f"{found.fired} fired by {asked}"
        report.add(Row(
            f"examined_of_{open_}_open", found.documents, f"= {DUE} due", exact, ratio=found.documents / DUE,
            note=note,
        ))  # fmt: skip


async def _one_size(uri: str, name: str, open_: int) -> sweep.Examined:
    database = await seeding.prepared(uri, name)
    past = datetime.now(UTC) - timedelta(minutes=5)
    await seeding.open_deadlines(database, range(open_), due=range(DUE), due_at=past)
    database.client.close()
    return await sweep.examine(uri, name)


def _firings(ground: Ground, report: Report) -> None:
    open_, due = FIRED
    polled = firing.rival(ground, open_, POLLED)
    found = firing.ours(ground, open_, due)
    times = found.rate / polled.rate
    note = f"{due:,} due at once of {open_:,} open: the last {found.whole:.1f} s after its time"
    report.add(Row(
        "firings_per_s_3_replicas", found.rate, ">= 10,000", found.rate >= 10_000, polled.rate, ratio=times,
        note=note,
    ))  # fmt: skip
    once = found.count == due and not found.doubles
    report.add(Row("fired_once_each", found.count, f"= {due:,}", once, note=f"{found.doubles} doubles"))
    waited, left = firing.fair(ground, CROWD)
    report.add(Row("one_due_among_many_s", waited, "<= 5", waited <= 5 and left > 0,
                   note=f"of another unit, {left:,} of {CROWD:,} still to go"))  # fmt: skip
    grown = found.rss_late / found.rss_early
    note = f"{found.rss_early:.0f} MB at a fifth of the firings"
    report.add(Row("replica_rss_mb", found.rss_late, "<= 1.1 x", grown <= 1.1, ratio=grown, note=note))
