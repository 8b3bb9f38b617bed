"""One function for every event that carries clocks: each deadline on a stream of its own, once."""

from typing import TypeVar

import structlog

from services.notifier import domain
from services.notifier.domain import Deadline, Ending, deadline_moves
from services.notifier.domain.calendars import Calendar
from services.notifier.regulation import DUTIES, Policy
from shared.calendar import CalendarYearMissing, WorkingCalendar, load
from shared.calendar_data import packaged
from shared.contracts.base import Clock, ClockedEvent, Decision, Event, Recorded
from shared.contracts.calendars import data_of, order_of
from shared.contracts.content import SubmissionSubmitted
from shared.contracts.qa import (
    QuestionReceived,
)
from shared.contracts.sync import DeliveryPlanned
from shared.desk import Desk, once

log = structlog.get_logger(__name__)
Register = Desk[Policy]
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=ClockedEvent)


def label_of(event: Event) -> str:
    """How people call what the event is about; ids and numbers, never words of a person."""
    match event:
        case QuestionReceived():
            return event.number
        case SubmissionSubmitted():
            return event.content_class.value
        case DeliveryPlanned():
            return event.partner
        case _:
            return ""


async def keep_clocks(recorded: Recorded[C], desk: Register) -> None:
    """Open, reopen, discharge and void the deadlines that the event names, each on a stream of its own and
    once."""
    event = recorded.event
    again = {clock.name for clock in event.reopens}
    clocks = {clock.name: clock for clock in (*event.reopens, *event.opens)}
    for name in dict.fromkeys((*clocks, *event.closes, *event.voids)):
        ending = None
        if name in event.closes:
            ending = Ending(event.closed_at or recorded.at, False, recorded.id)
        elif name in event.voids:
            ending = Ending(recorded.at, True, recorded.id)
        await once(_keep(recorded, name, clocks.get(name), ending, desk, reopens=name in again))


async def _keep(
    recorded: Recorded[C], name: str, clock: Clock | None, ending: Ending | None, desk: Register, *,
    reopens: bool,
) -> None:  # fmt: skip
    subject = recorded.stream
    known = await desk.find(Deadline, domain.deadline_id(subject, name))
    events: tuple[Event, ...] = ()
    if clock is not None:
        source, label = recorded.source, label_of(recorded.event)
        if reopens:
            known, events = domain.reopen_deadline(
                known, subject, clock, cause=recorded.id, source=source, label=label
            )
        else:
            known, events = domain.open_deadline(known, subject, clock, source=source, label=label)
        if events and clock.duty not in DUTIES:
            log.warning("deadline.duty_unknown", duty=clock.duty, name=name, source=recorded.source)
        counted_by = known.clock.calendar_version if known.clock else clock.calendar_version
        if events and order_of(counted_by) < order_of(desk.calendar.version):
            known, moved = await _recounted(known, desk)
            events = (*events, *moved)
    if ending is not None:
        known, ended = domain.end_deadline(known, subject, name, ending)
        events = (*events, *ended)
    if known is not None:
        await desk.append((known, events))


async def _recounted(deadline: Deadline, desk: Register) -> Decision[Deadline]:
    """Its service had not heard yet of the calendar that counts now: the term is moved as it is opened, and
    that is told as every move is. So is one that the change found ended and that runs on now. One that ended
    before it began keeps its verdict."""
    clock, calendar = deadline.clock, desk.calendar
    assert clock is not None  # noqa: S101 (it has just been opened)
    counted_in = await _calendar(clock.calendar_version, desk)
    applied = await desk.find(Calendar, calendar.version)
    document = applied.document if applied else list(calendar.data.documents.values())[-1]
    try:
        return deadline_moves.move(
            deadline, calendar, known=lambda _: counted_in, document=document, at=desk.now
        )
    except CalendarYearMissing:  # it stays as its service has counted it
        return deadline.then()


async def _calendar(version: str, desk: Register) -> WorkingCalendar | None:
    """Packed with this build, or once applied here; None when nobody here knows it."""
    if version in packaged():
        return load(version)
    found = await desk.find(Calendar, version)
    return WorkingCalendar(data_of(version, found.documents, found.years)) if found else None
