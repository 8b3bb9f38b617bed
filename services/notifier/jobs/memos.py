"""What our own people are told, from the register's journal as it stands at the moment of sending: what is no
longer so is not said."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notifier import domain, queries, views
from services.notifier.domain import Deadline, Notice
from services.notifier.handlers import told_of_breach, told_of_escalation, with_unit
from services.notifier.jobs.addressees import Addressee
from services.notifier.letters import Language, Memo
from services.notifier.queries import DueNotice
from services.notifier.regulation import DeadlineStatus, NoticeStatus, Policy
from shared import calendar
from shared.calendar import CalendarYearMissing
from shared.contracts.base import Event, Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineOpened,
    DeadlineRescinded,
)
from shared.web.edge import Edge

# A notice that may have reached its reader.
SAID: Final = frozenset(
    {NoticeStatus.SENT, NoticeStatus.SENDING, NoticeStatus.UNCERTAIN, NoticeStatus.REACHED}
)


class NotSo(Exception):
    """What the notice would say is no longer so, or has never been said to this recipient; Vietnamese."""


async def memo_for(
    edge: Edge[Policy], due: DueNotice, to: Addressee, *, at: datetime, language: Language | None = None
) -> Memo:
    """In the addressee's language unless told otherwise. Raises NotSo."""
    assert due.deadline_id is not None  # noqa: S101 (every notice to staff but a morning mail has it)
    commits = await edge.journal.read(Deadline.stream_of(due.deadline_id))
    history = [each for commit in commits for each in commit.recorded(edge.source)]
    deadline = Deadline.fold(each.event for each in history)
    # What is told of is on the question's own record: of the register's, the promise that goes with it.
    about = history[0].id if due.kind == "postponement" else due.about
    cause = next((each for each in history if each.id == about), None)
    if cause is None or deadline.clock is None:
        raise NotSo("sổ không có việc mà thư này nói tới")
    if due.kind == "rescission":
        await _still_withdrawn(edge, due, deadline, cause, history)
    else:
        _still_owed(deadline, cause.event)
    clock = deadline.clock
    last_day = calendar.last_day(clock.due_at)
    urls = views.urls_of(edge.look)
    event, tongue = cause.event, language or to.language
    # Whoever owes it works on another page than those to whom it is carried up.
    owners = (f"unit:{clock.owner_unit}", f"head:{clock.owner_unit}")
    owes = due.recipient.removeprefix("sms:") in owners
    owed = edge.policy.page_of(clock.duty, clock.owner_unit) if owes else ""
    return Memo(
        to=to.to, addressee=to.name, language=tongue,
        label=views.label_of(deadline.subject, deadline.label or await _label(edge, deadline.subject)),
        duty=clock.duty, unit_name=await edge.directory.unit_name(clock.owner_unit), last_day=last_day,
        explanation=clock.explanation_vi if tongue == "vi" else clock.explanation_en, basis=clock.basis,
        calendar_version=clock.calendar_version,
        late_days=_late_days(edge, clock.due_at, at),
        subject_url=views.subject_url(deadline.subject, urls, owed) or urls["notifier"],
        deadline_url=f"{urls['notifier']}/desk/deadlines/{deadline.id}",
        document=event.document if isinstance(event, DeadlineRescinded) else "",
        told_last_day=calendar.last_day(event.breached_due_at)
        if isinstance(event, DeadlineRescinded) else None,
        done_at=event.met_at if isinstance(event, DeadlineMet) else None,
        promises=_promises(clock.name),
    )  # fmt: skip


def _promises(name: str) -> int:
    """«promised_reply:3»: the third progress notice has set it."""
    number = name.partition(":")[2].partition("/")[0]
    return int(number) if number.isdecimal() else 0


def _still_owed(deadline: Deadline, event: Event) -> None:
    assert deadline.clock is not None  # noqa: S101 (the caller has looked)
    if deadline.status is not DeadlineStatus.OPEN:
        raise NotSo("việc đã kết thúc trước khi thư được gửi")
    if deadline.clock.due_at != getattr(event, "due_at", deadline.clock.due_at):
        raise NotSo("hạn đã được tính lại trước khi thư được gửi")


async def _still_withdrawn(
    edge: Edge[Policy], due: DueNotice, deadline: Deadline, cause: Recorded[Any], history: list[Recorded[Any]]
) -> None:
    if isinstance(cause.event, DeadlineMet):
        if deadline.late:
            raise NotSo("việc được xét lại là muộn")
        if cause.event.cause in deadline.undone:
            raise NotSo("việc đã được mở lại")
    earlier = [each for each in history if each.sequence < cause.sequence]
    if not await was_told(edge, due.recipient, earlier):
        raise NotSo("chưa báo quá hạn cho nơi này")


async def was_told(edge: Edge[Policy], recipient: str, history: list[Recorded[Any]]) -> bool:
    """Whether this recipient may have read, by its own notice or in a morning mail, that it was late."""
    desk, owner = edge.desk(), ""
    for each in history:
        match each.event:
            case DeadlineOpened():
                owner = each.event.clock.owner_unit
                continue
            case DeadlineBreached():
                event = with_unit(each.event, owner)
                kind, recipients = "breach", told_of_breach(event, edge.policy)
                unit = event.unit if recipient == f"unit:{event.unit}" else ""
                if unit and await queries.told_by_digest(edge.database, unit, UUID(each.subject_id), each.at):
                    return True
            case DeadlineEscalated():
                kind, recipients = "escalation", told_of_escalation(each.event, edge.policy)
            case _:
                continue
        if recipient in recipients:
            known = await desk.find(Notice, domain.notice_id(kind, each.id, recipient, 1))
            if known is not None and (known.status in SAID or known.uncertain):
                return True
    return False


async def _label(edge: Edge[Policy], subject: str) -> str:
    """A later deadline of the subject may not carry its number; the first does."""
    return (await queries.labels(edge.database, [subject])).get(subject, "")


def _late_days(edge: Edge[Policy], due_at: datetime, at: datetime) -> int:
    try:
        days = edge.calendar.working_days_between(calendar.last_day(due_at), edge.calendar.day_of(at))
    except CalendarYearMissing:
        return 0
    return max(days, 0)
