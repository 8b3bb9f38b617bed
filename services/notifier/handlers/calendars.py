"""What a calendar keeper does to a version, and how open deadlines follow the one that was applied."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from services.notifier.domain import Deadline, calendars, deadline_moves
from services.notifier.domain.calendar_rows import Rows
from services.notifier.domain.calendars import Calendar, CalendarOvertaken, CalendarVersionTaken
from services.notifier.domain.deadline_moves import Known
from services.notifier.handlers.clocks import Register
from shared.calendar import CalendarYearMissing, WorkingCalendar
from shared.contracts.base import Decision
from shared.errors import IdempotencyKeyReused, IllegalTransition
from shared.journal import AlreadyDone, Commit, Head, Stored, VersionConflict


@dataclass(frozen=True, slots=True)
class DraftCalendar:
    """``version`` empty: named after the day. ``known`` finds a version that was ever in force."""

    base: str
    rows: Rows
    known: Known
    version: str = ""


async def draft_calendar(cmd: DraftCalendar, desk: Register) -> Calendar:
    """Raises CalendarOvertaken when the base is in force no more, CalendarVersionTaken for a used name."""
    in_force = desk.calendar
    version = cmd.version
    if version:
        calendars.check_version(version, in_force.version)
        if await desk.find(Calendar, version) is not None or cmd.known(version) is not None:
            raise CalendarVersionTaken(f"Đã có phiên bản {version}; các phiên bản được giữ mãi mãi.")
    else:
        today, taken = in_force.day_of(desk.now), set[str]()
        version = calendars.free_version(in_force.version, today, taken.__contains__)
        while await desk.find(Calendar, version) is not None:
            taken.add(version)
            version = calendars.free_version(in_force.version, today, taken.__contains__)
    drafted = calendars.draft_calendar(version, in_force.data, cmd.rows, by=desk.by)
    calendars.check_base(cmd.base, in_force, cmd.known)
    return await desk.append(drafted)


@dataclass(frozen=True, slots=True)
class ReviseCalendar:
    version: str
    rows: Rows
    known: Known


async def revise_calendar(cmd: ReviseCalendar, desk: Register) -> Calendar:
    draft = await desk.load(Calendar, cmd.version)
    revised = calendars.revise_calendar(draft, desk.calendar.data, cmd.rows, by=desk.by)
    calendars.check_base(draft.base, desk.calendar, cmd.known)
    return await desk.append(revised)


@dataclass(frozen=True, slots=True)
class DiscardCalendar:
    version: str
    reason: str


async def discard_calendar(cmd: DiscardCalendar, desk: Register) -> Calendar:
    draft = await desk.load(Calendar, cmd.version)
    return await desk.append(calendars.discard_calendar(draft, cmd.reason, by=desk.by))


@dataclass(frozen=True, slots=True)
class ApplyCalendar:
    version: str
    document: str
    known: Known


def succession(base: str) -> str:
    """The once key of the version that follows another: one at most, whoever applies what at that moment."""
    return f"calendar-after#{base}"


async def apply_calendar(cmd: ApplyCalendar, desk: Register) -> Calendar:
    """The journal, not what this replica has heard of, says whether the base is in force still."""
    stream = Calendar.stream_of(cmd.version)
    if commits := await desk.journal.read(stream):
        base = Calendar.fold(r.event for c in commits for r in c.recorded(desk.source)).base
        done = await desk.journal.find(succession(base))
        if done is not None:
            return await _applied_before(cmd, done, desk)
    draft = await desk.load(Calendar, cmd.version)
    applied = calendars.apply_calendar(draft, cmd.document, by=desk.by)
    calendars.check_base(draft.base, desk.calendar, cmd.known)
    key = succession(draft.base)
    try:
        # The key says what follows what; the request that asked for it is on record as its cause.
        return await replace(desk, causation=desk.once).append(applied, key=key)
    except AlreadyDone:
        done = await desk.journal.find(key)
        assert done is not None  # noqa: S101 (the database has just said so)
        return await _applied_before(cmd, done, desk)


async def _applied_before(cmd: ApplyCalendar, done: Commit, desk: Register) -> Calendar:
    if done.causation == desk.once:  # this very request has been answered before
        if done.fingerprint != desk.fingerprint:
            raise IdempotencyKeyReused
        desk.written[done.stream] = done.version
        found = await desk.find(Calendar, cmd.version, upto=done.version)
        assert found is not None  # noqa: S101 (its stream holds the commit)
        return found
    draft = await desk.load(Calendar, cmd.version)
    calendars.apply_calendar(draft, cmd.document, by=desk.by)  # refuses what may not be, first
    if done.stream == Calendar.stream_of(cmd.version):
        raise IllegalTransition("Bản lịch này đã được áp dụng.", state=draft.status.value)
    calendars.check_base(draft.base, desk.calendar, cmd.known)
    raise CalendarOvertaken(f"Lịch {draft.base} vừa được thay; hãy soạn lại từ lịch đang dùng.")


@dataclass(frozen=True, slots=True)
class FinishMoves:
    version: str
    examined: int
    moved: int
    rescinded: int


async def finish_moves(cmd: FinishMoves, desk: Register) -> Calendar:
    calendar = await desk.load(Calendar, cmd.version)
    finished = calendars.finish_moves(
        calendar, examined=cmd.examined, moved=cmd.moved, rescinded=cmd.rescinded
    )
    return await desk.append(finished, key=f"{cmd.version}#moves_finished")


class Shown(NamedTuple):
    """A deadline as the list shows it, and the head of its stream then: while the stream has not gone on it
    need not be read. ``head`` None: the list cannot say."""

    deadline: Deadline
    head: Head | None
    correlation: str


@dataclass(frozen=True, slots=True)
class MoveDeadlines:
    calendar: WorkingCalendar
    document: str
    known: Known
    shown: Sequence[Shown]


async def move_deadlines(cmd: MoveDeadlines, desk: Register) -> list[UUID]:
    """To another calendar, each once and by a record of its own; what has gone on since it was listed is
    read. Returns those that nobody can count, because the calendar lacks a year that they need."""
    uncounted: list[UUID] = []
    ready: list[tuple[UUID, Commit]] = []
    doubtful: list[UUID] = []
    for shown in cmd.shown:
        id = shown.deadline.id
        if shown.head is None:
            doubtful.append(id)
            continue
        try:
            _, events = _move(shown.deadline, cmd, desk)
        except CalendarYearMissing:
            uncounted.append(id)
            continue
        if events:
            commit = Commit(
                key=deadline_moves.move_key(id, cmd.calendar.version), stream=Deadline.stream_of(id),
                version=0, events=tuple([Stored.of(event) for event in events]), at=desk.now,
                by=desk.by.subject, correlation=shown.correlation or desk.correlation,
                causation=desk.causation,
            ).sealed(shown.head)  # fmt: skip
            ready.append((id, commit))
    outcomes = await desk.journal.append_all([commit for _, commit in ready])
    for (id, _), outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, VersionConflict):
            doubtful.append(id)
        elif outcome is not None and not isinstance(outcome, AlreadyDone):
            raise outcome
    unread = await asyncio.gather(*(_by_its_journal(id, cmd, desk) for id in doubtful))
    return [*uncounted, *(id for id in unread if id is not None)]


def _move(deadline: Deadline, cmd: MoveDeadlines, desk: Register) -> Decision[Deadline]:
    return deadline_moves.move(
        deadline, cmd.calendar, known=cmd.known, document=cmd.document, at=desk.now, by=desk.by
    )


async def _by_its_journal(id: UUID, cmd: MoveDeadlines, desk: Register) -> UUID | None:
    """The id of one that nobody can count. Another's move, or its next stage, may have come first: the next
    pass sees it then."""
    own = desk.at(desk.now)
    try:
        moved = _move(await own.load(Deadline, id), cmd, own)
        await own.append(moved, key=deadline_moves.move_key(id, cmd.calendar.version))
    except CalendarYearMissing:
        return id
    except (AlreadyDone, VersionConflict, IllegalTransition):
        return None
    return None
