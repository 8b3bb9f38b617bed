"""What our own people read, from the register and the directory as they stand at the moment of sending."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notifier import domain, handlers
from services.notifier.gateways import Mail, NotSent, Smtp
from services.notifier.jobs import Digests, NoPreview, Outbox, Previews, Withheld
from services.notifier.queries import DueNotice
from services.notifier.regulation import Lane
from shared.calendar import CALENDAR
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMoved,
    DeadlineReopened,
    DeadlineRescinded,
    DeadlineVoided,
    Delivery,
    Level,
)
from shared.contracts.qa import QuestionProgressReported
from shared.desk import utc_now
from shared.testing import local
from shared.workflow import Actor
from tests.notifier.conftest import Sink
from tests.notifier.office import NoAsker, Office, clock_due, office
from tests.notifier.world import same_day_clock, told

DUE = local("2026-11-20T00:00")
AT = local("2026-11-23T09:00")
OPERATOR = Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"}))


@pytest.fixture
async def desk(mongo_uri: str) -> AsyncIterator[Office]:
    async with office(mongo_uri, breach_mail_units=["*"]) as found:
        yield found


async def late(desk: Office, **facts: Any) -> tuple[str, DueNotice]:
    """A deadline whose breach the unit is to be told of."""
    stream = await desk.open(clock_due(DUE, **facts), at=local("2026-11-09T09:00"), label="HD-7")
    found = await desk.deadline(stream)
    event = DeadlineBreached(
        deadline_id=found.id, subject=found.subject, duty=found.clock.duty, due_at=DUE,  # type: ignore[union-attr]
        unit=found.clock.owner_unit,  # type: ignore[union-attr]
    )  # fmt: skip
    await desk.hears(await desk.puts(stream, event, at=DUE))
    return stream, await desk.notice("breach")


async def carried_up(desk: Office, stream: str, level: Level) -> DueNotice:
    found = await desk.deadline(stream)
    event = DeadlineEscalated(
        deadline_id=found.id, subject=found.subject, duty="unit_reply", unit="bhxh-ha-noi", level=level,
        due_at=DUE, planned_at=AT,
    )  # fmt: skip
    before = len(await desk.notices("escalation"))
    await desk.hears(await desk.puts(stream, event, at=AT))
    return await desk.notice("escalation", before + 1)


async def put_off(desk: Office, at: datetime) -> tuple[str, DueNotice]:
    """The third progress notice: the promise on record, and what the leadership is to be told."""
    subject = f"question-{uuid4()}"
    promise = clock_due(local("2026-12-05T00:00"), name="promised_reply:3", duty="promised_reply")
    recorded = told(
        QuestionProgressReported(
            question_id=UUID(subject[9:]), round=3, words_ref="w", words_hash="h", escalated=True,
            promised_for=date(2026, 12, 4), opens=(promise,),
        ),
        5, at, subject=subject,
    )  # fmt: skip
    working = desk.edge.desk_for(recorded)
    working.now = at
    await handlers.notify_progress(recorded, working)
    id = domain.deadline_id(subject, promise.name)
    await desk.edge.caught_up("deadlines", id, 1)
    await desk.notice("postponement", 2)
    both = await desk.notices("postponement")
    return f"deadline-{id}", next(each for each in both if each.recipient == "leadership")


async def moved(desk: Office, stream: str) -> None:
    """The calendar has changed: its breach is withdrawn."""
    found = await desk.deadline(stream)
    assert found.clock is not None
    clock = found.clock.model_copy(
        update={"due_at": local("2026-11-26T00:00"), "calendar_version": "2026-11-23"}
    )
    facts = {
        "deadline_id": found.id,
        "subject": found.subject,
        "duty": "unit_reply",
        "document": "TB 9/TB-BNV",
    }
    recorded = await desk.puts(
        stream,
        DeadlineMoved(source="qa", from_due_at=DUE, from_calendar=CALENDAR.version, clock=clock, **facts),
        DeadlineRescinded(unit="bhxh-ha-noi", breached_due_at=DUE, due_at=clock.due_at,
                          calendar_version="2026-11-23", **facts),
        at=AT,
    )  # fmt: skip
    await desk.hears(recorded)


async def test_a_breach_is_told_with_its_clause_its_day_and_its_links(desk: Office) -> None:
    stream, due = await late(desk)
    mail: Mail = await desk.letter(due, AT)
    assert mail.to == "hanoi@bhxh.example.vn"
    assert mail.subject == "Quá hạn: Đơn vị trả lời hoặc thông báo quá trình xử lý, HD-7"
    for words in (
        "hết thứ Năm 19/11/2026",
        "gạch thứ hai",
        stream.removeprefix("deadline-"),
        "/desk/unit/",  # where the unit's people answer
    ):
        assert words in mail.text


async def test_a_question_that_is_put_off_again_is_told_above_with_its_unit_and_its_day(
    desk: Office,
) -> None:
    _, due = await put_off(desk, AT)
    mail: Mail = await desk.letter(due, AT)
    assert mail.to == "lanhdao@bhxh.example.vn"
    assert mail.subject.startswith("Báo cấp trên, hẹn lại lần thứ 3: ")
    for words in ("Kính gửi Lãnh đạo Bảo hiểm xã hội Việt Nam", "đã 3 lần thông báo quá trình xử lý",
                  "hết thứ Sáu 04/12/2026", "gạch thứ hai", "/desk/triage/"):  # fmt: skip
        assert words in mail.text


async def test_what_was_answered_before_they_were_written_to_is_not_told_above(desk: Office) -> None:
    stream, due = await put_off(desk, local("2026-11-23T18:00"))
    await desk.meets(stream, at=local("2026-11-23T19:00"))
    with pytest.raises(Withheld, match="đã kết thúc"):
        await desk.letter(due, local("2026-11-25T08:00"))


async def test_that_it_was_done_in_time_is_not_told_of_what_was_sent_back_since(desk: Office) -> None:
    stream, _ = await late(desk)
    await desk.sent(await desk.notice("breach"), DUE)
    await desk.hears(await desk.meets(stream, at=DUE - timedelta(hours=1)))
    due = await desk.notice("rescission")
    found = await desk.deadline(stream)
    reopened = DeadlineReopened(deadline_id=found.id, subject=found.subject, duty="unit_reply",
                                cause="qa:x:2:0", withdrawn=True)  # fmt: skip
    await desk.puts(stream, reopened, at=AT)
    with pytest.raises(Withheld, match="mở lại"):
        await desk.letter(due, AT)


@pytest.mark.parametrize(
    ("level", "to", "called"),
    [
        (
            Level.UNIT_HEAD,
            "giamdoc.hanoi@bhxh.example.vn",
            "Kính gửi Thủ trưởng Bảo hiểm xã hội thành phố Hà Nội",
        ),
        (Level.CENTRE, "cskh@bhxh.example.vn", "Kính gửi Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng"),
        (Level.LEADERSHIP, "lanhdao@bhxh.example.vn", "Kính gửi Lãnh đạo Bảo hiểm xã hội Việt Nam"),
    ],
)
async def test_each_level_is_written_to_where_the_directory_says(
    desk: Office, level: Level, to: str, called: str
) -> None:
    stream, _ = await late(desk)
    mail = await desk.letter(await carried_up(desk, stream, level), AT)
    assert mail.to == to
    assert called in mail.text
    assert "đã quá hạn 2 ngày làm việc" in mail.text


async def test_a_head_without_an_address_is_reached_through_the_unit(desk: Office) -> None:
    stream, _ = await late(desk)
    due = await carried_up(desk, stream, Level.UNIT_HEAD)
    await desk.unit("bhxh-ha-noi", head_email="")
    assert (await desk.letter(due, AT)).to == "hanoi@bhxh.example.vn"


async def test_a_unit_without_an_address_waits_for_somebody_to_give_it_one(desk: Office) -> None:
    _, due = await late(desk)
    await desk.unit("bhxh-ha-noi", email="")
    with pytest.raises(NotSent, match="chưa có địa chỉ thư của đơn vị bhxh-ha-noi") as refused:
        await desk.letter(due, AT)
    assert refused.value.outcome is Delivery.TEMPORARY


async def test_a_unit_that_does_not_exist_waits_until_it_is_no_longer_so(desk: Office) -> None:
    stream, due = await late(desk, unit="khong-co")
    with pytest.raises(NotSent, match="danh bạ chưa có đơn vị khong-co"):
        await desk.letter(due, AT)
    await desk.meets(stream, at=AT)
    with pytest.raises(Withheld, match="đã kết thúc"):
        await desk.letter(due, AT)


async def test_an_address_that_is_two_is_refused_for_good(desk: Office, sink: Sink) -> None:
    _, due = await late(desk)
    await desk.unit("bhxh-ha-noi", email="a@example.vn, b@example.vn")
    mail = await desk.letter(due, AT)
    with pytest.raises(NotSent, match="không hợp lệ") as refused:
        await Smtp(sink.settings()).send(mail)
    assert refused.value.outcome is Delivery.DEFINITE
    assert sink.mailbox.newest_first() == []


async def test_what_is_no_longer_so_is_not_said(desk: Office) -> None:
    stream, due = await late(desk)
    await desk.meets(stream, at=AT)
    with pytest.raises(Withheld, match="đã kết thúc"):
        await desk.letter(due, AT)
    stream, due = await late(desk)
    found = await desk.deadline(stream)
    void = DeadlineVoided(
        deadline_id=found.id, subject=found.subject, duty="unit_reply", voided_at=AT, cause="x"
    )
    await desk.puts(stream, void, at=AT)
    with pytest.raises(Withheld, match="đã kết thúc"):
        await desk.letter(due, AT)


async def test_a_withdrawal_is_told_to_whom_the_breach_was_and_to_nobody_else(desk: Office) -> None:
    stream, breach = await late(desk)
    head = await carried_up(desk, stream, Level.UNIT_HEAD)
    await desk.sent(head, AT)
    await moved(desk, stream)
    await desk.notice("rescission", 2)
    with pytest.raises(Withheld, match="được tính lại"):
        await desk.letter(breach, AT)
    by_recipient = {due.recipient: due for due in await desk.notices("rescission")}
    with pytest.raises(Withheld, match="chưa báo quá hạn cho nơi này"):
        await desk.letter(by_recipient["unit:bhxh-ha-noi"], AT)
    mail = await desk.letter(by_recipient["head:bhxh-ha-noi"], AT)
    assert (
        "Thư trước nói hạn là hết thứ Năm 19/11/2026; lịch làm việc đã thay đổi theo TB 9/TB-BNV" in mail.text
    )
    assert "hạn đúng là hết thứ Tư 25/11/2026" in mail.text


async def test_a_missed_day_goes_out_at_once_by_mail(desk: Office, sink: Sink) -> None:
    """Through the outbox, whatever the hour, on a holiday too."""
    clock = same_day_clock(local("2026-11-20T09:00"))
    stream = await desk.open(clock, at=local("2026-11-20T09:00"))
    found = await desk.deadline(stream)
    event = DeadlineBreached(deadline_id=found.id, subject=found.subject, duty="same_day_notice",
                             due_at=clock.due_at, unit="tt-cskh")  # fmt: skip
    await desk.hears(await desk.puts(stream, event, at=utc_now()))
    due = await desk.notice("breach")
    await Outbox(desk.edge, NoAsker(), Smtp(sink.settings()), (Lane.INTERNAL,), 2).run()
    (mail,) = sink.mailbox.newest_first()
    assert mail.recipients == ["cskh@bhxh.example.vn"]
    assert mail.message_id == due.message_id


class TestPreviews:
    """With a real notice's facts, as they stand now."""

    async def test_a_breach_and_a_morning_mail(self, desk: Office) -> None:
        stream, due = await late(desk)
        mail = await Previews(NoAsker()).real(desk.edge, due.id, "en", AT)
        assert (mail.language, mail.text) != ("vi", (await desk.letter(due, AT)).text)
        assert "HD-7" in mail.subject and stream.removeprefix("deadline-") in mail.text
        await Digests(desk.edge).run(AT)
        morning = await desk.notice("digest")
        mail = await Previews(NoAsker()).real(desk.edge, morning.id, "vi", AT)
        assert mail.text == (await desk.letter(morning, AT)).text
        assert "HD-7" in mail.text

    @pytest.mark.parametrize(
        ("facts", "why"), [({"basis": "dieu-99#x"}, "dieu-99"), ({"explanation_vi": " "}, "explanation")]
    )
    async def test_one_with_a_hole_says_which(self, desk: Office, facts: dict[str, Any], why: str) -> None:
        _, due = await late(desk, **facts)
        with pytest.raises(NoPreview, match=why):
            await Previews(NoAsker()).real(desk.edge, due.id, "vi", AT)


async def suppress(desk: Office, address: str) -> None:
    mark = domain.mark_of(address, desk.edge.policy.suppression_key)
    await handlers.suppress_address(
        handlers.SuppressAddress(mark, "Hộp thư đã ngừng dùng"), desk.edge.desk(OPERATOR)
    )
    await desk.edge.caught_up("suppressions", mark, 1)


async def test_a_suppressed_address_is_not_written_to_until_an_operator_lets_it_go(desk: Office) -> None:
    _, due = await late(desk)
    await suppress(desk, " Hanoi@BHXH.example.vn")
    with pytest.raises(Withheld, match="đang được ngừng gửi: Hộp thư đã ngừng dùng"):
        await desk.letter(due, AT)
    mark = domain.mark_of("hanoi@bhxh.example.vn", desk.edge.policy.suppression_key)
    await handlers.release_address(handlers.ReleaseAddress(mark, "đã mở lại"), desk.edge.desk(OPERATOR))
    await desk.edge.caught_up("suppressions", mark, 2)
    assert (await desk.letter(due, AT)).to == "hanoi@bhxh.example.vn"


async def test_no_record_holds_the_address_that_is_suppressed(desk: Office) -> None:
    await suppress(desk, "bi.mat@example.vn")
    for name in await desk.edge.database.list_collection_names():
        async for document in desk.edge.database[name].find():
            assert "bi.mat" not in str(document), name


async def test_what_is_withheld_is_on_record_and_tried_no_more(desk: Office, sink: Sink) -> None:
    clock = same_day_clock(local("2026-11-20T09:00"))
    stream = await desk.open(clock, at=local("2026-11-20T09:00"))
    found = await desk.deadline(stream)
    event = DeadlineBreached(deadline_id=found.id, subject=found.subject, duty="same_day_notice",
                             due_at=clock.due_at, unit="tt-cskh")  # fmt: skip
    await desk.hears(await desk.puts(stream, event, at=utc_now()))
    due = await desk.notice("breach")
    await suppress(desk, "cskh@bhxh.example.vn")
    outbox = Outbox(desk.edge, NoAsker(), Smtp(sink.settings()), (Lane.INTERNAL,), 2)
    await outbox.run()
    await desk.edge.caught_up("notices", due.id, 3)
    notice = await desk.edge.desk().load(domain.Notice, due.id)
    assert notice.status == "withheld"
    assert await outbox.run() == 0
    assert sink.mailbox.newest_first() == []
