"""How a question is told to staff, with what they may do, and a published answer to everybody."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from services.qa import bodies, domain
from services.qa.bodies import acts as bodies_acts
from services.qa.domain.fields import field_name
from services.qa.files.attachments import FileOut, attachments_of
from services.qa.queries.file import File, RunningClock, file_of
from services.qa.queries.read_models import short_name
from services.qa.queries.settings import deputies
from services.qa.queries.tracking import Tracking, refusal_view, tracked
from services.qa.regulation import Policy, Role, Status
from shared.contracts.qa import Referral, RefusalGround
from shared.directory import Directory
from shared.errors import Forbidden, InvalidInput
from shared.web.edge import Edge
from shared.workflow import Actor

STAFF: Final = frozenset(Role) - {Role.ASKER, Role.SYSTEM}


class ClockOut(BaseModel):
    name: str
    duty: str
    duty_vi: str
    basis: str
    basis_vi: str
    owner_unit: str
    started_at: datetime
    warn_at: datetime | None
    due_at: datetime
    closed_at: datetime | None
    state: str  # open, overdue, met, late
    explanation_vi: str
    explanation_en: str


class RefusalOut(BaseModel):
    ground: RefusalGround
    ground_vi: str
    explanation: str
    referral: Referral | None
    agency: str
    reference: str
    transferred_on: date | None
    notice_due: date
    told_at: datetime | None
    basis: str


class HappeningOut(BaseModel):
    at: datetime
    title: str
    detail: str
    title_en: str = ""  # for an asker
    detail_en: str = ""  # for staff: what the calendar says in it


class RowOut(BaseModel):
    """One row of a queue; the asker's name is shortened."""

    id: UUID
    version: int
    number: str
    status: Status
    status_vi: str
    subject: str
    asker: str
    province: str
    received_at: datetime
    unit: str
    field: str
    field_vi: str
    duty: str
    due_at: datetime | None
    rounds: int
    escalated: bool = False


class QuestionOut(BaseModel):
    """The whole file, for who works on it. The asker's name is shortened: seeing it is an act of its own."""

    id: UUID
    version: int
    number: str
    status: Status
    status_vi: str
    received_at: datetime
    counted_from: date
    asker: str
    province: str
    subject: str
    text: str
    unit: str
    unit_name: str
    field: str
    field_vi: str
    note: str
    rounds: int
    escalated: bool
    progress: str
    promised_for: date | None
    refusal: RefusalOut | None
    answer: str
    answered_by: str
    answered_unit: str
    released: bool
    sent_at: datetime | None
    published: bool
    withheld_reason: str
    clocks: list[ClockOut]
    history: list[HappeningOut]
    files: list[FileOut]
    acts: list[str]


class AnswerOut(BaseModel):
    id: UUID
    version: int
    subject: str
    question: str
    answer: str
    field: str
    field_vi: str
    published_at: datetime
    url: str
    unit: str = ""  # that wrote it
    snippet: str = ""  # of a search: the part of the answer around the words


async def file_for(edge: Edge[Policy], id: UUID) -> File:
    return await file_of(edge.journal, edge.vault, edge.source, id)


async def file_in_reach(edge: Edge[Policy], id: UUID, by: Actor) -> File:
    """Raises Forbidden for somebody else's unit."""
    if not by.roles & STAFF:
        raise Forbidden("Bạn chưa được giao việc hỏi đáp.")
    file = await file_for(edge, id)
    if not domain.concerns(file.question, by):
        raise Forbidden("Câu hỏi này được giao cho đơn vị khác.")
    return file


async def unit_names(directory: Directory) -> dict[str, str]:
    return {id: str(unit.get("name", id)) for id, unit in (await directory.units()).items()}


async def check_units(edge: Edge[Policy], body: Any, on: datetime) -> Any:
    """The body with each unit that it names, of the register, and with the successor in place of one that was
    merged into another by then."""

    async def living(unit: str, field: str) -> str:
        await check_unit(edge, unit, field)
        return await edge.directory.successor(unit, edge.calendar.day_of(on))

    match body:
        case bodies.Forward():
            return body.followed(await living(body.unit, "unit"))
        case bodies_acts.Complex():
            rows = [
                each.model_copy(update={"unit": await living(each.unit, "consulted")})
                for each in body.consulted
            ]
            return body.model_copy(update={"consulted": tuple(rows)})
    return body


async def to_colleague(edge: Edge[Policy], command: Any, by: Actor) -> Any:
    """Work is assigned within the unit; who is away today has somebody who does theirs (người làm thay)."""
    if not isinstance(command, domain.AssignQuestion):
        return command
    away = await deputies(edge.database, edge.calendar.day_of(datetime.now(UTC)))
    colleagues = frozenset(await edge.directory.colleagues(by.unit))
    return replace(command, to=away.get(command.to, command.to), colleagues=colleagues)


async def check_unit(edge: Edge[Policy], unit: str, field: str = "unit") -> None:
    """The unit must be on the register, and the centre does not forward to itself."""
    units = await edge.directory.units()
    if unit not in units or unit == edge.policy.centre_unit:
        message = "Chọn một đơn vị có trong danh bạ."
        raise InvalidInput(message, errors=[{"field": field, "message": message}])


def field_vi(id: str) -> str:
    return field_name(id) if id else ""


def clock_out(each: RunningClock, now: datetime) -> ClockOut:
    clock = each.clock
    return ClockOut(
        name=clock.name, duty=clock.duty, duty_vi=each.duty_vi, basis=clock.basis,
        basis_vi=each.basis_vi, owner_unit=clock.owner_unit, started_at=clock.started_at,
        warn_at=clock.warn_at, due_at=clock.due_at, closed_at=each.closed_at, state=each.state(now),
        explanation_vi=clock.explanation_vi, explanation_en=clock.explanation_en,
    )  # fmt: skip


def refusal_out(file: File) -> RefusalOut | None:
    refusal = refusal_view(file)
    return RefusalOut.model_validate(refusal) if refusal else None


def row_out(row: dict[str, Any]) -> RowOut:
    names = set(RowOut.model_fields) - {"id", "status_vi", "field_vi"}
    return RowOut(
        id=row["_id"], status_vi=Status(row["status"]).vi, field_vi=field_vi(row["field"]),
        **{name: row[name] for name in names if name in row},
    )  # fmt: skip


def happenings(told: Tracking) -> list[HappeningOut]:
    return [
        HappeningOut(
            at=h["at"],
            title=h["title"],
            detail=h["text"],
            title_en=h.get("title_en", ""),
            detail_en=h.get("text_en", ""),
        )
        for h in told.history
    ]


async def question_out(edge: Edge[Policy], file: File, by: Actor, now: datetime) -> QuestionOut:
    question, letter = file.question, file.letter
    names = await unit_names(edge.directory)
    answered_by = await edge.directory.person_name(question.answered_by) if question.answered_by else ""
    return QuestionOut(
        id=question.id, version=file.version, number=question.number, status=question.status,
        status_vi=question.status.vi, received_at=question.received_at, counted_from=question.counted_from,
        asker=short_name(letter.name), province=letter.province, subject=letter.subject, text=letter.text,
        unit=question.unit, unit_name=names.get(question.unit, question.unit), field=question.field,
        field_vi=field_vi(question.field), note=file.note,
        rounds=question.rounds, escalated=bool(question.progress and question.progress.escalated),
        progress=file.progress, promised_for=question.progress.promised_for if question.progress else None,
        refusal=refusal_out(file), answer=file.answer, answered_by=answered_by,
        answered_unit=question.answered_unit, released=question.released, sent_at=question.sent_at,
        published=question.published, withheld_reason=question.withheld_reason,
        clocks=[clock_out(each, now) for each in file.clocks],
        history=happenings(tracked(file, names, edge.calendars, now)),
        files=[each.out() for each in await attachments_of(edge, file)], acts=domain.acts(question, by),
    )  # fmt: skip


def answer_out(row: dict[str, Any], url: str) -> AnswerOut:
    return AnswerOut(
        id=row["_id"], version=row["version"], subject=row["subject"], question=row["question"],
        answer=row["answer"], field=row["field"], field_vi=field_vi(row["field"]),
        published_at=row["published_at"], url=f"{url}/answers/{row['_id']}", unit=row.get("unit", ""),
        snippet=row.get("snippet", ""),
    )  # fmt: skip
