"""Which stage of an open deadline fires now (báo, nhắc): each once, in the order of the schedule, and what is
statutory never skipped, however late."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.notifier.domain.deadlines import Deadline
from services.notifier.regulation import DEADLINES, DeadlineStatus
from services.notifier.regulation_stages import STAGES_VI, Audience, Kind, Plan, Planned
from shared.contracts.base import Decision, Event
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineReminderDropped,
    DeadlineWarned,
    Level,
)
from shared.workflow import SYSTEM, Actor

_ACTS: Final = {Kind.WARN: "warn", Kind.BREACH: "breach", Kind.ESCALATE: "escalate"}


class Armed(NamedTuple):
    """What firing must know of an open deadline; folded from the journal, or as a list shows it."""

    id: UUID
    subject: str
    duty: str
    unit: str
    due_at: datetime
    breached: bool
    moved: str
    fired: Mapping[str, datetime | None]
    reopened: int = 0

    @classmethod
    def of(cls, deadline: Deadline) -> "Armed | None":
        """None when nothing can fire: it has not begun, or it has ended."""
        clock = deadline.clock
        if clock is None or deadline.status is not DeadlineStatus.OPEN:
            return None
        return cls(deadline.id, deadline.subject, clock.duty, clock.owner_unit, clock.due_at,
                   deadline.breached, deadline.moved, deadline.fired, deadline.reopened)  # fmt: skip


class Firing(NamedTuple):
    """One commit: the stage with the reminders that it overtakes. ``key`` makes it happen once; ``next_at``
    is when the stage after it is planned."""

    key: str
    events: tuple[Event, ...]
    next_at: datetime | None


def pending(armed: Armed, plan: Plan) -> list[Planned]:
    """Stages not yet fired. A reminder is armed again by a move to a later time; what tells of the due
    instant, and all after it, by its withdrawal alone. While a breach stands, no reminder is of use."""
    waiting = []
    for planned in plan:
        fired = armed.fired.get(planned.stage.name)
        if planned.stage.kind is Kind.WARN:
            if not armed.breached and (fired is None or fired < planned.at):
                waiting.append(planned)
        elif fired is None:
            waiting.append(planned)
    return waiting


def next_firing(
    armed: Armed, plan: Plan, *, at: datetime, in_hours: bool, by: Actor = SYSTEM
) -> Firing | None:
    """The first stage whose time has come and that may be told at this hour, bearing its true time. A
    reminder is stale when a later stage has come too: it is dropped, on record, with what overtakes it."""
    waiting = pending(armed, plan)
    come = [planned for planned in waiting if planned.at <= at]
    stale = [planned for planned in come[:-1] if planned.stage.kind is Kind.WARN]
    first = next(
        (p for p in come if p not in stale and (p.stage.at_once or in_hours)), None
    )  # fmt: skip
    if first is None:
        return None
    DEADLINES.after(DeadlineStatus.OPEN, _ACTS[first.stage.kind], by)
    overtaken = [planned for planned in stale if planned.at <= first.at]
    if overtaken:
        DEADLINES.after(DeadlineStatus.OPEN, "drop", by)
    rest = [planned for planned in waiting if planned is not first and planned not in overtaken]
    drops = [_dropped(armed, planned, first) for planned in overtaken]
    key = f"{armed.id}#{first.stage.name}{_again(armed, first)}"
    next_at = rest[0].at if rest else None
    return Firing(key, (*drops, _event(armed, first, next_at)), next_at)


def _again(armed: Armed, planned: Planned) -> str:
    """What tells a stage that is armed again from the same stage before: the move, the reopening."""
    if planned.stage.name not in armed.fired:
        return ""
    return f"@{armed.moved}" + (f"+{armed.reopened}" if armed.reopened else "")


def told(armed: Armed, events: tuple[Event, ...]) -> Armed:
    """What is known of a deadline after these firings of its own."""
    fired, breached = dict(armed.fired), armed.breached
    for event in events:
        match event:
            case DeadlineBreached():
                fired["breached"], breached = event.due_at, True
            case DeadlineEscalated():
                fired[event.level.value] = event.planned_at
            case DeadlineWarned() | DeadlineReminderDropped():
                fired[event.stage] = event.planned_at
    return armed._replace(fired=fired, breached=breached)


def next_look(armed: Armed, plan: Plan) -> datetime | None:
    """When the first stage that is still to fire is planned."""
    waiting = pending(armed, plan)
    return waiting[0].at if waiting else None


def fire(
    deadline: Deadline, plan: Plan, *, at: datetime, in_hours: bool = True
) -> tuple[Decision[Deadline], str]:
    """The next stage of a deadline that was read from the journal, with its once key; no events when nothing
    is due."""
    armed = Armed.of(deadline)
    firing = next_firing(armed, plan, at=at, in_hours=in_hours) if armed else None
    if firing is None:
        return deadline.then(), ""
    return deadline.then(*firing.events), firing.key


def _dropped(armed: Armed, planned: Planned, by: Planned) -> Event:
    stage, overtakes = STAGES_VI[planned.stage.name], STAGES_VI[by.stage.name]
    return DeadlineReminderDropped(
        deadline_id=armed.id, subject=armed.subject, duty=armed.duty, stage=planned.stage.name,
        planned_at=planned.at,
        reason=f"«{stage}» chưa phát được thì đã đến lúc «{overtakes}»: nhắc nữa không còn ích gì.",
    )  # fmt: skip


def _event(armed: Armed, planned: Planned, next_at: datetime | None) -> Event:
    stage = planned.stage
    match stage.kind:
        case Kind.WARN:
            return DeadlineWarned(
                deadline_id=armed.id, subject=armed.subject, duty=armed.duty, due_at=armed.due_at,
                stage=stage.name, planned_at=planned.at, unit=armed.unit, next_at=next_at,
            )  # fmt: skip
        case Kind.BREACH:
            return DeadlineBreached(
                deadline_id=armed.id, subject=armed.subject, duty=armed.duty, due_at=armed.due_at,
                unit=armed.unit, next_at=next_at,
            )  # fmt: skip
        case Kind.ESCALATE:
            return DeadlineEscalated(
                deadline_id=armed.id, subject=armed.subject, duty=armed.duty, unit=armed.unit,
                level=_LEVELS[stage.audience], due_at=armed.due_at, planned_at=planned.at, next_at=next_at,
            )  # fmt: skip


_LEVELS: Final = {
    Audience.UNIT_HEAD: Level.UNIT_HEAD,
    Audience.CENTRE: Level.CENTRE,
    Audience.LEADERSHIP: Level.LEADERSHIP,
}
