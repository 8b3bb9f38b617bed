"""THE LAW as the register tells of it in time: for each duty, the stages of its deadline, a row each. The
schedule of a deadline is a pure function of its clock, the calendar and this table.

Điều 11.1.a, hỏi đáp, gạch 1: «… trong vòng 02 đến 05 ngày làm việc … phải thông báo ngay trong ngày». The
text sets the due instant. Whom to remind before it, and to whom it is carried after it, is our choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from shared.calendar import ONE_DAY, VIETNAM, CalendarYearMissing, WorkingCalendar, last_day
from shared.contracts.base import Clock


class Kind(StrEnum):
    """What a stage is: a reminder ahead, the due instant itself, or carrying it further up."""

    WARN = "warn"  # nhắc trước
    BREACH = "breach"  # quá hạn
    ESCALATE = "escalate"  # báo cấp trên


class Audience(StrEnum):
    """To whom a stage is told; the same words as the contract's ``Level`` where a breach is carried up."""

    UNIT = "unit"
    UNIT_HEAD = "unit_head"
    CENTRE = "centre"
    LEADERSHIP = "leadership"


@dataclass(frozen=True, slots=True)
class Hours:
    """Giờ làm việc of a working day, Vietnamese time; outside them only what is said at once is said."""

    opens: time = time(8)
    closes: time = time(17)

    def next_open(self, at: datetime, calendar: WorkingCalendar) -> datetime:
        """``at`` itself within working hours, else when they begin again, UTC. Raises CalendarYearMissing."""
        local = at.astimezone(VIETNAM)
        day, hour = local.date(), local.time()
        if calendar.is_working_day(day) and hour < self.closes:
            return at if hour >= self.opens else _at(day, self.opens)
        return _at(calendar.next_working_day(day), self.opens)

    def open(self, at: datetime, calendar: WorkingCalendar) -> bool:
        """Whether ``at`` lies in working hours. A day that the calendar lacks is no working day."""
        try:
            return self.next_open(at, calendar) == at
        except CalendarYearMissing:
            return False


class Asked(StrEnum):
    """How a row's time is found."""

    CLOCK = "clock"  # the first warning that the duty's own service has computed (its ``warn_at``)
    PART = "part"  # the morning after so many hundredths of the term's working days
    BEFORE = "before"  # the morning of the n-th working day before the last day
    MORNING = "morning"  # the morning of the last day
    HOUR = "hour"  # that hour of the last day
    DUE = "due"  # the due instant
    AFTER = "after"  # the morning of the n-th working day after the last day


class When(NamedTuple):
    asked: Asked
    number: int = 0


class Stage(NamedTuple):
    """A row. ``at_once``: at any hour, of any day. ``statutory``: never skipped, however late; anything else
    is a reminder, and dropped with a record once a later stage has come."""

    name: str
    when: When
    kind: Kind
    audience: Audience
    at_once: bool = False
    statutory: bool = False


def _warn(
    name: str, asked: Asked, number: int = 0, to: Audience = Audience.UNIT, *, at_once: bool = False
) -> Stage:
    return Stage(name, When(asked, number), Kind.WARN, to, at_once)


def _up(to: Audience, days: int) -> Stage:
    """Carried up: on the morning of the n-th working day after the last day; 0: at the due instant."""
    when = When(Asked.AFTER, days) if days else When(Asked.DUE)
    return Stage(to.value, when, Kind.ESCALATE, to, at_once=not days, statutory=True)


_A = Audience
# The service's own first warning says nothing aloud at night: the unit reads of it in its morning mail.
WARNED: Final = Stage("warned", When(Asked.CLOCK), Kind.WARN, _A.UNIT, at_once=True)
HALF: Final = _warn("half_way", Asked.PART, 50)
TWO_BEFORE: Final = _warn("two_days_before", Asked.BEFORE, 2)
LAST_MORNING: Final = _warn("last_morning", Asked.MORNING)
EVENING: Final = _warn("evening", Asked.HOUR, 16, at_once=True)
NIGHT: Final = _warn("night", Asked.HOUR, 22, _A.CENTRE, at_once=True)
BREACHED: Final = Stage("breached", When(Asked.DUE), Kind.BREACH, _A.UNIT, at_once=True, statutory=True)

STAGES: Final[Mapping[str, tuple[Stage, ...]]] = {
    # «phải thông báo ngay trong ngày»: nobody waits for the morning
    "same_day_notice": (WARNED, EVENING, NIGHT, BREACHED, _up(_A.CENTRE, 0), _up(_A.LEADERSHIP, 1)),
    # «trong vòng 02 đến 05 ngày làm việc»: the clock warns after 02, the breach comes after 05. The centre
    # itself owes it, and so do sending and publishing: above its head stands the leadership.
    "triage": (WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.LEADERSHIP, 3)),
    # «Trong vòng 07 ngày làm việc»
    "unit_reply": (
        WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 2), _up(_A.LEADERSHIP, 5),
    ),
    # «xử lý trong vòng 10 ngày làm việc»
    "complex_reply": (
        WARNED, HALF, TWO_BEFORE, LAST_MORNING,
        BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 2), _up(_A.LEADERSHIP, 5),
    ),
    # «phải lấy ý kiến nhiều đơn vị»: by a day that is stated, so that the lead unit keeps its ten
    "consultation": (WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 2)),
    # «nói rõ thời hạn trả lời»: a promise to a citizen goes up faster
    "promised_reply": (
        WARNED, TWO_BEFORE, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 1),
        _up(_A.LEADERSHIP, 3),
    ),
    # «không quá 02 ngày làm việc»
    "send_answer": (WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.LEADERSHIP, 3)),
    "publish_answer": (WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.LEADERSHIP, 3)),
    # «Trong 01 ngày làm việc …», «Trong 10 ngày làm việc …»
    "supply": (
        WARNED, HALF, TWO_BEFORE, LAST_MORNING,
        BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 2), _up(_A.LEADERSHIP, 5),
    ),
    # Điều 12: «thống nhất, kịp thời»
    "linking": (WARNED, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.LEADERSHIP, 3)),
}  # fmt: skip
# A duty that this build does not know is kept, reminded of and carried up all the same.
ANY_DUTY: Final = (
    WARNED, LAST_MORNING, BREACHED, _up(_A.UNIT_HEAD, 1), _up(_A.CENTRE, 2), _up(_A.LEADERSHIP, 5),
)  # fmt: skip

AHEAD: Final = frozenset({"warned", "half_way", "two_days_before", "last_morning", "evening", "night"})
# What says that the time has run out: withdrawn, when it has not.
FROM_DUE_ON: Final = ("breached", "unit_head", "centre", "leadership")

STAGES_VI: Final[Mapping[str, str]] = {
    "warned": "Nhắc lần đầu", "half_way": "Nhắc giữa kỳ", "two_days_before": "Nhắc trước hai ngày làm việc",
    "last_morning": "Nhắc sáng ngày cuối", "evening": "Nhắc lúc 16 giờ", "night": "Nhắc lúc 22 giờ",
    "breached": "Báo quá hạn", "unit_head": "Báo thủ trưởng đơn vị", "centre": "Báo Trung tâm",
    "leadership": "Báo lãnh đạo Ngành",
}  # fmt: skip


class Planned(NamedTuple):
    """A stage of one deadline and when it is to fire, UTC."""

    at: datetime
    stage: Stage


Plan = tuple[Planned, ...]


def stages_of(duty: str) -> tuple[Stage, ...]:
    return STAGES.get(duty, ANY_DUTY)


def schedule(clock: Clock, calendar: WorkingCalendar, hours: Hours = Hours()) -> Plan:
    """The stages of a deadline in the order of their times. Of reminders that fall together the first row
    stays. A stage in a year that the calendar lacks has no time yet: it comes with that year."""
    term = (clock.duty, clock.started_at, clock.working_days, clock.warn_at, clock.due_at)
    return plan_of(term, calendar, hours)


def plan_of(term: tuple[Any, ...], calendar: WorkingCalendar, hours: Hours) -> Plan:
    """The same of a term as a list keeps it: duty, started_at, working_days, warn_at, due_at."""
    duty, started_at, working_days, warn_at, due_at = term
    plan = _schedule(
        duty, started_at.astimezone(VIETNAM).date(), working_days, warn_at, due_at, calendar, hours
    )
    if plan and plan[0].at < started_at:  # nobody is reminded in the afternoon of what begins at night
        return tuple([p for p in plan if p.stage.kind is not Kind.WARN or p.at >= started_at])
    return plan


@lru_cache(8192)  # thousands of deadlines begin and end on the same days
def _schedule(  # noqa: PLR0917 (the cache's key)
    duty: str, started: date, working_days: int | None, warn_at: datetime | None, due_at: datetime,
    calendar: WorkingCalendar, hours: Hours,
) -> Plan:  # fmt: skip
    last = last_day(due_at)
    planned: list[Planned] = []
    for stage in stages_of(duty):
        try:
            at = _time(stage, started, working_days, warn_at=warn_at, due_at=due_at, last=last,
                       calendar=calendar, hours=hours)  # fmt: skip
        except CalendarYearMissing:
            continue
        if at is None or (stage.kind is Kind.WARN and at >= due_at):
            continue
        if stage.kind is Kind.WARN and any(at == other.at for other in planned):
            continue
        planned.append(Planned(at, stage))
    return tuple(sorted(planned, key=lambda each: each.at))  # stable: a breach stays before what follows it


def _time(  # noqa: PLR0911 (an arm for each way to ask)
    stage: Stage, started: date, working_days: int | None, *, warn_at: datetime | None, due_at: datetime,
    last: date, calendar: WorkingCalendar, hours: Hours,
) -> datetime | None:  # fmt: skip
    """Raises CalendarYearMissing."""
    asked, number = stage.when
    match asked:
        case Asked.CLOCK:
            return warn_at
        case Asked.DUE:
            return due_at
        case Asked.HOUR:
            return _at(last, time(number))
        case Asked.MORNING:
            return _at(last, hours.opens)
        case Asked.AFTER:
            return _at(calendar.add(last, number), hours.opens)
        case Asked.BEFORE:
            day = _back(last, number, calendar)
            return _at(day, hours.opens) if day > started else None
        case Asked.PART:
            days = working_days
            if days is None:
                days = calendar.working_days_between(started, last)
            passed = days * number // 100
            return _at(calendar.add(started, passed + 1), hours.opens) if passed else None


def _back(day: date, number: int, calendar: WorkingCalendar) -> date:
    """The n-th working day before ``day``, by the calendar's running counts."""
    early = day - (number + 2) * 3 * ONE_DAY
    while calendar.working_days_between(early, day - ONE_DAY) < number:
        early -= 7 * ONE_DAY
    return calendar.add(early, calendar.working_days_between(early, day - ONE_DAY) - number + 1)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, VIETNAM).astimezone(UTC)
