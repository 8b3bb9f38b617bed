"""Tiếp nhận, phân loại: receive, forward, refuse (Điều 11.1.a, hỏi đáp, gạch 1)."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.qa.domain.codes import number_of
from services.qa.domain.question import FieldRule, Question, permit
from services.qa.regulation import (
    TRIAGE_BASIS,
    UNIT_BASIS,
    UNIT_REPLY_DAYS,
    UNIT_REPLY_WARNING_DAYS,
    Duty,
    Policy,
    counted_receipt,
)
from shared.calendar import WorkingCalendar
from shared.contracts.base import Clock, Decision
from shared.contracts.clocks import clock_for
from shared.contracts.qa import (
    QuestionForwarded,
    QuestionReceived,
    QuestionRefused,
    Referral,
    RefusalGround,
)
from shared.workflow import Actor

OF_RECEIPT: Final = "ngày tiếp nhận câu hỏi"


class AgencyMissing(FieldRule):
    """Who asked out of scope must be told which agency is responsible (cơ quan có trách nhiệm)."""

    code = "agency_missing"
    title_vi, title_en = "Chưa nêu cơ quan có trách nhiệm", "The responsible agency is missing"


class TransferIncomplete(FieldRule):
    """A transfer by the centre carries its reference and its date (số, ngày công văn chuyển)."""

    code = "transfer_incomplete"
    title_vi, title_en = "Chưa nêu số và ngày văn bản chuyển", "The transfer lacks its reference or date"


class ReferralNotAllowed(FieldRule):
    """An unclear question is sent again by its asker; no agency is responsible for it."""

    code = "referral_not_allowed"
    title_vi, title_en = "Câu hỏi không rõ nghĩa thì không chuyển cơ quan khác", "Unclear, hence no referral"


@dataclass(frozen=True, slots=True)
class Letter:
    """What the asker wrote and who they are; it lies in the vault."""

    name: str
    email: str
    phone: str
    province: str
    subject: str
    text: str
    language: str = "vi"  # in which the letters to the asker are written


@dataclass(frozen=True, slots=True)
class ReceiveQuestion:
    """``same_letter`` is the keyed hash by which the same words from the same person are recognised."""

    same_letter: str
    letter: Letter
    channel: str = "portal"


@dataclass(frozen=True, slots=True)
class ForwardQuestion:
    question_id: UUID
    unit: str
    field: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RefuseQuestion:
    question_id: UUID
    ground: RefusalGround
    explanation: str
    referral: Referral | None = None
    agency: str = ""
    reference: str = ""
    transferred_on: date | None = None


def _looked_for(received_at: datetime, policy: Policy) -> datetime | None:
    """The receipt from which another calendar looks for the start again; by `finding` there is no need."""
    return received_at if policy.same_day_from == "receipt" else None


@lru_cache(64)  # asked for by the decision, and at once again by the receipt
def triage_clock(received_at: datetime, calendar: WorkingCalendar, policy: Policy) -> Clock:
    start = counted_receipt(received_at, calendar, policy)
    return clock_for(
        calendar.due(start, policy.triage_limit_days), calendar, duty=Duty.TRIAGE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit, reason=OF_RECEIPT, received_at=_looked_for(received_at, policy),
        warn_at=calendar.due(start, policy.triage_target_days).due_at,
    )  # fmt: skip


def unit_clock(
    received_at: datetime, unit: str, *, at: datetime, calendar: WorkingCalendar, policy: Policy
) -> Clock:
    delivered = policy.unit_reply_from == "delivery"
    start = at if delivered else counted_receipt(received_at, calendar, policy)
    return clock_for(
        calendar.due(start, UNIT_REPLY_DAYS), calendar, duty=Duty.UNIT_REPLY, basis=UNIT_BASIS,
        owner_unit=unit, reason="ngày chuyển câu hỏi đến đơn vị" if delivered else OF_RECEIPT,
        warn_at=calendar.due(start, UNIT_REPLY_WARNING_DAYS).due_at,
        received_at=None if delivered else _looked_for(received_at, policy),
    )  # fmt: skip


def same_day_clock(question: Question, *, at: datetime, calendar: WorkingCalendar, policy: Policy) -> Clock:
    of_receipt = policy.same_day_from == "receipt"
    start = counted_receipt(question.received_at, calendar, policy) if of_receipt else at
    return clock_for(
        calendar.same_day(start), calendar, duty=Duty.SAME_DAY_NOTICE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit,
        reason=OF_RECEIPT if of_receipt else "ngày xác định câu hỏi không thuộc diện trả lời",
        received_at=_looked_for(question.received_at, policy),
    )  # fmt: skip


def receive(
    question_id: UUID, cmd: ReceiveQuestion, letter_ref: str, letter_hash: str, *, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Tiếp nhận: received at any hour of any day, and never refused for the hour."""
    counted = calendar.day_of(counted_receipt(at, calendar, policy))
    return Question.starts_with(
        QuestionReceived(
            question_id=question_id, number=number_of(question_id, calendar.day_of(at)), channel=cmd.channel,
            letter_ref=letter_ref, letter_hash=letter_hash, received_at=at, counted_from=counted,
            opens=(triage_clock(at, calendar, policy),),
        )
    )  # fmt: skip


def forward(
    question: Question, cmd: ForwardQuestion, note_ref: str = "", note_hash: str = "", *, by: Actor,
    at: datetime, calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Chuyển đơn vị trả lời."""
    permit(question, "forward", by)
    clock = unit_clock(question.received_at, cmd.unit, at=at, calendar=calendar, policy=policy)
    return question.then(
        QuestionForwarded(
            question_id=question.id, unit=cmd.unit, field=cmd.field, note_ref=note_ref, note_hash=note_hash,
            opens=(clock,), closes=question.running(Duty.TRIAGE),
        )
    )  # fmt: skip


def refuse(
    question: Question, cmd: RefuseQuestion, explanation_ref: str, explanation_hash: str, *, by: Actor,
    at: datetime, calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Từ chối; the asker is told the same day why, and where the question belongs or what is missing."""
    permit(question, "refuse", by)
    check_referral(cmd)
    clock = same_day_clock(question, at=at, calendar=calendar, policy=policy)
    return question.then(
        QuestionRefused(
            question_id=question.id, ground=cmd.ground, explanation_ref=explanation_ref,
            explanation_hash=explanation_hash, referral=cmd.referral, agency=cmd.agency,
            reference=cmd.reference, transferred_on=cmd.transferred_on,
            notice_due=calendar.day_of(clock.started_at),
            opens=(clock,), closes=question.running(Duty.TRIAGE),
        )
    )  # fmt: skip


def check_referral(cmd: RefuseQuestion) -> None:
    if cmd.ground is RefusalGround.UNCLEAR:
        if cmd.referral is not None or cmd.agency:
            raise ReferralNotAllowed("referral", "Hãy nêu nội dung còn thiếu để người hỏi gửi lại.")
        return
    if cmd.referral is None or not cmd.agency.strip():
        raise AgencyMissing("agency", "Câu hỏi ngoài phạm vi phải nêu cơ quan có trách nhiệm.")
    transferred = cmd.referral is Referral.TRANSFERRED_BY_CENTRE
    if transferred and (not cmd.reference.strip() or cmd.transferred_on is None):
        raise TransferIncomplete("reference", "Trung tâm chuyển thì nêu số và ngày văn bản chuyển.")
