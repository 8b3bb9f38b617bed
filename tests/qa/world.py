"""What qa's tests share: people, words, a desk in memory with a clock of its own."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.qa import domain, handlers
from services.qa.domain import Letter, Question
from services.qa.domain.codes import Codes, question_id_of
from services.qa.regulation import Policy
from shared.calendar import CALENDAR
from shared.contracts.base import Clock, Event
from shared.contracts.qa import NoticeKind, Referral, RefusalGround
from shared.desk import Desk
from shared.testing import MemoryJournal, MemoryVault, local
from shared.workflow import Actor

NOW = local("2026-11-23T09:00")  # Monday; Tuesday 24 November 2026 is a holiday
HA = Actor("u-ha", "Trần Thu Hà", "tt-cskh", frozenset({"triage", "publisher"}))
KHOI = Actor("u-khoi", "Phạm Minh Khôi", "tt-cskh", frozenset({"publisher"}))
TUAN = Actor("u-tuan", "Hoàng Anh Tuấn", "bhxh-ha-noi", frozenset({"answerer"}))
DUC = Actor("u-duc", "Bùi Văn Đức", "ban-chinh-sach", frozenset({"answerer"}))
NGA = Actor("u-nga", "Võ Thanh Nga", "bhxh-can-tho", frozenset({"answerer", "unit_head"}))
THAO = Actor("u-thao", "Ngô Phương Thảo", "ban-bien-tap", frozenset({"auditor"}))
OANH = Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"}))
ASKER = Actor("anonymous", "Khách")

CODES = Codes("0123456789abcdef0123456789abcdef")
LETTER = Letter(
    "Nguyễn Thị Hoa", "hoa@hopthu.example.vn", "0900 000 101", "Hà Nội",
    "Điều kiện rút BHXH một lần khi đã nghỉ việc 14 tháng", "Tôi nghỉ việc 14 tháng. Có được rút không?",
)  # fmt: skip


def received(at: str = "2026-11-23T09:00", policy: Policy | None = None) -> Question:
    """A question that has just arrived."""
    day = CALENDAR.day_of(local(at))
    cmd = domain.ReceiveQuestion("same", LETTER)
    question, _ = domain.receive(
        question_id_of("same", day), cmd, "ref", "hash", at=local(at), calendar=CALENDAR,
        policy=policy or Policy(),
    )  # fmt: skip
    return question


class Rules:
    """Decisions with the calendar and a policy at hand; each gives the state after and what happened."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()

    def _facts(self, by: Actor, at: str) -> dict[str, Any]:
        return {"by": by, "at": local(at), "calendar": CALENDAR, "policy": self.policy}

    def forward(self, question: Question, at: str = "2026-11-23T10:00", *, by: Actor = HA) -> Any:
        cmd = domain.ForwardQuestion(question.id, TUAN.unit, "bhxh-mot-lan")
        return domain.forward(question, cmd, **self._facts(by, at))

    def refuse(
        self, question: Question, at: str = "2026-11-23T10:00", *, by: Actor = HA, **changes: Any
    ) -> Any:
        facts = {
            "ground": RefusalGround.OUT_OF_SCOPE, "explanation": "Thuộc cơ quan khác.",
            "referral": Referral.ADVISED_ASKER, "agency": "Ủy ban nhân dân cấp xã",
        } | changes  # fmt: skip
        cmd = domain.RefuseQuestion(question.id, **facts)
        return domain.refuse(question, cmd, "ref", "hash", **self._facts(by, at))

    def progress(
        self, question: Question, promised_for: date | None, at: str = "2026-11-27T15:00", *, by: Actor = TUAN
    ) -> Any:
        cmd = domain.ReportProgress(question.id, "Đang đối chiếu.", promised_for)
        return domain.progress(question, cmd, "ref", "hash", **self._facts(by, at))

    def answer(self, question: Question, at: str = "2026-11-27T15:00", *, by: Actor = TUAN) -> Any:
        cmd = domain.AnswerQuestion(question.id, "Được.")
        return domain.answer(question, cmd, "ref", "hash", **self._facts(by, at))

    def told(self, question: Question, kind: NoticeKind, at: str = "2026-11-27T16:00") -> Any:
        notice = domain.RecordNotice(question.id, kind, uuid4(), "<m@x>", local(at))
        return domain.record_notice(question, notice)

    def publish(self, question: Question, *, by: Actor = KHOI) -> Any:
        cmd = domain.PublishAnswer(question.id, "Rút một lần", "Rút được không?", "Được.")
        return domain.publish(question, cmd, "public", "hash", by=by, left={})


def clocks(events: tuple[Event, ...]) -> dict[str, Clock]:
    return {clock.name: clock for event in events for clock in getattr(event, "opens", ())}


def closed(events: tuple[Event, ...]) -> set[str]:
    return {name for event in events for name in getattr(event, "closes", ())}


def last_day(clock: Clock) -> str:
    return CALENDAR.day_of(clock.due_at - timedelta(microseconds=1)).isoformat()


def names(events: tuple[Event, ...] | list[Event]) -> list[str]:
    return [event.name.rpartition(".")[2] for event in events]


class Office:
    """Handlers on a journal and a vault in memory; time goes on by a second an act."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.journal, self.vault = MemoryJournal(), MemoryVault()
        self.now, self.policy = NOW, policy or Policy()

    def desk(self, by: Actor = HA, *, at: datetime | None = None, **facts: Any) -> Any:
        self.now = at or self.now + timedelta(seconds=1)
        facts = {"once": f"{by.subject}:{uuid4().hex}"} | facts
        return Desk(
            self.journal,
            self.vault,
            CALENDAR,
            self.policy,
            {"question": Question},
            "qa",
            by,
            self.now,
            **facts,
        )

    async def receive(self, letter: Letter = LETTER, **facts: Any) -> Question:
        mark = CODES.same_letter(letter.email, letter.subject, letter.text)
        desk = self.desk(ASKER, **facts)
        question: Question = await desk.run(handlers.receive_question, domain.ReceiveQuestion(mark, letter))
        return question

    async def answered(self) -> Question:
        question = await self.receive()
        await handlers.forward_question(
            domain.ForwardQuestion(question.id, TUAN.unit, "bhxh-mot-lan", "Ghi chú"), self.desk()
        )
        return await handlers.answer_question(domain.AnswerQuestion(question.id, "Được."), self.desk(TUAN))

    def events(self, id: UUID) -> list[Event]:
        stream = Question.stream_of(id)
        return [r.event for c in self.journal.commits if c.stream == stream for r in c.recorded("qa")]


def question_in(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Nguyễn Thị Hoa", "email": f"hoa-{uuid4().hex[:8]}@hopthu.example.vn",
        "phone": "0900 000 101", "province": "Hà Nội", "subject": "Điều kiện rút BHXH một lần",
        "consent": True,
        "text": "Tôi là Nguyễn Thị Hoa, sổ 0100000001. Nghỉ việc 14 tháng, có được rút một lần không?",
    } | changes  # fmt: skip
