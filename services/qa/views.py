"""How a question is told to those who ask: to staff with what they may do, to the asker in plain words, to
the notifier with the words of a letter."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.qa import domain
from services.qa.domain.codes import Codes
from services.qa.domain.fields import field_name
from services.qa.queries.file import File, RunningClock, file_of
from services.qa.queries.read_models import short_name
from services.qa.queries.tracking import GROUND_VI, Tracking, refusal_view, tracked
from services.qa.regulation import Duty, Policy, Status
from shared.contracts.qa import NoticeKind, Referral, RefusalGround
from shared.directory import Directory
from shared.errors import Forbidden, InvalidInput, NotFound, PortalError
from shared.web.edge import Edge
from shared.workflow import Actor


class LetterErased(PortalError):
    """The asker's letter was erased: there is nobody to write to any more."""

    status, code = 410, "letter_erased"
    title_vi, title_en = "Thông tin người hỏi đã được xóa", "The asker's data was erased"


class ReceiptOut(BaseModel):
    """``tracking_code`` is told here and in the acknowledgement letter, and nowhere else."""

    id: UUID
    number: str
    tracking_code: str
    received_at: datetime
    counted_from: date
    triage_due: datetime
    triage_due_vi: str
    version: int


class ClockOut(BaseModel):
    name: str
    duty: str
    duty_vi: str
    basis: str
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
    acts: list[str]


class TrackingOut(BaseModel):
    number: str
    status: Status
    status_vi: str
    sentence: str
    subject: str
    text: str
    received_at: datetime
    counted_from: date
    holder: str
    due_at: datetime | None
    working_days_left: int | None
    deadlines: list[ClockOut]
    history: list[HappeningOut]
    answer: str | None = None
    refusal: RefusalOut | None = None
    published: bool = False


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


async def file_for(edge: Edge[Policy], id: UUID) -> File:
    return await file_of(edge.journal, edge.vault, edge.source, id)


async def file_in_reach(edge: Edge[Policy], id: UUID, by: Actor) -> File:
    """Raises Forbidden for somebody else's unit."""
    if not by.roles & {"triage", "publisher", "auditor", "answerer", "unit_head"}:
        raise Forbidden("Bạn chưa được giao việc hỏi đáp.")
    file = await file_for(edge, id)
    if not domain.concerns(file.question, by):
        raise Forbidden("Câu hỏi này được giao cho đơn vị khác.")
    return file


async def unit_names(directory: Directory) -> dict[str, str]:
    return {id: str(unit.get("name", id)) for id, unit in (await directory.units()).items()}


async def check_unit(edge: Edge[Policy], unit: str) -> None:
    """The unit must be on the register, and the centre does not forward to itself."""
    units = await edge.directory.units()
    if unit not in units or unit == edge.policy.centre_unit:
        message = "Chọn một đơn vị có trong danh bạ."
        raise InvalidInput(message, errors=[{"field": "unit", "message": message}])


def receipt(file: File, codes: Codes) -> ReceiptOut:
    question = file.question
    triage = next(each for each in file.clocks if each.clock.duty == Duty.TRIAGE).clock
    return ReceiptOut(
        id=question.id, number=question.number, tracking_code=codes.tracking_code(question.id),
        received_at=question.received_at, counted_from=question.counted_from, triage_due=triage.due_at,
        triage_due_vi=triage.explanation_vi, version=file.version,
    )  # fmt: skip


def field_vi(id: str) -> str:
    return field_name(id) if id else ""


def clock_out(each: RunningClock, now: datetime) -> ClockOut:
    clock = each.clock
    return ClockOut(
        name=clock.name, duty=clock.duty, duty_vi=each.duty_vi, basis=clock.basis,
        owner_unit=clock.owner_unit, started_at=clock.started_at, warn_at=clock.warn_at, due_at=clock.due_at,
        closed_at=each.closed_at, state=each.state(now), explanation_vi=clock.explanation_vi,
        explanation_en=clock.explanation_en,
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
    return [HappeningOut(at=h["at"], title=h["title"], detail=h["text"]) for h in told.history]


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
        history=happenings(tracked(file, names, edge.calendar, now)),
        acts=domain.acts(question, by),
    )  # fmt: skip


async def tracking_out(edge: Edge[Policy], file: File, now: datetime) -> TrackingOut:
    question = file.question
    names = await unit_names(edge.directory)
    told = tracked(file, names, edge.calendar, now)
    holder = told.clock.clock.owner_unit if told.clock else ""
    return TrackingOut(
        number=question.number, status=question.status, status_vi=told.title, sentence=told.sentence,
        subject=file.letter.subject, text=file.letter.text, received_at=question.received_at,
        counted_from=question.counted_from, holder=names.get(holder, holder),
        due_at=told.clock.clock.due_at if told.clock else None, working_days_left=told.left,
        deadlines=[clock_out(each, now) for each in file.clocks], history=happenings(told),
        answer=file.answer if question.released else None, refusal=refusal_out(file),
        published=question.published,
    )  # fmt: skip


def answer_out(row: dict[str, Any], url: str) -> AnswerOut:
    return AnswerOut(
        id=row["_id"], version=row["version"], subject=row["subject"], question=row["question"],
        answer=row["answer"], field=row["field"], field_vi=field_vi(row["field"]),
        published_at=row["published_at"], url=f"{url}/answers/{row['_id']}",
    )  # fmt: skip


async def letter_out(
    edge: Edge[Policy], file: File, kind: NoticeKind, codes: Codes, url: str
) -> dict[str, Any]:
    """What a letter of this kind says, and to whom. NotFound when the question gives no cause for it."""
    question, letter = file.question, file.letter
    if not letter.email:
        raise LetterErased
    triage = next(each for each in file.clocks if each.clock.duty == Duty.TRIAGE).clock
    words: dict[str, Any] = {
        "kind": kind, "email": letter.email, "name": letter.name, "number": question.number,
        "subject": letter.subject, "tracking_code": codes.tracking_code(question.id),
        "tracking_url": f"{url}/track", "received_at": question.received_at,
        "counted_from": question.counted_from, "triage_due": triage.due_at,
    }  # fmt: skip
    match kind:
        case NoticeKind.ACKNOWLEDGEMENT:
            return words | {"triage_explanation": triage.explanation_vi}
        case NoticeKind.REFUSAL if question.refusal:
            refusal = question.refusal
            return words | {
                "ground": refusal.ground, "ground_vi": GROUND_VI[refusal.ground],
                "explanation": file.explanation, "referral": refusal.referral, "agency": refusal.agency,
                "reference": refusal.reference, "transferred_on": refusal.transferred_on,
                "notice_due": refusal.notice_due, "ask_url": f"{url}/ask",
            }  # fmt: skip
        case NoticeKind.PROGRESS if question.progress:
            return words | {
                "words": file.progress, "promised_for": question.progress.promised_for,
                "round": question.rounds, "unit_name": await edge.directory.unit_name(question.unit),
            }  # fmt: skip
        case NoticeKind.ANSWER if question.released:
            unit_name = await edge.directory.unit_name(question.answered_unit)
            return words | {"answer": file.answer, "unit_name": unit_name, "answered_at": file.answered_at}
        case _:
            raise NotFound("Câu hỏi này không có thư loại ấy.")
