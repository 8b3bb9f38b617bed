"""Thư đầu ngày: each working morning one mail a unit that has something overdue, due today or due soon. Asked
for once whoever looks first; after an outage late the same day, and never for a day gone by."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

import structlog

from services.notifier import handlers, queries, views
from services.notifier.handlers import RequestDigest
from services.notifier.jobs.addressees import Addressee
from services.notifier.jobs.firing import LOST_RACE
from services.notifier.jobs.memos import NotSo
from services.notifier.letters import Digest, Line
from services.notifier.queries import DueNotice, Morning
from services.notifier.regulation import Policy
from shared.calendar import ONE_DAY, VIETNAM, CalendarYearMissing, WorkingCalendar, end_of
from shared.desk import utc_now
from shared.web.edge import Edge

log = structlog.get_logger(__name__)
FARTHEST: Final = 10  # working days; a reminder fires nearer than that to its last day
AT_ONCE: Final = 20  # units at a time


def morning_of(day: date, calendar: WorkingCalendar, policy: Policy) -> Morning:
    """How this working day sorts what is open."""

    def ahead(days: int) -> datetime:
        try:
            return end_of(calendar.add(day, days))
        except CalendarYearMissing:  # beyond the years that the calendar knows: days as they come
            return end_of(day + days * ONE_DAY)

    return Morning(
        begins=datetime.combine(day, time.min, VIETNAM), ends=end_of(day), ahead=ahead(policy.digest_ahead),
        farthest=ahead(FARTHEST), known_at=datetime.combine(day, policy.digest_at, VIETNAM),
    )  # fmt: skip


@dataclass
class Digests:
    """``run`` is cheap until the morning comes, and again once this replica has seen to it."""

    edge: Edge[Policy]
    _done: date | None = None

    async def run(self, now: datetime | None = None) -> int:
        here = (now or utc_now()).astimezone(VIETNAM)
        day, calendar = here.date(), self.edge.calendar
        if self._done == day or here.time() < self.edge.policy.digest_at:
            return 0
        try:
            working = calendar.is_working_day(day)
        except CalendarYearMissing:
            working = day.weekday() < 5
        if not working:
            return 0
        morning = morning_of(day, calendar, self.edge.policy)
        units, asked = await queries.units_at_work(self.edge.database, morning), 0
        for start in range(0, len(units), AT_ONCE):
            some = units[start : start + AT_ONCE]
            asked += sum(await asyncio.gather(*(self._ask(unit, day, morning) for unit in some)))
        self._done = day
        log.info("digests.asked_for", count=asked)
        return 0

    async def _ask(self, unit: str, day: date, morning: Morning) -> bool:
        parts = await queries.morning_of(self.edge.database, morning, unit)
        listed = tuple(id for part in parts.values() for id in part)
        if not listed:
            return False
        try:
            await handlers.request_digest(RequestDigest(unit, day.isoformat(), listed), self.edge.desk())
        except LOST_RACE:
            return False
        return True


async def digest_for(edge: Edge[Policy], due: DueNotice, to: Addressee, *, at: datetime) -> Digest:
    """What the unit's morning comes to when it is sent. Raises NotSo when its day is over or all is done."""
    day = date.fromisoformat(due.about)
    if edge.calendar.day_of(at) != day:
        raise NotSo("ngày của thư này đã qua")
    morning = morning_of(day, edge.calendar, edge.policy)
    counts = await queries.morning_counts(edge.database, morning, due.unit)
    rows = await queries.still_open(edge.database, due.listed)
    called = await queries.labels(edge.database, (row["subject"] for row in rows))
    urls = views.urls_of(edge.look)
    parts: dict[str, list[Line]] = {part: [] for part in queries.PARTS}
    for row in rows:
        where = edge.policy.page_of(row["duty"], due.unit)
        line = Line(
            label=views.label_of(row["subject"], called.get(row["subject"], row["label"])), duty=row["duty"],
            last_day=date.fromisoformat(row["due_day"]), provisional=row["provisional"],
            url=views.subject_url(row["subject"], urls, where) or urls["notifier"] + "/desk/deadlines",
        )  # fmt: skip
        due_at = row["due_at"]
        part = "overdue" if due_at <= morning.begins else "today" if due_at <= morning.ends else "soon"
        parts[part].append(line)
    digest = Digest(
        to=to.to, addressee=to.name, language=to.language, day=day,
        **{part: tuple(lines) for part, lines in parts.items()},
        **{f"{part}_count": max(count, len(parts[part])) for part, count in counts.items()},
        url=f"{urls['notifier']}/desk/deadlines?unit={due.unit}",
    )  # fmt: skip
    if digest.empty:
        raise NotSo("mọi việc đã xong trước khi thư được gửi")
    return digest
