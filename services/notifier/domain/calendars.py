"""A version of the working calendar (bản lịch): drafted, corrected row by row, and applied by its number."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from services.notifier.domain.calendar_rows import CalendarUndecided, Rows, changes, undecided, wrong
from services.notifier.regulation import CALENDARS, CalendarStatus
from shared.calendar import CalendarData, WorkingCalendar
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.calendars import data_of, order_of, years_of
from shared.contracts.notifier import (
    CalendarApplied,
    CalendarDiscarded,
    CalendarDrafted,
    CalendarMovesFinished,
    CalendarYear,
)
from shared.errors import InvalidInput, PortalError
from shared.workflow import SYSTEM, Actor

VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[1-9]\d{0,3})?")


class CalendarUnchanged(InvalidInput):
    code = "calendar_unchanged"
    title_vi, title_en = "Bản thảo không khác lịch đang dùng", "The draft changes nothing"


class CalendarVersionTaken(PortalError):
    """Versions are kept for ever, so that older terms explain themselves: a name is used once."""

    status, code = 409, "calendar_version_taken"
    title_vi, title_en = "Tên phiên bản lịch đã dùng", "The calendar version exists"


class CalendarOvertaken(PortalError):
    """The draft was made from a version that is in force no more; ``extra["changes"]``: what has changed."""

    status, code = 409, "calendar_overtaken"
    title_vi, title_en = "Lịch đang dùng đã khác", "The calendar in force has changed"


@dataclass(frozen=True, slots=True)
class Calendar(Aggregate):
    KIND: ClassVar[str] = "calendar"

    id: str  # its version: a date, then .n for the n-th of that date
    base: str
    documents: Mapping[str, str]
    years: tuple[CalendarYear, ...]
    status: CalendarStatus = CalendarStatus.DRAFTED
    document: str = ""
    reason: str = ""
    moves_finished: bool = False

    @classmethod
    def begin(cls, event: Event) -> "Calendar":
        drafted = only(event, CalendarDrafted)
        return cls(drafted.calendar, drafted.base, drafted.documents, drafted.years)

    def apply(self, event: Event) -> "Calendar":
        match event:
            case CalendarDrafted():
                return replace(self, base=event.base, documents=event.documents, years=event.years)
            case CalendarDiscarded():
                return replace(self, status=CalendarStatus.DISCARDED, reason=event.reason)
            case CalendarApplied():
                return replace(self, status=CalendarStatus.APPLIED, document=event.document)
            case CalendarMovesFinished():
                return replace(self, moves_finished=True)
            case _:
                return self

    def data(self) -> CalendarData:
        return data_of(self.id, self.documents, self.years)


def free_version(in_force: str, today: date, taken: Callable[[str], bool]) -> str:
    """Today's date, or the next number of the newest date when that one is used: always behind the version
    in force."""
    day = max(today.isoformat(), order_of(in_force)[0])
    version, number = day, 1
    while order_of(version) <= order_of(in_force) or taken(version):
        number += 1
        version = f"{day}.{number}"
    return version


def check_version(version: str, in_force: str) -> None:
    day, _ = order_of(version) if VERSION.fullmatch(version) else ("", 0)
    try:
        date.fromisoformat(day)
    except ValueError:
        words = "Phiên bản là một ngày YYYY-MM-DD, có thể thêm .n."
        raise InvalidInput(words, errors=[wrong("version", "version_form", words,
                           "A version is a date YYYY-MM-DD, perhaps with .n.")]) from None  # fmt: skip
    if order_of(version) <= order_of(in_force):
        words = f"Phiên bản phải sau {in_force}, là lịch đang dùng."
        raise InvalidInput(words, errors=[wrong("version", "version_order", words,
                           f"The version must follow {in_force}, the one in force.")])  # fmt: skip


def check_base(base: str, in_force: WorkingCalendar, known: Callable[[str], WorkingCalendar | None]) -> None:
    """A draft says what changes in the calendar in force. Raises CalendarOvertaken, with what has changed."""
    if base == in_force.version:
        return
    old = known(base)
    differing = [] if old is None else changes(old.data, in_force.data)
    raise CalendarOvertaken(
        f"Lịch đang dùng là {in_force.version}, không phải {base}; hãy soạn lại từ lịch đang dùng.",
        in_force=in_force.version, base=base,
        changes=[{"date": c.day.isoformat() if c.day else None, "year": c.year, "vi": c.vi, "en": c.en}
                 for c in differing],
    )  # fmt: skip


def draft_calendar(version: str, base: CalendarData, rows: Rows, *, by: Actor) -> Decision[Calendar]:
    """Soạn bản thảo: in force for nobody."""
    CALENDARS.after(CalendarStatus.NONE, "draft", by)
    return Calendar.starts_with(_drafted(version, base, rows))


def revise_calendar(draft: Calendar, base: CalendarData, rows: Rows, *, by: Actor) -> Decision[Calendar]:
    """Sửa bản thảo: the years that are sent stand in place of the draft's; the others stay as drafted."""
    CALENDARS.after(draft.status, "revise", by)
    sent, as_it_was = {year.year for year in rows.years}, years_of(base)
    others = [year for year in draft.years if year.year not in sent and year not in as_it_was]
    whole = Rows((*rows.years, *others), {**draft.documents, **rows.documents})
    return draft.then(_drafted(draft.id, base, whole))


def _drafted(version: str, base: CalendarData, rows: Rows) -> CalendarDrafted:
    documents, years = rows.over(base)
    if not changes(base, data_of(version, documents, years)):
        raise CalendarUnchanged(f"Bản thảo không đổi ngày nào của lịch {base.version}.")
    return CalendarDrafted(calendar=version, base=base.version, documents=documents, years=years)


def discard_calendar(draft: Calendar, reason: str, *, by: Actor) -> Decision[Calendar]:
    CALENDARS.after(draft.status, "discard", by)
    return draft.then(CalendarDiscarded(calendar=draft.id, reason=reason))


def apply_calendar(draft: Calendar, document: str, *, by: Actor) -> Decision[Calendar]:
    """Áp dụng: by the number of the document that decided it, and for everybody from here on. Raises
    CalendarUndecided: what nobody has decided is no calendar."""
    CALENDARS.after(draft.status, "apply", by)
    if not any(character.isdecimal() for character in document):
        words = "Cần số, ngày của văn bản quyết định, ví dụ «Công văn 12729/VPCP-KGVX ngày 25/12/2025»."
        raise InvalidInput(words, errors=[wrong("document", "document_number", words,
                           "The number and date of the deciding document are needed.")])  # fmt: skip
    if waiting := undecided(draft.years):
        raise CalendarUndecided(f"{len(waiting)} ngày còn chờ văn bản quyết định.", errors=waiting)
    return draft.then(CalendarApplied(
        calendar=draft.id, base=draft.base, document=document, documents=dict(draft.documents),
        years=draft.years,
    ))  # fmt: skip


def finish_moves(
    calendar: Calendar, *, examined: int, moved: int, rescinded: int, by: Actor = SYSTEM
) -> Decision[Calendar]:
    """Mọi hạn đang chạy đã được tính lại. Said once."""
    if calendar.moves_finished:
        return calendar.then()
    CALENDARS.after(calendar.status, "finish_moves", by)
    return calendar.then(CalendarMovesFinished(
        calendar=calendar.id, examined=examined, moved=moved, rescinded=rescinded,
    ))  # fmt: skip
