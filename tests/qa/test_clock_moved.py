"""Lịch làm việc thay đổi: a question's running terms follow the register: page, queues, record."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.handlers import heard as handlers_heard
from services.qa.queries.file import File, file_of
from services.qa.queries.read_models import QUESTIONS, projections
from services.qa.queries.tracking import tracked
from services.qa.regulation import Policy
from services.qa.views.asker import letter_out
from shared.calendar import WorkingCalendar
from shared.calendars import Calendars
from shared.contracts.base import Recorded
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.qa import NoticeKind, QuestionClockMoved, RefusalGround
from shared.testing import local
from tests.moves import AT, NEITHER, OFF_27, WORKED_28, moved
from tests.notifier.calendars import DECISION, calendar_with, day
from tests.qa.world import CODES, HA, TUAN, Office, Rules, clocks, last_day, names, received

RULES = Rules()
UNITS = {TUAN.unit: "BHXH thành phố Hà Nội"}
SATURDAY = "2026-11-28T10:00"


def told(question: Question, name: str, calendar: WorkingCalendar = OFF_27) -> DeadlineMoved:
    return moved(Question.stream_of(question.id), question.clocks[name], calendar, source="qa").event


def move(question: Question, name: str, calendar: WorkingCalendar = OFF_27) -> tuple[Question, Any]:
    return domain.move_clock(question, told(question, name, calendar))


class TestWhatAQuestionPutsOnRecord:
    def test_a_running_term_is_the_one_that_the_register_counts(self) -> None:
        question = received()
        after, events = move(question, "triage")
        (event,) = events
        assert (event.clock, event.document) == (after.clocks["triage"], DECISION)
        assert (last_day(question.clocks["triage"]), last_day(event.clock)) == ("2026-12-01", "2026-12-02")
        assert event.from_due_at == question.clocks["triage"].due_at
        assert not {"opens", "closes", "voids"} & set(QuestionClockMoved.model_fields)

    def test_a_term_that_has_ended_stays_as_it_was_judged(self) -> None:
        question = received()
        late = told(question, "triage")
        assert domain.move_clock(RULES.forward(question)[0], late)[1] == ()

    def test_a_term_that_nobody_opened_is_none_of_the_questions(self) -> None:
        question = received()
        move = told(question, "triage")
        strange = move.model_copy(update={"clock": move.clock.model_copy(update={"name": "unit_reply"})})
        assert domain.move_clock(question, strange)[1] == ()

    @pytest.mark.parametrize("later", [OFF_27, WORKED_28])
    def test_no_older_calendar_and_not_the_same_undoes_a_newer_one(self, later: WorkingCalendar) -> None:
        question = received()
        after, _ = move(question, "triage", later)
        assert domain.move_clock(after, told(question, "triage", OFF_27))[1] == ()

    def test_the_next_move_says_what_it_was_before_that(self) -> None:
        once, (first,) = move(received(), "triage")
        _, (second,) = move(once, "triage", NEITHER)
        assert (second.from_due_at, last_day(second.clock)) == (first.clock.due_at, "2026-12-01")

    @pytest.mark.parametrize(
        ("until", "name", "leads"),
        [
            pytest.param(lambda q: q, "triage", True, id="triage"),
            pytest.param(lambda q: _promised(q, 2), "promised_reply:2", True, id="the newest promise"),
            pytest.param(lambda q: _promised(q, 2), "promised_reply:1", False, id="an older promise"),
            pytest.param(lambda q: RULES.answer(_forwarded(q))[0], "send_answer", True, id="sending"),
            pytest.param(lambda q: RULES.answer(_forwarded(q))[0], "publish_answer", False, id="publishing"),
            pytest.param(
                lambda q: _sent(_forwarded(q)), "publish_answer", True, id="publishing what has been sent"
            ),
        ],
    )
    def test_it_says_whether_the_queues_go_by_that_term(self, until: Any, name: str, leads: bool) -> None:
        question = until(received())
        (event,) = move(question, name, calendar_with(day("2026-12-01")))[1]
        assert event.leads is leads


def _forwarded(question: Question) -> Question:
    return RULES.forward(question)[0]  # type: ignore[no-any-return]


def _promised(question: Question, rounds: int) -> Question:
    question = _forwarded(question)
    for _ in range(rounds):
        question, _events = RULES.progress(question, date(2026, 12, 1))
    return question


def _sent(question: Question) -> Question:
    return RULES.told(RULES.answer(question)[0], NoticeKind.ANSWER)[0]  # type: ignore[no-any-return]


class TestReceivedOnADayThatBecomesAnother:
    """«ngay trong ngày» of the receipt: the day that counts as that of receipt is looked for again."""

    def test_received_on_a_saturday_that_is_worked_it_counts_from_that_saturday(self) -> None:
        question = received(SATURDAY)
        assert question.counted_from == date(2026, 11, 30)
        after, (event,) = move(question, "triage", WORKED_28)
        assert (after.counted_from, last_day(event.clock)) == (date(2026, 11, 28), "2026-12-04")
        assert event.clock.start_reason == "ngày tiếp nhận câu hỏi"

    def test_received_on_a_friday_that_is_off_it_counts_from_monday(self) -> None:
        question = received("2026-11-27T10:00")
        after, (event,) = move(question, "triage", OFF_27)
        assert (after.counted_from, last_day(event.clock)) == (date(2026, 11, 30), "2026-12-07")
        assert event.clock.start_reason == "ngày tiếp nhận câu hỏi (đến vào ngày nghỉ 27/11/2026)"

    def test_the_notice_of_a_refusal_is_due_that_very_day(self) -> None:
        refused, _ = RULES.refuse(received(SATURDAY), SATURDAY)
        (event,) = move(refused, "same_day_notice", WORKED_28)[1]
        assert last_day(event.clock) == "2026-11-28"

    @pytest.mark.parametrize(
        ("policy", "looked_for"),
        [
            pytest.param(Policy(), {"triage"}, id="the unit's term begins when it is delivered"),
            pytest.param(Policy(unit_reply_from="receipt"), {"triage", "unit_reply"}, id="or by receipt"),
            pytest.param(Policy(same_day_from="finding"), set(), id="what is found is found that day"),
        ],
    )
    def test_only_a_term_that_begins_with_the_receipt_is_looked_for(
        self, policy: Policy, looked_for: set[str]
    ) -> None:
        rules, question = Rules(policy), received(SATURDAY, policy)
        opened = question.clocks | clocks(rules.forward(question, "2026-11-30T09:00")[1])
        assert {name for name, clock in opened.items() if clock.received_at} == looked_for


async def hears(office: Office, recorded: Recorded[DeadlineMoved]) -> None:
    desk = office.desk(at=AT, once=recorded.id, causation=recorded.id)
    await handlers_heard.on_deadline_moved(recorded, desk)


async def file(office: Office, question: Question) -> File:
    return await file_of(office.journal, office.vault, "qa", question.id)


async def row(office: Office, question: Question) -> dict[str, Any]:
    """The question's row in the queues, built from zero; each step of the way comes to the same."""
    (shown,) = [each for each in projections(CODES) if each.collection == QUESTIONS]
    commits = await office.journal.read(Question.stream_of(question.id))
    stepped: dict[str, Any] = {}
    for commit in commits:
        for update in await shown.updates(commit, "qa", office.vault):
            stepped |= update._doc.get("$set", {}) | update._doc.get("$setOnInsert", {})
    whole = await shown.fold(commits, "qa", office.vault)
    assert {name: whole[name] for name in stepped if "." not in name} == {
        name: value for name, value in stepped.items() if "." not in name
    }
    return whole


class TestHearing:
    async def test_it_is_on_record_once(self) -> None:
        office = Office()
        question = await office.receive()
        heard = moved(Question.stream_of(question.id), question.clocks["triage"], source="qa")
        await hears(office, heard)
        await hears(office, heard)
        assert names(office.events(question.id)) == ["received", "clock_moved"]

    async def test_other_services_terms_and_unknown_questions_are_none_of_ours(self) -> None:
        office = Office()
        question = await office.receive()
        clock = question.clocks["triage"]
        await hears(office, moved(f"submission-{question.id}", clock, source="content"))
        await hears(office, moved(f"question-{uuid4()}", clock, source="qa"))
        assert len(office.journal.commits) == 1

    async def test_what_was_moved_is_judged_by_the_new_date(self) -> None:
        office = Office()
        question = await office.receive()
        await hears(office, moved(Question.stream_of(question.id), question.clocks["triage"], source="qa"))
        (running,) = (await file(office, question)).clocks
        assert running.state(local("2026-12-02T12:00")) == "open"
        assert running.state(local("2026-12-03T00:00")) == "overdue"


class TestWhatIsShown:
    @pytest.fixture
    async def shown(self) -> tuple[Office, Question]:
        office = Office()
        question = await office.receive()
        heard = moved(Question.stream_of(question.id), question.clocks["triage"], source="qa")
        await hears(office, heard)
        return office, question

    async def test_the_asker_reads_the_new_date_why_and_which_days_count(
        self, shown: tuple[Office, Question]
    ) -> None:
        calendars = Calendars()
        calendars.take(OFF_27.data)
        seen = tracked(await file(*shown), UNITS, calendars, AT)
        assert seen.sentence.endswith("chậm nhất hết thứ Tư 02/12/2026.")
        assert seen.clock is not None
        assert "27/11 nghỉ Nghỉ đột xuất" in seen.clock.clock.explanation_vi
        assert [d["date"] for d in seen.days if d["due"]] == [date(2026, 12, 2)]
        line = seen.history[0]
        assert (line["title"], line["text"]) == (
            "Lịch làm việc thay đổi",
            f"Hạn phân loại chuyển từ hết ngày 01/12/2026 sang hết ngày 02/12/2026, theo {DECISION}.",
        )
        assert line["text_en"] == f"The due date moved from 01/12/2026 to 02/12/2026, by {DECISION}."

    async def test_the_queues_sort_and_filter_by_it(self, shown: tuple[Office, Question]) -> None:
        seen, clock = await row(*shown), (await file(*shown)).clocks[0].clock
        assert (seen["due_at"], seen["warn_at"], seen["duty"]) == (clock.due_at, clock.warn_at, "triage")
        assert last_day(clock) == "2026-12-02"

    async def test_an_older_promise_does_not_move_the_row_of_a_newer_one(self) -> None:
        office = Office()
        question = await office.receive()
        forward = domain.ForwardQuestion(question.id, TUAN.unit, "bhxh-mot-lan")
        await handlers.forward_question(forward, office.desk(HA))
        for promised in (date(2026, 11, 27), date(2026, 12, 3)):
            promise = domain.ReportProgress(question.id, "Đang xác minh.", promised)
            question = await handlers.report_progress(promise, office.desk(TUAN))
        before = (await row(office, question))["due_at"]
        older = question.clocks["promised_reply:1"]
        await hears(office, moved(Question.stream_of(question.id), older, source="qa"))
        assert (await row(office, question))["due_at"] == before
        held = {each.clock.name: last_day(each.clock) for each in (await file(office, question)).clocks}
        assert held["promised_reply:1"] == "2026-11-30"

    async def test_a_term_that_ends_on_the_same_day_tells_its_history_nothing(self) -> None:
        office = Office()
        question = await office.receive()
        clock = question.clocks["triage"].model_copy(update={"due_at": local("2026-12-03T00:00")})
        heard = moved(Question.stream_of(question.id), clock, source="qa")
        same = heard.event.model_copy(update={"clock": question.clocks["triage"].model_copy(
            update={"calendar_version": OFF_27.version})})  # fmt: skip
        await hears(office, Recorded(same, heard.stream, 2, 0, AT, "system", "c", "notifier"))
        assert names(office.events(question.id))[-1] == "clock_moved"
        seen = tracked(await file(office, question), UNITS, Calendars(), AT)
        assert [line["title"] for line in seen.history] == ["Bạn gửi câu hỏi"]

    async def test_a_refused_askers_letter_names_the_day_as_it_counts_now(self) -> None:
        office = Office()
        question = await office.receive(at=local(SATURDAY))
        refusal = domain.RefuseQuestion(question.id, RefusalGround.UNCLEAR, "Hãy nói rõ thêm.")
        question = await handlers.refuse_question(refusal, office.desk(HA, at=local(SATURDAY)))
        assert (await file(office, question)).notice_due == date(2026, 11, 30)
        clock = question.clocks["same_day_notice"]
        await hears(office, moved(Question.stream_of(question.id), clock, WORKED_28, source="qa"))
        assert (await file(office, question)).notice_due == date(2026, 11, 28)
        assert (await row(office, question))["counted_from"] == "2026-11-28"

    @pytest.mark.parametrize(
        ("at", "told"),
        [("2026-11-24T10:00", (False, False)), ("2026-12-29T10:00", (True, False)),
         ("2027-01-04T10:00", (True, True))],
    )  # fmt: skip
    async def test_an_askers_letter_says_that_its_day_leans_on_an_undecided_year(
        self, at: str, told: tuple[bool, bool]
    ) -> None:
        office, edge = Office(), None  # nobody is asked what a unit is called
        question = await office.receive(at=local(at))
        refusal = domain.RefuseQuestion(question.id, RefusalGround.UNCLEAR, "Hãy nói rõ thêm.")
        question = await handlers.refuse_question(refusal, office.desk(HA, at=local(at)))
        received, refused = [
            await letter_out(edge, await file(office, question), kind, 1, codes=CODES, url="http://qa")  # type: ignore[arg-type]
            for kind in (NoticeKind.ACKNOWLEDGEMENT, NoticeKind.REFUSAL)
        ]
        assert (received["triage_provisional"], refused["notice_provisional"]) == told
