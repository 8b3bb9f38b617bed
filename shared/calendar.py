"""Ngày làm việc: the working calendar, and terms counted in it. Pure, and every due date explains itself.

Bộ luật Dân sự 2015, Điều 147: «Khi thời hạn bắt đầu bằng một sự kiện thì ngày xảy ra sự kiện không được
tính mà tính từ ngày tiếp theo liền kề của ngày xảy ra sự kiện đó.» Điều 148: «Khi thời hạn tính bằng ngày
thì thời hạn kết thúc tại thời điểm kết thúc ngày cuối cùng của thời hạn», «vào lúc hai mươi tư giờ của
ngày đó». So the day of the event is day zero, and a term ends at 24:00 in Vietnam on its last day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from shared.calendar_data import SATURDAY, CalendarData, DayKind, DayRow, read
from shared.errors import PortalError

__all__ = [
    "CALENDAR",
    "ONE_DAY",
    "SATURDAY",
    "VIETNAM",
    "CalendarData",
    "CalendarYearMissing",
    "DayKind",
    "DayLine",
    "DayRow",
    "Due",
    "Explanation",
    "WorkingCalendar",
    "end_of",
    "last_day",
    "load",
]

VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
WEEKDAYS_VI: Final = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
ONE_DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(microseconds=1)


def end_of(day: date) -> datetime:
    """24:00 in Vietnam, the first instant that is too late, UTC."""
    return datetime.combine(day + ONE_DAY, time.min, VIETNAM).astimezone(UTC)


def last_day(due_at: datetime) -> date:
    """The Vietnamese day with which a term ends; ``due_at`` is the first instant after it."""
    return (due_at - MOMENT).astimezone(VIETNAM).date()


class CalendarYearMissing(PortalError):
    """A day lies in a year whose days off nobody has entered: no guess is made."""

    status, code = 422, "calendar_year_missing"
    title_vi, title_en = "Chưa có lịch ngày làm việc của năm này", "No working calendar for this year"

    def __init__(self, year: int) -> None:
        super().__init__(f"Chưa có lịch ngày làm việc của năm {year}.", year=year)


@dataclass(frozen=True, slots=True)
class Due:
    """A term: ``due_at`` is the first instant after it (24:00 of ``last_day``), so ``at < due_at`` is timely.

    ``working_days`` is 0 for a duty of the same day (ngay trong ngày). ``provisional`` (tạm tính): a year the
    term touches awaits its official decision.
    """

    start: datetime
    working_days: int
    last_day: date
    due_at: datetime
    calendar_version: str
    provisional: bool


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of a term: counted with its ``number``, or skipped for its reason."""

    date: date
    number: int | None
    kind: Literal["working", "weekend"] | DayKind
    reason_vi: str = ""
    reason_en: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    days: tuple[DayLine, ...]
    sentence_vi: str
    sentence_en: str


class WorkingCalendar:
    """Looks due dates up in a table of running counts; no question about a term walks its days."""

    def __init__(self, data: CalendarData) -> None:
        self.data: Final = data
        self.version: Final = data.version
        self.years: Final = range(data.years[0].year, data.years[-1].year + 1)
        self._rows = {row.date: row for year in data.years for row in year.days}
        self._provisional = {year.year for year in data.years if year.provisional}
        self._first = date(self.years[0], 1, 1).toordinal()
        self._begins = datetime(self.years[0], 1, 1, tzinfo=VIETNAM).astimezone(UTC)
        self._working: list[date] = []
        self._count: list[int] = []
        for ordinal in range(self._first, date(self.years[-1], 12, 31).toordinal() + 1):
            day = date.fromordinal(ordinal)
            if self._works(day):
                self._working.append(day)
            self._count.append(len(self._working))
        # Thousands of terms begin on one day, and each of them ends and reads alike.
        self._ended = lru_cache(4096)(self._end)
        self._midnights = lru_cache(64)(self._midnights_after)
        self._explained = lru_cache(1024)(self._explain)

    def _works(self, day: date) -> bool:
        row = self._rows.get(day)
        return day.weekday() < SATURDAY if row is None else row.kind is DayKind.MAKEUP

    def _up_to(self, day: date) -> int:
        """How many working days the calendar has up to and including ``day``."""
        if day.year not in self.years:
            raise CalendarYearMissing(day.year)
        return self._count[day.toordinal() - self._first]

    def day_of(self, instant: datetime) -> date:
        """The Vietnamese day on which an instant falls. A naive datetime names no instant and is refused."""
        if instant.tzinfo is None:
            raise ValueError("a datetime without a time zone names no instant")
        return instant.astimezone(VIETNAM).date()

    def is_working_day(self, day: date) -> bool:
        if day.year not in self.years:
            raise CalendarYearMissing(day.year)
        return self._works(day)

    def is_provisional(self, year: int) -> bool:
        return year in self._provisional

    def row(self, day: date) -> DayRow | None:
        """What sets this day apart from an ordinary week, if anything does."""
        return self._rows.get(day)

    def add(self, day: date, n: int) -> date:
        """The ``n``-th working day after ``day``, which itself is day zero; ``day`` when ``n`` is 0."""
        if n < 0:
            raise ValueError("a term runs forward")
        before = self._up_to(day)
        if n == 0:
            return day
        if before + n > len(self._working):
            raise CalendarYearMissing(self.years[-1] + 1)
        return self._working[before + n - 1]

    def next_working_day(self, day: date) -> date:
        """The first working day after ``day`` (ngày làm việc tiếp theo)."""
        return self.add(day, 1)

    def working_day_from(self, day: date) -> date:
        """``day`` itself when it is worked, else the next working day."""
        return day if self.is_working_day(day) else self.add(day, 1)

    def working_days_between(self, a: date, b: date) -> int:
        """Working days after ``a`` up to and including ``b``; negative when ``b`` is the earlier."""
        return self._up_to(b) - self._up_to(a)

    def due(self, start: datetime, working_days: int) -> Due:
        """The term of so many working days from the event at ``start``."""
        if working_days < 1:
            raise ValueError("a term has at least one working day; see same_day")
        return self._due(start, working_days)

    def same_day(self, start: datetime) -> Due:
        """Ngay trong ngày: the end of the very day of ``start``, be it a day off."""
        return self._due(start, 0)

    def due_dates(self, starts: Iterable[datetime], working_days: int) -> list[datetime]:
        """``due(start, working_days).due_at`` of each start, in their order: for a million at a time. Raises
        what :meth:`due` raises; one start that cannot be counted refuses them all."""
        if working_days < 1:
            raise ValueError("a term has at least one working day; see same_day")
        midnights, begins, starts = self._midnights(working_days), self._begins, list(starts)
        try:
            # Vietnam keeps one offset all through the calendar's years: each day is 24 hours after the last.
            days = [(start - begins).days for start in starts]
        except TypeError as error:
            raise ValueError("a datetime without a time zone names no instant") from error
        if days and not 0 <= min(days) <= max(days) < len(midnights):
            for start in starts:
                self.due(start, working_days)
        return list(map(midnights.__getitem__, days))

    def _midnights_after(self, working_days: int) -> list[datetime]:
        """Where a term ends that begins on the calendar's first, second … day; the last ones have no end."""
        whole = len(self._working) - working_days
        return [end_of(self._working[n + working_days - 1]) for n in self._count if n <= whole]

    def _due(self, start: datetime, working_days: int) -> Due:
        last, due_at, provisional = self._ended(self.day_of(start), working_days)
        return Due(start.astimezone(UTC), working_days, last, due_at, self.version, provisional)

    def _end(self, first: date, working_days: int) -> tuple[date, datetime, bool]:
        last = self.add(first, working_days)
        return last, end_of(last), not self._provisional.isdisjoint(range(first.year, last.year + 1))

    def explain(self, due: Due) -> Explanation:
        """Each day counted and each day skipped, with why. Only in the version that counted the term."""
        if due.calendar_version != self.version:
            raise ValueError(f"counted in calendar {due.calendar_version}, not in {self.version}")
        of_the_day = datetime.combine(self.day_of(due.start), time.min, VIETNAM)
        return self._explained(replace(due, start=of_the_day))

    def _explain(self, due: Due) -> Explanation:
        first = self.day_of(due.start)
        lines: list[DayLine] = []
        number = 0
        for offset in range(1, (due.last_day - first).days + 1) if due.working_days else ():
            day = first + offset * ONE_DAY
            number += self._works(day)
            lines.append(self._line(day, number if self._works(day) else None))
        return Explanation(tuple(lines), _sentence_vi(due, first, lines), _sentence_en(due, first, lines))

    def _line(self, day: date, number: int | None) -> DayLine:
        if row := self._rows.get(day):
            off = row.kind is not DayKind.MAKEUP and not row.vi.startswith("nghỉ")
            return DayLine(
                date=day,
                number=number,
                kind=row.kind,
                reason_vi=f"nghỉ {row.vi}" if off else row.vi,
                reason_en=row.en,
                document=self.data.documents[row.by],
            )
        if number is None:
            return DayLine(day, None, "weekend", "nghỉ cuối tuần", "weekend")
        return DayLine(day, number, "working")


def _skipped(lines: list[DayLine], *, vi: bool) -> str:
    """The days off in order, a run of one reason as one span: «30/04 nghỉ Ngày Chiến thắng; …»."""
    spans: list[tuple[date, date, str]] = []
    for line in lines:
        reason = line.reason_vi if vi else line.reason_en
        if line.number is not None:
            continue
        if spans and spans[-1][2] == reason and spans[-1][1] + ONE_DAY == line.date:
            spans[-1] = (spans[-1][0], line.date, reason)
        else:
            spans.append((line.date, line.date, reason))
    return "; ".join(f"{a:%d/%m} {why}" if a == b else f"{a:%d/%m}–{b:%d/%m} {why}" for a, b, why in spans)


def _sentence_vi(due: Due, first: date, lines: list[DayLine]) -> str:
    text = f"Hạn: hết {WEEKDAYS_VI[due.last_day.weekday()]}, {due.last_day:%d/%m/%Y}"
    if due.working_days == 0:
        text += " (ngay trong ngày)."
    else:
        since = f"{WEEKDAYS_VI[first.weekday()]}, {first:%d/%m/%Y}"
        text += f" ({due.working_days} ngày làm việc kể từ {since}; ngày ấy không tính)."
    if off := _skipped(lines, vi=True):
        text += f" Không tính hạn: {off}."
    if worked := "; ".join(f"{x.date:%d/%m} {x.reason_vi}" for x in lines if x.kind is DayKind.MAKEUP):
        text += f" Có tính: {worked}."
    return text + (" Tạm tính: lịch nghỉ chính thức của năm chưa đủ." if due.provisional else "")


def _sentence_en(due: Due, first: date, lines: list[DayLine]) -> str:
    text = f"Due by the end of {due.last_day:%A, %d/%m/%Y}"
    if due.working_days == 0:
        text += " (the same day)."
    else:
        unit = "working day" if due.working_days == 1 else "working days"
        text += f" ({due.working_days} {unit} after {first:%A, %d/%m/%Y}, which is not counted)."
    if off := _skipped(lines, vi=False):
        text += f" Not counted: {off}."
    if worked := "; ".join(f"{x.date:%d/%m} {x.reason_en}" for x in lines if x.kind is DayKind.MAKEUP):
        text += f" Counted: {worked}."
    return text + (" Provisional: the year's official calendar is incomplete." if due.provisional else "")


@cache
def load(version: str | None = None) -> WorkingCalendar:
    """The packaged calendar: the newest version, or the one that counted an older term."""
    return WorkingCalendar(read(version))


CALENDAR: Final = load()
