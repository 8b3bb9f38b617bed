"""What an asker is told, at each moment: what, by whom, by when, under which clause."""

from datetime import date

import pytest

from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.queries.file import file_of
from services.qa.queries.tracking import Tracking, tracked
from shared.calendars import Calendars
from shared.contracts.qa import NoticeKind, Referral, RefusalGround
from shared.testing import local
from tests.qa.world import HA, TUAN, Office, Rules

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
