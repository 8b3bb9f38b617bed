"""Handlers on a journal in memory: what they leave there, once, and what never gets there."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.handlers import heard as handlers_heard
from services.qa.queries.file import file_of
from services.qa.regulation import Status
from shared.contracts.base import Recorded
from shared.contracts.notifier import NoticeReachedOtherwise, NoticeSent
from shared.contracts.qa import NoticeAccepted, NoticeKind, Outcome, QuestionClosed, Referral, RefusalGround
from shared.errors import IdempotencyKeyReused, IllegalTransition, NotFound
from shared.journal import AlreadyDone
from tests.qa.world import ASKER, HA, KHOI, LETTER, NOW, TUAN, Office, names


@pytest.fixture
def office() -> Office:
    return Office()


def sent(subject: str, kind: str = "answer", **changes: Any) -> Recorded[NoticeSent]:
    event = NoticeSent(
        notice_id=uuid4(), kind=kind, subject=subject, recipient=changes.get("recipient", "asker"), attempt=1,
        message_id="<1@x>", accepted_at=NOW, reply="250 OK",
    )  # fmt: skip
    return Recorded(event, f"notice-{event.notice_id}", 3, 0, NOW, "system", "c", "notifier")


def hearing(office: Office, recorded: Recorded[NoticeSent]) -> Any:
    return office.desk(once=recorded.id, causation=recorded.id)


async def test_no_word_of_the_asker_gets_into_the_journal(office: Office) -> None:
    question = await office.answered()
    written = "".join(event.data for commit in office.journal.commits for event in commit.events)
    for word in (LETTER.name, LETTER.email, LETTER.phone, LETTER.subject, LETTER.text, "Ghi chú", "Được."):
        assert word not in written
    file = await file_of(office.journal, office.vault, "qa", question.id)
    assert (file.letter, file.note, file.answer) == (LETTER, "Ghi chú", "Được.")


async def test_the_same_letter_under_another_key_is_the_first_question(office: Office) -> None:
    first = await office.receive()
    again = await office.receive()
    assert (again.id, len(office.journal.commits)) == (first.id, 1)


@pytest.mark.parametrize(
    ("later", "same"),
    [
        pytest.param(timedelta(minutes=1), True, id="at once"),
        pytest.param(timedelta(hours=15, minutes=30), True, id="after midnight"),
        pytest.param(timedelta(hours=23, minutes=59), True, id="within 24 hours"),
        pytest.param(timedelta(hours=24, seconds=1), False, id="a day later"),
        pytest.param(timedelta(days=3), False, id="days later"),
    ],
)
async def test_the_same_letter_is_one_question_for_a_day(
    office: Office, later: timedelta, same: bool
) -> None:
    first = await office.receive(at=NOW)
    again = await office.receive(at=NOW + later)
    assert (again.id == first.id) is same


@pytest.mark.parametrize("erased", [True, False])
async def test_what_its_asker_took_back_is_not_in_the_way_of_the_same_letter_sent_anew(
    office: Office, erased: bool
) -> None:
    first = await office.receive(once="anonymous:first")
    if erased:
        await office.desk(domain.ASKER).run(handlers.erase_asker, domain.EraseAsker(first.id))
    else:
        await office.desk(domain.ASKER).run(handlers.withdraw_question, domain.WithdrawQuestion(first.id))
    again = await office.receive()
    assert (again.id != first.id, again.status) == (True, Status.RECEIVED)
    assert (await office.receive()).id == again.id
    assert (await office.receive(once="anonymous:first")).id == first.id


async def test_two_at_the_same_moment_are_one(office: Office) -> None:
    """Both have looked before either has written: the second meets the first at its place."""
    one, other = office.desk(ASKER), office.desk(ASKER)
    stale = office.journal.read

    async def nothing_yet(stream: str, *, upto: int | None = None) -> list[Any]:
        other.journal.read = stale
        return []

    first = await one.run(handlers.receive_question, domain.ReceiveQuestion("m", LETTER))
    other.journal.read = nothing_yet
    again = await other.run(handlers.receive_question, domain.ReceiveQuestion("m", LETTER))
    assert (again.id, len(office.journal.commits)) == (first.id, 1)


async def test_a_key_used_for_other_words_is_refused(office: Office) -> None:
    await office.receive(once="anonymous:k", fingerprint="a")
    other = domain.Letter(**{f: getattr(LETTER, f) for f in LETTER.__dataclass_fields__} | {"text": "Khác"})
    with pytest.raises(IdempotencyKeyReused):
        await office.receive(other, once="anonymous:k", fingerprint="b")


async def test_a_command_repeated_gets_its_first_answer(office: Office) -> None:
    question = await office.receive()
    cmd = domain.ForwardQuestion(question.id, TUAN.unit, "bhyt")
    first = await office.desk(once="u-ha:k").run(handlers.forward_question, cmd)
    await handlers.answer_question(domain.AnswerQuestion(question.id, "Được."), office.desk(TUAN))
    again = await office.desk(once="u-ha:k").run(handlers.forward_question, cmd)
    assert again == first


async def test_nothing_is_kept_of_an_act_that_is_refused(office: Office) -> None:
    question = await office.answered()
    before = set(office.vault.contents)
    refusal = domain.RefuseQuestion(
        question.id, RefusalGround.OUT_OF_SCOPE, "Lời giải thích", Referral.ADVISED_ASKER, "UBND"
    )
    with pytest.raises(IllegalTransition):
        await handlers.refuse_question(refusal, office.desk(HA))
    assert set(office.vault.contents) == before


async def test_a_letter_accepted_is_on_the_questions_record_once(office: Office) -> None:
    question = await office.answered()
    await handlers.release_answer(domain.ReleaseAnswer(question.id), office.desk(HA))
    notice = sent(Question.stream_of(question.id))
    await handlers_heard.on_notice_sent(notice, hearing(office, notice))
    with pytest.raises(AlreadyDone):
        await handlers_heard.on_notice_sent(notice, hearing(office, notice))
    assert names(office.events(question.id))[-2:] == ["answer_released", "notice_accepted"]


async def test_an_asker_told_another_way_has_been_told_when_that_happened(office: Office) -> None:
    question = await office.receive()
    refusal = domain.RefuseQuestion(
        question.id, RefusalGround.OUT_OF_SCOPE, "Lời giải thích", Referral.ADVISED_ASKER, "UBND"
    )
    await handlers.refuse_question(refusal, office.desk(HA))
    called_at = NOW + timedelta(minutes=30)
    event = NoticeReachedOtherwise(
        notice_id=uuid4(), kind="refusal", subject=Question.stream_of(question.id), recipient="asker",
        way="phone", reached_at=called_at, proof="Sổ trực 12",
    )  # fmt: skip
    reached = Recorded(event, f"notice-{event.notice_id}", 5, 0, NOW + timedelta(hours=2), "u-oanh", "c", "n")
    await handlers_heard.on_reached_otherwise(reached, office.desk(once=reached.id, causation=reached.id))
    told, closed = office.events(question.id)[-2:]
    assert isinstance(told, NoticeAccepted)
    assert isinstance(closed, QuestionClosed)
    assert closed.outcome is Outcome.REFUSED
    assert (told.way, told.message_id, told.closes) == ("phone", "", ("same_day_notice",))
    assert told.closed_at == told.accepted_at == called_at


async def test_sent_and_published_it_is_closed(office: Office) -> None:
    question = await office.answered()
    await handlers.release_answer(domain.ReleaseAnswer(question.id), office.desk(HA))
    notice = sent(Question.stream_of(question.id))
    await handlers_heard.on_notice_sent(notice, hearing(office, notice))
    public = domain.PublishAnswer(question.id, "Rút một lần", "Rút được không?", "Được.")
    await handlers.publish_answer(public, office.desk(KHOI))
    assert names(office.events(question.id))[-2:] == ["answer_published", "closed"]


@pytest.mark.parametrize(
    "notice",
    [
        pytest.param(sent("submission-1"), id="about something else"),
        pytest.param(sent(f"question-{uuid4()}", recipient="unit:bhxh-ha-noi"), id="to a unit"),
        pytest.param(sent(f"question-{uuid4()}", kind="deadline_warning"), id="of another kind"),
    ],
)
async def test_letters_that_are_not_the_askers_are_none_of_ours(
    office: Office, notice: Recorded[NoticeSent]
) -> None:
    await handlers_heard.on_notice_sent(notice, hearing(office, notice))
    assert office.journal.commits == []


async def test_a_letter_about_no_known_question_is_poison(office: Office) -> None:
    notice = sent(f"question-{uuid4()}", kind=NoticeKind.REFUSAL)
    with pytest.raises(NotFound):
        await handlers_heard.on_notice_sent(notice, hearing(office, notice))


async def test_personal_data_left_in_the_public_text_is_refused_field_by_field(office: Office) -> None:
    question = await office.answered()
    public = domain.PublishAnswer(question.id, "Hỏi", "Tôi là Nguyễn Thị Hoa", "Gọi 0912 345 678")
    with pytest.raises(Exception, match="dữ liệu cá nhân") as refused:
        await handlers.publish_answer(public, office.desk(KHOI))
    errors = refused.value.extra["errors"]  # type: ignore[attr-defined]
    assert [(e["field"], e["message"]) for e in errors] == [
        ("question", "Còn họ tên người hỏi."), ("answer", "Còn số điện thoại."),
    ]  # fmt: skip
