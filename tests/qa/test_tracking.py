"""What an asker is told, at each moment: what, by whom, by when, under which clause."""

from dataclasses import replace
from datetime import date
from typing import cast

import pytest

from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.queries.file import file_of
from services.qa.queries.tracking import Onward, Tracking, may, tracked
from shared.calendars import Calendars
from shared.contracts.qa import NoticeKind, Referral, RefusalGround
from shared.testing import local
from shared.web.spoken import catalogues_of, speaking
from tests.qa.world import HA, LETTER, TUAN, Office, Rules
from tools.words import QA

UNITS = {"tt-cskh": "Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng", "bhxh-ha-noi": "BHXH thành phố Hà Nội"}
MONDAY = "2026-11-23T10:00"


async def told(office: Office, question: Question, at: str) -> Tracking:
    file = await file_of(office.journal, office.vault, "qa", question.id)
    return tracked(file, UNITS, Calendars(), local(at))


async def forwarded(office: Office) -> Question:
    question = await office.receive()
    cmd = domain.ForwardQuestion(question.id, TUAN.unit, "bhxh-mot-lan")
    return await handlers.forward_question(cmd, office.desk(HA, at=local(MONDAY)))


async def promised(office: Office, question: Question, day: date, at: str) -> None:
    cmd = domain.ReportProgress(question.id, "Đang xác minh.", day)
    await handlers.report_progress(cmd, office.desk(TUAN, at=local(at)))


async def test_a_due_date_is_told_with_its_clause() -> None:
    office = Office()
    question = await office.receive()
    seen = await told(office, question, MONDAY)
    assert seen.sentence.endswith("chậm nhất hết thứ Ba 01/12/2026.")
    assert seen.basis == "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ nhất"


@pytest.mark.parametrize(
    ("at", "late"), [("2026-12-03T23:59:59.999999", False), ("2026-12-04T00:00:00", True)]
)
async def test_at_midnight_of_the_last_day_the_asker_is_told_who_is_late(at: str, late: bool) -> None:
    office = Office()
    question = await forwarded(office)
    seen = await told(office, question, at)
    assert (seen.state == "bad") is late
    assert ("phải trả lời, hoặc báo bạn quá trình xử lý" in seen.sentence) is late
    assert seen.sentence.startswith("BHXH thành phố Hà Nội")


async def test_a_later_promise_does_not_hide_one_that_was_broken() -> None:
    office = Office()
    question = await forwarded(office)
    await promised(office, question, date(2026, 12, 4), "2026-11-27T10:00")
    await promised(office, question, date(2026, 12, 11), "2026-12-03T10:00")
    seen = await told(office, question, "2026-12-04T12:00")
    assert seen.sentence == "BHXH thành phố Hà Nội hẹn trả lời chậm nhất hết thứ Sáu 11/12/2026."
    seen = await told(office, question, "2026-12-05T00:00")
    assert "hẹn trả lời chậm nhất hết thứ Sáu 11/12/2026" in seen.sentence
    assert "Ngày hẹn trước (04/12/2026) đã không giữ được" in seen.sentence


async def test_an_answer_counts_as_sent_when_the_mail_server_has_it() -> None:
    office = Office()
    question = await office.answered()
    await handlers.release_answer(domain.ReleaseAnswer(question.id), office.desk(HA))
    waiting = (await told(office, question, "2026-11-23T12:00")).steps[-1]
    assert (waiting["state"], waiting["note"]) == ("now", "chờ máy chủ thư nhận")
    desk = office.desk(at=local("2026-11-23T12:01"))
    loaded = await desk.load(Question, question.id)
    await desk.append(Rules().told(loaded, NoticeKind.ANSWER, "2026-11-23T12:01"))
    sent = (await told(office, question, "2026-11-23T12:02")).steps[-1]
    assert (sent["state"], sent["note"]) == ("done", "23/11, 12:01")


async def test_who_was_not_told_the_same_day_reads_an_apology() -> None:
    office = Office()
    question = await office.receive()
    cmd = domain.RefuseQuestion(
        question.id, RefusalGround.OUT_OF_SCOPE, "Thuộc cơ quan khác.", Referral.ADVISED_ASKER, "UBND cấp xã"
    )
    await handlers.refuse_question(cmd, office.desk(HA, at=local("2026-11-25T10:00")))
    seen = await told(office, question, "2026-11-25T10:01")
    assert "phải gửi thư báo bạn chậm nhất hết thứ Hai 23/11/2026; nay đã quá hạn" in seen.sentence


async def sent(office: Office) -> Question:
    """An answer that the mail server accepted on Monday 23 November 2026 at 12:01."""
    question = await office.answered()
    await handlers.release_answer(domain.ReleaseAnswer(question.id), office.desk(HA))
    desk = office.desk(at=local("2026-11-23T12:01"))
    loaded = await desk.load(Question, question.id)
    return cast(Question, await desk.append(Rules().told(loaded, NoticeKind.ANSWER, "2026-11-23T12:01")))


@pytest.mark.parametrize(
    ("at", "allowed"), [("2026-12-23T23:59:59.999999", True), ("2026-12-24T00:00:00", False)]
)
async def test_a_follow_up_is_offered_to_the_end_of_its_last_day(at: str, allowed: bool) -> None:
    office = Office()
    question = await sent(office)
    file = await file_of(office.journal, office.vault, "qa", question.id)
    assert ("follow_up" in may(file, office.policy, local(at))) is allowed


async def test_a_merged_question_names_the_one_that_is_answered() -> None:
    office = Office()
    into = await office.receive()
    again = await office.receive(replace(LETTER, text="Tôi hỏi lại: có được rút không?"))
    await handlers.merge_question(domain.MergeQuestion(again.id, into.id), office.desk(HA))
    seen = await told(office, again, MONDAY)
    assert seen.sentence == f"Câu trả lời sẽ ở câu hỏi kia. Đó là câu hỏi {into.number}."
    assert seen.onward == Onward("merged", into.number)
    assert [step["title"] for step in seen.steps] == ["Đã gửi", "Đã gộp vào câu hỏi trước"]


async def test_an_unclear_question_that_nobody_sent_again_says_that_one_may_ask_anew() -> None:
    office = Office()
    question = await office.receive()
    cmd = domain.RefuseQuestion(question.id, RefusalGround.UNCLEAR, "Thiếu thời gian đóng.")
    await handlers.refuse_question(cmd, office.desk(HA, at=local(MONDAY)))
    desk = office.desk(at=local("2026-11-23T12:01"))
    refused = await desk.load(Question, question.id)
    await desk.append(Rules().told(refused, NoticeKind.REFUSAL, "2026-11-23T12:01"))
    late = office.desk(at=local("2026-12-24T12:01"))
    refused = await late.load(Question, question.id)
    await late.append(domain.lapse(refused, at=late.now, calendar=late.calendar, policy=office.policy))
    seen = await told(office, question, "2026-12-25T08:00")
    assert (seen.title, seen.steps[-1]["title"]) == ("Đã khép lại", "Đã khép lại")
    assert "bạn có thể hỏi lại" in seen.sentence
    assert seen.history[0]["title"] == "Khép lại vì không có câu hỏi gửi lại"


async def test_the_same_moment_is_told_in_english_with_its_dates_written_out() -> None:
    office = Office()
    question = await forwarded(office)
    with speaking("en", catalogues_of(QA.file.parents[2])):
        late = await told(office, question, "2026-12-04T00:00:00")
    assert late.sentence == (
        "BHXH thành phố Hà Nội should have answered, or told you of its progress "
        "by the end of Thursday 3 December 2026; that time has passed. We apologise."
    )
    assert "weekend" in {day["reason"] for day in late.days}
    assert "24 November" in late.explanation
