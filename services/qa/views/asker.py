"""How a question is told to its asker: the receipt, the tracking page, and the words of a letter."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from services.qa import domain
from services.qa.asking import parts_of
from services.qa.asking.acts import ASKER_ACTS
from services.qa.domain import Question
from services.qa.domain.clocks import triage_clock
from services.qa.domain.codes import Codes
from services.qa.domain.question import promise_name
from services.qa.files.attachments import FileOut, attachments
from services.qa.queries.file import File
from services.qa.queries.history import GROUND_VI
from services.qa.queries.tracking import Tracking, may, tracked
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
from shared.contracts.qa import NoticeKind, QuestionMerged, QuestionRefused
from shared.errors import NotFound, PortalError
from shared.web.edge import Edge

OF_PARTS: Final = frozenset(each.act for each in ASKER_ACTS.values() if each.of_parts)


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


class ToldOut(BaseModel):
    """Where a question, or one part of it, stands; ``acts`` names what its asker may do now."""

    number: str
    subject: str
    text: str
    status: Status
    status_vi: str
    status_en: str
    sentence: str
    sentence_en: str
    holder: str
    due_at: datetime | None
    working_days_left: int | None
    answer: str | None
    correction: int
    corrected_at: datetime | None
    correction_reason: str
    refusal: RefusalOut | None
    rating: int
    acts: list[str]
    history: list[HappeningOut]


class PartOut(ToldOut):
    """One matter of a question that was split, with its own clock."""

    id: UUID


class TrackingOut(ToldOut):
    """``onward`` is the number of the question that goes on from this one."""

    received_at: datetime
    counted_from: date
    deadlines: list[ClockOut]
    published: bool
    parts: list[PartOut]
    follow_up_until: date | None
    onward: str
    files: list[FileOut]


def receipt(question: Question, version: int, edge: Edge[Policy], codes: Codes) -> ReceiptOut:
    triage = triage_clock(question.received_at, edge.calendar, edge.policy)
    return ReceiptOut(
        id=question.id, number=question.number, tracking_code=codes.tracking_code(question.id),
        received_at=question.received_at, counted_from=question.counted_from, triage_due=triage.due_at,
        triage_due_vi=triage.explanation_vi, version=version,
    )  # fmt: skip


async def tracking_out(edge: Edge[Policy], file: File, now: datetime) -> TrackingOut:
    question, names = file.question, await unit_names(edge.directory)
    told, common = _told(edge, file, names, now)
    parts = []
    for part in await parts_of(edge, file):
        _, of_part = _told(edge, part, names, now)
        of_part["acts"] = [act for act in of_part["acts"] if act in OF_PARTS]
        parts.append(PartOut(id=part.question.id, **of_part))
    return TrackingOut(
        received_at=question.received_at, counted_from=question.counted_from,
        deadlines=[clock_out(each, now) for each in file.clocks],
        published=question.published, parts=parts,
        follow_up_until=domain.follow_up_until(question, edge.policy),
        onward=told.onward.number if told.onward else "",
        files=[each.out() for each in attachments(file, edge.policy)], **common,
    )  # fmt: skip


def _told(
    edge: Edge[Policy], file: File, names: dict[str, str], now: datetime
) -> tuple[Tracking, dict[str, Any]]:
    """In both languages."""
    told = tracked(file, names, edge.calendars, now)
    with edge.look.speaking("en"):
        english = tracked(file, names, edge.calendars, now)
    for line, line_en in zip(told.history, english.history, strict=True):
        line |= {"title_en": line_en["title"], "text_en": line_en["text"]}
    holder, answer = told.clock.clock.owner_unit if told.clock else "", told.answer
    return told, {
        "number": file.question.number, "subject": file.letter.subject, "text": file.letter.text,
        "status": file.question.status, "status_vi": told.title, "status_en": english.title,
        "sentence": told.sentence, "sentence_en": english.sentence, "holder": names.get(holder, holder),
        "due_at": told.clock.clock.due_at if told.clock else None, "working_days_left": told.left,
        "answer": answer.text if answer else None, "correction": answer.correction if answer else 0,
        "corrected_at": answer.corrected_at if answer else None,
        "correction_reason": answer.reason if answer else "", "refusal": refusal_out(file),
        "rating": file.question.rating, "acts": may(file, edge.policy, now),
        "history": happenings(told),
    }  # fmt: skip


async def letter_out(
    edge: Edge[Policy], file: File, kind: NoticeKind, round: int, *, codes: Codes, url: str,
    reply_to: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What a letter of this kind says, and to whom; of several of a kind, the one of this round, whatever has
    happened since. NotFound when the question gives no cause for it."""
    question, letter = file.question, file.letter
    if not letter.email:
        raise LetterErased
    triage = next(each for each in file.clocks if each.clock.duty == Duty.TRIAGE).clock
    words: dict[str, Any] = {
        "kind": kind, "email": letter.email, "name": letter.name, "number": question.number,
        "subject": letter.subject, "tracking_code": codes.tracking_code(question.part_of or question.id),
        "tracking_url": f"{url}/track", "received_at": question.received_at,
        "counted_from": question.counted_from, "triage_due": triage.due_at, "language": letter.language,
        "reply_to": reply_to, **await _part(edge, question),
    }  # fmt: skip
    match kind:
        case NoticeKind.ACKNOWLEDGEMENT if question.part_of is None:
            return words | {
                "triage_explanation": triage.explanation_vi, "triage_provisional": triage.provisional,
            }  # fmt: skip
        case NoticeKind.REFUSAL if refusal := file.nth(QuestionRefused, round):
            newest = refusal == question.refusal  # its day is the one that the calendar counts now
            return words | {
                "ground": refusal.ground, "ground_vi": GROUND_VI[refusal.ground],
                "explanation": file.words.get(refusal.explanation_ref, ""), "referral": refusal.referral,
                "agency": refusal.agency, "reference": refusal.reference,
                "transferred_on": refusal.transferred_on,
                "notice_due": file.notice_due if newest else refusal.notice_due,
                "notice_provisional": _provisional(file, Duty.SAME_DAY_NOTICE), "ask_url": f"{url}/ask",
            }  # fmt: skip
        case NoticeKind.PROGRESS if report := file.report(round):
            return words | {
                "words": file.words.get(report.words_ref, ""), "promised_for": report.promised_for,
                "promised_provisional": _provisional(file, promise_name(report.round)),
                "round": report.round, "unit_name": await edge.directory.unit_name(file.held_by(report)),
            }  # fmt: skip
        case NoticeKind.ANSWER if given := file.released(round):
            unit_name = await edge.directory.unit_name(given.event.unit)
            answer = file.words.get(given.event.answer_ref, "")
            return words | {"answer": answer, "unit_name": unit_name, "answered_at": given.at}
        case NoticeKind.CORRECTION if corrected := file.corrected(round):
            return words | {
                "answer": file.words.get(corrected.event.answer_ref, ""),
                "reason": file.words.get(corrected.event.reason_ref, ""), "round": round,
                "unit_name": await edge.directory.unit_name(corrected.event.unit),
                "answered_at": corrected.at,
            }  # fmt: skip
        case NoticeKind.MERGED if merged := file.nth(QuestionMerged, round):
            return words | {"into_number": merged.into_number}
        case _:
            raise NotFound("Câu hỏi này không có thư loại ấy.")


async def _part(edge: Edge[Policy], question: Question) -> dict[str, Any]:
    """Of a part of a split question: which one, and the number by which its asker knows the whole."""
    if question.part_of is None:
        return {}
    whole = await edge.desk().load(Question, question.part_of)
    parts = list(whole.parts)
    return {"part": parts.index(question.id) + 1, "parts": len(parts), "whole_number": whole.number}


def _provisional(file: File, called: str) -> bool:
    """Whether the clock of this name or duty leans on a year without its official decision (tạm tính)."""
    return any(each.clock.provisional for each in file.clocks if called in (each.clock.name, each.clock.duty))
