"""How a question is told to its asker: the receipt, the tracking page, and the words of a letter."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.qa.domain import Question
from services.qa.domain.clocks import triage_clock
from services.qa.domain.codes import Codes
from services.qa.domain.question import promise_name
from services.qa.queries.file import File
from services.qa.queries.history import GROUND_VI
from services.qa.queries.tracking import tracked
from services.qa.regulation import Duty, Policy, Status
from services.qa.views import (
    ClockOut,
    HappeningOut,
    RefusalOut,
    clock_out,
    happenings,
    refusal_out,
    unit_names,
)
from shared.contracts.qa import NoticeKind
from shared.errors import NotFound, PortalError
from shared.web.edge import Edge


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


def receipt(question: Question, version: int, edge: Edge[Policy], codes: Codes) -> ReceiptOut:
    triage = triage_clock(question.received_at, edge.calendar, edge.policy)
    return ReceiptOut(
        id=question.id, number=question.number, tracking_code=codes.tracking_code(question.id),
        received_at=question.received_at, counted_from=question.counted_from, triage_due=triage.due_at,
        triage_due_vi=triage.explanation_vi, version=version,
    )  # fmt: skip


async def tracking_out(edge: Edge[Policy], file: File, now: datetime) -> TrackingOut:
    question = file.question
    names = await unit_names(edge.directory)
    told = tracked(file, names, edge.calendars, now)
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


async def letter_out(
    edge: Edge[Policy], file: File, kind: NoticeKind, round: int, *, codes: Codes, url: str
) -> dict[str, Any]:
    """What a letter of this kind says, and to whom; of several progress notices, the one of this round.
    NotFound when the question gives no cause for it."""
    question, letter = file.question, file.letter
    report = file.report(round)
    if not letter.email:
        raise LetterErased
    triage = next(each for each in file.clocks if each.clock.duty == Duty.TRIAGE).clock
    words: dict[str, Any] = {
        "kind": kind, "email": letter.email, "name": letter.name, "number": question.number,
        "subject": letter.subject, "tracking_code": codes.tracking_code(question.id),
        "tracking_url": f"{url}/track", "received_at": question.received_at,
        "counted_from": question.counted_from, "triage_due": triage.due_at, "language": letter.language,
    }  # fmt: skip
    match kind:
        case NoticeKind.ACKNOWLEDGEMENT:
            return words | {
                "triage_explanation": triage.explanation_vi, "triage_provisional": triage.provisional,
            }  # fmt: skip
        case NoticeKind.REFUSAL if question.refusal:
            refusal = question.refusal
            return words | {
                "ground": refusal.ground, "ground_vi": GROUND_VI[refusal.ground],
                "explanation": file.explanation, "referral": refusal.referral, "agency": refusal.agency,
                "reference": refusal.reference, "transferred_on": refusal.transferred_on,
                "notice_due": file.notice_due,
                "notice_provisional": _provisional(file, Duty.SAME_DAY_NOTICE), "ask_url": f"{url}/ask",
            }  # fmt: skip
        case NoticeKind.PROGRESS if report:
            return words | {
                "words": file.words.get(report.words_ref, ""), "promised_for": report.promised_for,
                "promised_provisional": _provisional(file, promise_name(report.round)),
                "round": report.round, "unit_name": await edge.directory.unit_name(question.unit),
            }  # fmt: skip
        case NoticeKind.ANSWER if question.released:
            unit_name = await edge.directory.unit_name(question.answered_unit)
            return words | {"answer": file.answer, "unit_name": unit_name, "answered_at": file.answered_at}
        case _:
            raise NotFound("Câu hỏi này không có thư loại ấy.")


def _provisional(file: File, called: str) -> bool:
    """Whether the clock of this name or duty leans on a year without its official decision (tạm tính)."""
    return any(each.clock.provisional for each in file.clocks if called in (each.clock.name, each.clock.duty))
