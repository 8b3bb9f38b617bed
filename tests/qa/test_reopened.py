"""What was opened again by order: its terms count from that day, and a letter of before ends none of them."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.qa import domain
from services.qa.domain import Question
from services.qa.regulation import Duty, Policy, Role, Status
from shared.calendar import CALENDAR
from shared.contracts.qa import Finding, NoticeKind, Outcome, QuestionClosed
from shared.testing import local
from shared.workflow import Actor
from tests.qa.world import DUC, HA, KHOI, TUAN, Rules, closed, last_day, received

RULES = Rules()
HEAD = Actor("u-hai", "Lý Thanh Hải", "tt-cskh", frozenset({Role.CENTRE_HEAD}))
AGAIN = "2027-01-11T09:00"  # Monday, seven weeks after the question came


def at(when: str, by: Actor = HA) -> dict[str, Any]:
    return {"by": by, "at": local(when), "calendar": CALENDAR, "policy": RULES.policy}


def opened_again(question: Question) -> Question:
    cmd = domain.ReopenQuestion(question.id, "12/QĐ-BHXH", date(2027, 1, 8), "Theo kết luận thanh tra.")
    return domain.reopen(question, cmd, "ref", "hash", **at(AGAIN, HEAD))[0]


def accepted(question: Question, kind: NoticeKind, round: int, when: str) -> Any:
    notice = domain.RecordNotice(question.id, kind, uuid4(), "<m@x>", local(when), round=round)
    return domain.record_notice(question, notice)


def released(question: Question) -> Question:
    return domain.release(question, domain.ReleaseAnswer(question.id), by=KHOI)[0]


@pytest.fixture
def refused() -> Question:
    """Refused, its letter still on the way, and opened again."""
    return opened_again(RULES.refuse(received())[0])


@pytest.fixture
def answered() -> Question:
    """Answered, its letter still on the way, and opened again."""
    question = released(RULES.answer(RULES.forward(received())[0])[0])
    closing = QuestionClosed(question_id=question.id, outcome=Outcome.ANSWERED)
    return opened_again(question.then(closing)[0])


def test_the_first_refusals_letter_does_not_tell_of_the_second(refused: Question) -> None:
    """«…phải thông báo ngay trong ngày»: each refusal by a letter of its own."""
    question, _ = RULES.refuse(refused, "2027-01-11T10:00")
    owed = question.of(Duty.SAME_DAY_NOTICE)
    question, events = accepted(question, NoticeKind.REFUSAL, 1, "2027-01-11T10:05")
    assert (closed(events), question.of(Duty.SAME_DAY_NOTICE)) == (set(), owed)
    assert (question.status, question.told_refusal_at) == (Status.REFUSED, None)
    question, events = accepted(question, NoticeKind.REFUSAL, 2, "2027-01-11T10:06")
    assert (closed(events), question.outcome) == (set(owed), Outcome.REFUSED)


def test_the_first_refusals_letter_does_not_tell_what_a_unit_found_since(refused: Question) -> None:
    """The unit finds it out of scope: told the same day, though nobody has refused it a second time yet."""
    question, _ = RULES.forward(refused, "2027-01-11T10:00")
    cmd = domain.GiveBackQuestion(question.id, Finding.OUT_OF_SCOPE, "Không thuộc ngành.")
    question, _ = domain.give_back(question, cmd, "ref", "hash", **at("2027-01-12T09:00", TUAN))
    owed = question.of(Duty.SAME_DAY_NOTICE)
    question, events = accepted(question, NoticeKind.REFUSAL, 1, "2027-01-12T09:05")
    assert (closed(events), question.of(Duty.SAME_DAY_NOTICE)) == (set(), owed)
    assert owed and question.told_refusal_at is None


def test_the_first_answers_letter_does_not_send_the_second(answered: Question) -> None:
    """«…không quá 02 ngày làm việc» to send the new answer run until its own letter is accepted."""
    question, _ = RULES.answer(answered, "2027-01-12T09:00", by=HA)
    question, events = accepted(released(question), NoticeKind.ANSWER, 1, "2027-01-12T10:00")
    assert (closed(events), question.sent_at) == (set(), None)
    assert question.of(Duty.SEND_ANSWER)
    question, events = accepted(question, NoticeKind.ANSWER, 2, "2027-01-12T10:01")
    assert {name.partition("/")[0] for name in closed(events)} == {"send_answer"}
    assert question.sent_at == local("2027-01-12T10:01")


def test_an_answers_letter_that_comes_through_before_the_second_answer_does_not_end_the_question(
    answered: Question,
) -> None:
    question, events = accepted(answered, NoticeKind.ANSWER, 1, "2027-01-11T11:00")
    assert (closed(events), question.sent_at) == (set(), None)
    question = released(RULES.answer(question, "2027-01-12T09:00", by=HA)[0])
    question, _ = RULES.publish(question)
    assert (question.status, question.outcome) == (Status.ANSWERED, None)
    question, _ = accepted(question, NoticeKind.ANSWER, 2, "2027-01-12T10:00")
    assert question.outcome is Outcome.ANSWERED


@pytest.mark.parametrize("policy", [Policy(), Policy(same_day_from="finding", unit_reply_from="receipt")])
def test_a_complex_question_has_ten_working_days_from_the_day_that_it_was_opened_again(
    policy: Policy, refused: Question
) -> None:
    """«…xử lý trong vòng 10 ngày làm việc kể từ khi nhận được câu hỏi»: anew, or it would be born overdue."""
    question, _ = Rules(policy).forward(refused, "2027-01-13T10:00")
    cmd = domain.MakeComplex(question.id, ((DUC.unit, date(2027, 1, 20)),), "Hai đơn vị.")
    facts = at("2027-01-14T09:00", TUAN) | {"policy": policy}
    _, events = domain.make_complex(question, cmd, "ref", "hash", **facts)
    (clock,) = (c for c in events[0].opens if c.duty == Duty.COMPLEX_REPLY)  # type: ignore[attr-defined]
    assert (last_day(clock), clock.started_at) == ("2027-01-25", local(AGAIN))
