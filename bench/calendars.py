"""Due dates a second, beside the day walk of the library that the calendar's drafts come from. Both answer
for the same starts, and a rate counts only when they agree."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import holidays

from bench.core.report import Report, Row
from deploy.local.process import Trouble
from shared.calendar import CALENDAR

BATCH: Final = 1_000_000
SINGLE: Final = 100_000
WALKED: Final = 5_000
TERM: Final = 7  # working days, as a unit has for its reply
TURNS: Final = 5
# The years of which the library lacks nothing.
SINCE: Final = datetime(2024, 1, 1, tzinfo=UTC)
DAYS: Final = 700
PER_SECOND: Final = 1_000_000
OVER_LIBRARY: Final = 20

T = TypeVar("T")
Say = Callable[[str], None]


def run(folder: Path, say: Say, report: Report) -> None:
    say("The calendar: due dates, ours and the library's")
    pick = random.Random(1582)
    starts = [SINCE + timedelta(seconds=pick.randrange(DAYS * 86_400)) for _ in range(BATCH)]
    days = [CALENDAR.day_of(start) for start in starts[:WALKED]]
    library = holidays.country_holidays("VN", years=range(2024, 2027))

    def walk() -> list[date]:
        return [library.get_nth_working_day(day, TERM) for day in days]

    def single() -> list[datetime]:
        return [CALENDAR.due(start, TERM).due_at for start in starts[:SINGLE]]

    def explained() -> list[str]:
        explain, due = CALENDAR.explain, CALENDAR.due
        return [explain(due(start, TERM)).sentence_vi for start in starts[:SINGLE]]

    ours: list[float] = []
    rival: list[float] = []
    for _ in range(TURNS):  # by turns, for machines are noisy
        rate, walked = _rate(walk)
        rival.append(rate)
        rate, ends = _rate(lambda: CALENDAR.due_dates(starts, TERM))
        ours.append(rate)
        _agree(walked, ends)
    best, times = max(ours), max(ours) / max(rival)
    report.add(Row("calendar_due_per_s", best, f">= {PER_SECOND:,}", best >= PER_SECOND,
                   note=f"one core, {BATCH:,} starts in a call"))  # fmt: skip
    report.add(Row("calendar_due_over_library", best, f">= {OVER_LIBRARY}", times >= OVER_LIBRARY, max(rival),
                   ratio=times, note=f"holidays {holidays.__version__}, its own day walk"))  # fmt: skip
    report.add(Row("calendar_due_single_per_s", max(_rate(single)[0] for _ in range(TURNS)), "stated"))
    report.add(Row("calendar_explained_per_s", max(_rate(explained)[0] for _ in range(TURNS)), "stated"))


def _rate(work: Callable[[], list[T]]) -> tuple[float, list[T]]:
    began = time.perf_counter()
    made = work()
    return len(made) / (time.perf_counter() - began), made


def _agree(walked: Sequence[date], ends: Sequence[datetime]) -> None:
    for day, end in zip(walked, ends, strict=False):
        if CALENDAR.day_of(end - timedelta(microseconds=1)) != day:
            raise Trouble(f"A term ends on {day} by the library, and at {end:%Y-%m-%dT%H:%MZ} by us.")
