"""A counted term, day by day."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from services.notifier.regulation_clauses import CITED
from shared.calendar import CalendarYearMissing, DayLine, Due, Explanation
from shared.calendars import Calendars

# When a term begins, and when it ends.
COUNTED_BY: Final = ("bo-luat-dan-su#dieu-147", "bo-luat-dan-su#dieu-148")


class Day(BaseModel):
    date: date
    number: int | None = Field(description="Ngày làm việc thứ mấy của thời hạn; null: ngày không tính")
    kind: str
    reason_vi: str = ""
    reason_en: str = ""
    document: str = Field("", description="Văn bản quyết định ngày nghỉ, ngày làm bù")

    @classmethod
    def of(cls, line: DayLine) -> "Day":
        return cls(date=line.date, number=line.number, kind=str(line.kind), reason_vi=line.reason_vi,
                   reason_en=line.reason_en, document=line.document)  # fmt: skip


class DueView(BaseModel):
    """Một thời hạn đã tính, từng ngày."""

    start: datetime
    working_days: int
    last_day: date
    due_at: datetime = Field(description="Thời điểm đầu tiên đã là muộn (24 giờ của ngày cuối)")
    calendar_version: str
    provisional: bool
    sentence_vi: str
    sentence_en: str
    days: list[Day]
    basis_vi: str = Field("; ".join(CITED[each] for each in COUNTED_BY), description="Căn cứ của cách tính")
    basis_url: str = f"/can-cu#{COUNTED_BY[0].replace('#', '-')}"

    @classmethod
    def of(cls, due: Due, explained: Explanation) -> "DueView":
        return cls(
            start=due.start, working_days=due.working_days, last_day=due.last_day, due_at=due.due_at,
            calendar_version=due.calendar_version, provisional=due.provisional,
            sentence_vi=explained.sentence_vi, sentence_en=explained.sentence_en,
            days=[Day.of(line) for line in explained.days],
        )  # fmt: skip


def days_of(document: Mapping[str, Any], calendars: Calendars) -> list[Day]:
    """Each day from the start to the last, counted or skipped, in the calendar that counted the term; none
    when nobody here knows that calendar any more, or when the term has left its years."""
    version = document["calendar_version"]
    counted = calendars.of(version)
    if counted is None:
        return []
    last, days = date.fromisoformat(document["due_day"]), document["working_days"]
    try:
        if days is None:  # a date that was stated: the working days that lead to it
            first = counted.day_of(document["started_at"])
            days = max(0, counted.working_days_between(first, last))
        due = Due(document["started_at"], days, last, document["due_at"], version, document["provisional"])
        return [Day.of(line) for line in counted.explain(due).days]
    except CalendarYearMissing:
        return []
