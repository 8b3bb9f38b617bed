"""Phân loại: forward, refuse, merge, set aside, split; and what a unit gives back (Điều 11.1.a, hỏi đáp,
gạch 1)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.qa.domain.clocks import found_clock, handed_over, same_day_clock, unit_clock
from services.qa.domain.permits import FieldRule, permit
from services.qa.domain.question import Question
from services.qa.regulation import REPLYING, WRITING, Duty, Policy, Status
from shared.calendar import WorkingCalendar
from shared.contracts.base import Decision
from shared.contracts.qa import (
    Finding,
    Outcome,
    Part,
    QuestionClosed,
    QuestionForwarded,
    QuestionRefused,
    QuestionRestored,
    QuestionReturned,
    QuestionSetAside,
    QuestionSplit,
    Referral,
    RefusalGround,
    SetAsideConfirmed,
    Suspicion,
)
from shared.workflow import Actor


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


class AlreadyWithUnit(FieldRule):
    code = "already_with_unit"
    title_vi, title_en = "Đơn vị này đang giữ câu hỏi", "The unit holds the question already"


class PartsMissing(FieldRule):
    code = "parts_missing"
    title_vi, title_en = "Tách thì phải có ít nhất hai phần", "A split needs at least two parts"


@dataclass(frozen=True, slots=True)
class ForwardQuestion:
    question_id: UUID
    unit: str
    field: str
    note: str = ""
    asked_unit: str = ""  # which was named, and has been merged into ``unit``


@dataclass(frozen=True, slots=True)
class RefuseQuestion:
    question_id: UUID
    ground: RefusalGround
    explanation: str
    referral: Referral | None = None
    agency: str = ""
    reference: str = ""
    transferred_on: date | None = None


@dataclass(frozen=True, slots=True)
class SetAsideQuestion:
    question_id: UUID
    suspicion: Suspicion
    words: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmSetAside:
    question_id: UUID
    suspicion: Suspicion


@dataclass(frozen=True, slots=True)
class RestoreQuestion:
    question_id: UUID


@dataclass(frozen=True, slots=True)
class PartWords:
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class SplitQuestion:
    question_id: UUID
    parts: tuple[PartWords, ...]


@dataclass(frozen=True, slots=True)
class GiveBackQuestion:
    question_id: UUID
    finding: Finding
    words: str


def forward(
    question: Question, cmd: ForwardQuestion, note_ref: str = "", note_hash: str = "", *, by: Actor,
    at: datetime, calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Chuyển đơn vị trả lời. The first unit has seven working days; the next takes over what is left."""
    permit(question, "forward", by)
    if question.status is Status.FORWARDED and cmd.unit == question.unit:
        raise AlreadyWithUnit("unit", "Câu hỏi đang ở đơn vị này.")
    if question.unit:
        opens, voids = handed_over(question, WRITING, cmd.unit)
        own = [
            name for name in question.of(Duty.CONSULTATION) if question.clocks[name].owner_unit == cmd.unit
        ]
        # Who writes the answer advises nobody; and nothing was found after all.
        voids = (*voids, *own, *question.of(Duty.SAME_DAY_NOTICE))
    else:
        opens, voids = (unit_clock(question, cmd.unit, at=at, calendar=calendar, policy=policy),), ()
    return question.then(
        QuestionForwarded(
            question_id=question.id, unit=cmd.unit, asked_unit=cmd.asked_unit, field=cmd.field,
            note_ref=note_ref, note_hash=note_hash,
            opens=opens, closes=question.of(Duty.TRIAGE), voids=voids,
        )
    )  # fmt: skip


def refuse(
    question: Question, cmd: RefuseQuestion, explanation_ref: str, explanation_hash: str, *, by: Actor,
    at: datetime, calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Từ chối; the asker is told the same day why, and where the question belongs or what is missing."""
    permit(question, "refuse", by)
    check_referral(cmd, calendar.day_of(at))
    known = question.of(Duty.SAME_DAY_NOTICE)  # it runs since the unit found the same
    opens = () if known else (same_day_clock(question, at=at, calendar=calendar, policy=policy),)
    clock = opens[0] if opens else question.clocks[known[0]]
    return question.then(
        QuestionRefused(
            question_id=question.id, ground=cmd.ground, explanation_ref=explanation_ref,
            explanation_hash=explanation_hash, referral=cmd.referral, agency=cmd.agency,
            reference=cmd.reference, transferred_on=cmd.transferred_on,
            notice_due=calendar.day_of(clock.started_at), late_triage=bool(question.unit),
            opens=opens, closes=question.of(Duty.TRIAGE), voids=question.of(*REPLYING),
        )
    )  # fmt: skip


def check_referral(cmd: RefuseQuestion, today: date) -> None:
    if cmd.ground is RefusalGround.UNCLEAR:
        if cmd.referral is not None or cmd.agency:
            raise ReferralNotAllowed("referral", "Hãy nêu nội dung còn thiếu để người hỏi gửi lại.")
        return
    if cmd.referral is None or not cmd.agency.strip():
        raise AgencyMissing("agency", "Câu hỏi ngoài phạm vi phải nêu cơ quan có trách nhiệm.")
    transferred = cmd.referral is Referral.TRANSFERRED_BY_CENTRE
    if transferred and (not cmd.reference.strip() or cmd.transferred_on is None):
        raise TransferIncomplete("reference", "Trung tâm chuyển thì nêu số và ngày văn bản chuyển.")
    if cmd.transferred_on is not None and cmd.transferred_on > today:
        raise TransferIncomplete("transferred_on", "Ngày chuyển chưa tới; chuyển rồi mới báo là đã chuyển.")


def give_back(
    question: Question, cmd: GiveBackQuestion, words_ref: str, words_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Đơn vị trả lại. What it finds out of scope or unclear is told today; the centre holds the time left."""
    permit(question, "give_back", by)
    opens, voids = handed_over(question, WRITING, policy.centre_unit)
    told_today = cmd.finding is not Finding.OTHER_UNIT
    if told_today:
        opens = (*opens, found_clock(question, at=at, calendar=calendar, policy=policy))
    return question.then(
        QuestionReturned(
            question_id=question.id,
            unit=question.unit,
            finding=cmd.finding,
            words_ref=words_ref,
            words_hash=words_hash,
            late_triage=told_today,
            opens=opens,
            voids=voids,
        )
    )


def set_aside(
    question: Question, cmd: SetAsideQuestion, words_ref: str = "", words_hash: str = "", *, by: Actor
) -> Decision[Question]:
    """Gạt ra vì nghi thư rác. Its clock runs on until a second person has looked at it."""
    permit(question, "set_aside", by)
    return question.then(
        QuestionSetAside(
            question_id=question.id,
            suspicion=cmd.suspicion,
            set_aside_by=by.subject,
            words_ref=words_ref,
            words_hash=words_hash,
        )
    )


def confirm_set_aside(question: Question, cmd: ConfirmSetAside, *, by: Actor) -> Decision[Question]:
    permit(question, "confirm_set_aside", by)
    return question.then(
        SetAsideConfirmed(
            question_id=question.id, suspicion=cmd.suspicion, voids=tuple(question.clocks)
        ),
        QuestionClosed(question_id=question.id, outcome=Outcome.SET_ASIDE, part_of=question.part_of),
    )  # fmt: skip


def restore(question: Question, *, by: Actor) -> Decision[Question]:
    permit(question, "restore", by)
    return question.then(QuestionRestored(question_id=question.id))


def split(question: Question, parts: tuple[Part, ...], *, by: Actor) -> Decision[Question]:
    """Tách: each part is sorted by itself, by the day by which the whole was to be."""
    permit(question, "split", by)
    if len(parts) < 2:
        raise PartsMissing("parts")
    return question.then(QuestionSplit(question_id=question.id, parts=parts, voids=question.of(Duty.TRIAGE)))
