"""A counted term, day by day."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, Field

from shared import calendar
from shared.calendar import CALENDAR, DayLine, Due, Explanation, WorkingCalendar


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

    @classmethod
    def of(cls, due: Due, explained: Explanation) -> "DueView":
        return cls(
            start=due.start, working_days=due.working_days, last_day=due.last_day, due_at=due.due_at,
            calendar_version=due.calendar_version, provisional=due.provisional,
            sentence_vi=explained.sentence_vi, sentence_en=explained.sentence_en,
            days=[Day.of(line) for line in explained.days],
        )  # fmt: skip


@lru_cache(maxsize=8)
def calendar_of(version: str) -> WorkingCalendar | None:
    """The calendar that counted a term; None when this build has no such version."""
    if version == CALENDAR.version:
        return CALENDAR
    try:
        return calendar.load(version)
    except KeyError:
        return None


def days_of(document: Mapping[str, Any]) -> list[Day]:
    """Each day from the start to the last, counted or skipped; none for a date that was stated otherwise."""
    counted = calendar_of(document["calendar_version"])
    if counted is None or document["working_days"] is None:
        return []
    last = date.fromisoformat(document["due_day"])
    due = Due(document["started_at"], document["working_days"], last, document["due_at"],
              document["calendar_version"], document["provisional"])  # fmt: skip
    return [Day.of(line) for line in counted.explain(due).days]
