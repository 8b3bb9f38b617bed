"""A change of the calendar over running terms: which of them it touches, and how each is counted anew.

Bộ luật Dân sự 2015, Điều 148 khoản 5: «Khi ngày cuối cùng của thời hạn là ngày nghỉ cuối tuần hoặc ngày nghỉ
lễ thì thời hạn kết thúc tại thời điểm kết thúc ngày làm việc tiếp theo ngày nghỉ đó.» So a term of working
days is counted again from its start; a stated date stays, unless its day is a day off now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from shared.calendar import ONE_DAY, Due, WorkingCalendar, end_of, last_day
from shared.contracts.base import Clock
from shared.contracts.calendars import order_of
from shared.contracts.clocks import counted_receipt, receipt_reason

# With these the calendar's own sentence begins; what stands before it are the words of the duty's owner.
SENTENCE_VI: Final = "Hạn: "
SENTENCE_EN: Final = "Due by "


@dataclass(frozen=True, slots=True)
class Touched:
    """What one calendar changes for terms that another counted: the days whose nature differs, and the years
    that are provisional in one of them only. ``everything``: nobody knows what the other one said."""

    days: tuple[date, ...] = ()
    years: tuple[int, ...] = ()
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.days or self.years or self.everything)

    def term(self, first: date, last: date, received: date | None = None) -> bool:
        """Whether a term that starts on ``first`` and ends with ``last`` is to be counted again. The day of
        the event is day zero: whether it was a day off changes nothing. Where the start was looked for from
        the day of receipt (``received``), that day and those up to the start matter too."""
        counted = received or first + ONE_DAY
        return (
            self.everything
            or any(counted <= day <= last for day in self.days)
            or any((received or first).year <= year <= last.year for year in self.years)
        )

    def earliest(self) -> date | None:
        """No term that ends before this day is touched; None: there is no such day."""
        if self.everything:
            return None
        return min([*self.days, *(date(year, 1, 1) for year in self.years)], default=date.max)


@lru_cache(32)  # asked of each deadline of thousands
def touched(before: WorkingCalendar | None, after: WorkingCalendar) -> Touched:
    """What ``after`` changes for a term counted in ``before``; nothing when that is as new."""
    if before is None:
        return Touched(everything=True)
    if order_of(before.version) >= order_of(after.version):
        return Touched()
    shared_years = [year for year in after.years if year in before.years]
    rows = [row for c in (before, after) for year in c.data.years for row in year.days]
    differing = {
        row.date
        for row in rows
        if row.date.year in shared_years and before.is_working_day(row.date) != after.is_working_day(row.date)
    }
    settled = [y for y in shared_years if before.is_provisional(y) != after.is_provisional(y)]
    return Touched(tuple(sorted(differing)), tuple(settled))


def recount(
    clock: Clock, calendar: WorkingCalendar, *, before: WorkingCalendar | None = None,
    stated: datetime | None = None,
) -> Clock:  # fmt: skip
    """The same clock in another calendar. Terms of working days run anew from their start, that of a receipt
    from the first working day since; the same day stays the same day. A stated date (``working_days``
    None) stays; where its day is a day off in this calendar it ends with the next working day. ``stated`` is
    the due time that was first stated, where the clock has been moved since; ``before`` is the calendar that
    counted the clock: by it the law's own first warning («02 đến 05») is known to come after so many working
    days, and comes after as many of the new ones.

    Raises CalendarYearMissing where the term leaves the calendar's years."""
    if order_of(clock.calendar_version) >= order_of(calendar.version):
        return clock  # whoever counted it has heard of a calendar that has not come here yet
    start, reason = clock.started_at, clock.start_reason
    if clock.received_at is not None:
        start = counted_receipt(clock.received_at, calendar)
        reason = receipt_reason(reason, clock.received_at, calendar)
    first = calendar.day_of(start)
    if clock.working_days is None:
        named = last_day(stated or clock.due_at)
        last = calendar.working_day_from(named)
        due_at = (stated or clock.due_at) if last == named else end_of(last)
        days = max(0, calendar.working_days_between(first, last))
        provisional = any(calendar.is_provisional(year) for year in range(first.year, last.year + 1))
        due = Due(start.astimezone(UTC), days, last, due_at, calendar.version, provisional)
    else:
        days = clock.working_days
        due = calendar.due(start, days) if days else calendar.same_day(start)
    told = calendar.explain(due)
    return clock.model_copy(update={
        "started_at": due.start, "start_reason": reason,
        "warn_at": _warning(clock, due, calendar, before), "due_at": due.due_at.astimezone(UTC),
        "calendar_version": calendar.version, "provisional": due.provisional,
        "explanation_vi": _led(clock.explanation_vi, SENTENCE_VI) + told.sentence_vi,
        "explanation_en": _led(clock.explanation_en, SENTENCE_EN) + told.sentence_en,
    })  # fmt: skip


def _warning(
    clock: Clock, due: Due, calendar: WorkingCalendar, before: WorkingCalendar | None
) -> datetime | None:
    """At the end of as many working days as before, or as far ahead of a stated date as before."""
    if clock.warn_at is None or (due.due_at == clock.due_at and clock.working_days is None):
        return clock.warn_at
    if clock.working_days is None:
        return clock.warn_at + (due.due_at - clock.due_at)
    if before is None or before.version != clock.calendar_version:
        return min(clock.warn_at, due.due_at)
    days = before.working_days_between(before.day_of(clock.started_at), last_day(clock.warn_at))
    ended = calendar.due(due.start, days).due_at if days > 0 else clock.warn_at
    return min(ended, due.due_at)


def _led(explanation: str, begins: str) -> str:
    """What the duty's owner said ahead of the calendar's own sentence."""
    owner, found, _ = explanation.partition(begins)
    return owner if found else ""
