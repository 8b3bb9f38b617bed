"""What a letter to an asker says when it is fetched: of several of a kind the one that was asked for,
whatever has happened since."""

from dataclasses import dataclass
from typing import Any

import pytest

from services.qa import domain, handlers
from services.qa.domain import PartWords, Question
from services.qa.handlers import heard as handlers_heard
from services.qa.queries.file import file_of
from services.qa.views.asker import LetterErased, letter_out
from shared.contracts.base import Recorded
from shared.contracts.qa import (
    ErasureCause,
    NoticeKind,
    Outcome,
    QuestionClosed,
    QuestionSplit,
    RefusalGround,
)
from shared.errors import NotFound
from shared.testing import local
from shared.workflow import Actor
from tests.qa.world import CODES, HA, KHOI, TUAN, Office

HEAD = Actor("u-truong", "Lê Văn Trưởng", "tt-cskh", frozenset({"centre_head"}))
UNITS = {TUAN.unit: "BHXH thành phố Hà Nội", "tt-cskh": "Trung tâm CSKH"}


class Names:
    async def unit_name(self, unit: str) -> str:
        return UNITS.get(unit, unit)


@dataclass
class AtEdge:
    office: Office

    @property
    def directory(self) -> Names:
        return Names()

    def desk(self) -> Any:
        return self.office.desk()


@pytest.fixture
def office() -> Office:
    return Office()


async def letter(office: Office, question: Question, kind: NoticeKind, round: int = 1) -> dict[str, Any]:
    file = await file_of(office.journal, office.vault, "qa", question.id)
    edge: Any = AtEdge(office)
    return await letter_out(edge, file, kind, round, codes=CODES, url="http://qa")


async def released(office: Office, question: Question) -> Question:
    return await handlers.release_answer(domain.ReleaseAnswer(question.id), office.desk(KHOI))


async def corrected(office: Office, question: Question, text: str, why: str) -> Question:
    cmd = domain.CorrectAnswer(question.id, text, why)
    return await released(office, await handlers.correct_answer(cmd, office.desk(TUAN)))


async def test_the_first_answers_letter_that_still_waits_is_not_overtaken_by_its_correction(
    office: Office,
) -> None:
    question = await released(office, await office.answered())
    question = await corrected(office, question, "Sau 12 tháng.", "Ghi sai số tháng.")
    question = await corrected(office, question, "Sau 12 tháng, nộp tại nơi cư trú.", "Thiếu nơi nộp.")
    first = await letter(office, question, NoticeKind.ANSWER)
    assert (first["answer"], first["unit_name"]) == ("Được.", UNITS[TUAN.unit])
    told = [await letter(office, question, NoticeKind.CORRECTION, round) for round in (1, 2)]
    assert [(each["answer"], each["reason"], each["round"]) for each in told] == [
        ("Sau 12 tháng.", "Ghi sai số tháng.", 1),
        ("Sau 12 tháng, nộp tại nơi cư trú.", "Thiếu nơi nộp.", 2),
    ]


async def test_a_correction_that_nobody_has_let_go_is_no_letter(office: Office) -> None:
    question = await released(office, await office.answered())
    cmd = domain.CorrectAnswer(question.id, "Sau 12 tháng.", "Ghi sai số tháng.")
    question = await handlers.correct_answer(cmd, office.desk(TUAN))
    for kind, round in ((NoticeKind.CORRECTION, 1), (NoticeKind.CORRECTION, 2), (NoticeKind.ANSWER, 2)):
        with pytest.raises(NotFound):
            await letter(office, question, kind, round)


async def test_the_first_answers_acceptance_does_not_count_as_its_corrections(office: Office) -> None:
    """The duty to send the correction ends with the correction's own letter."""
    question = await corrected(office, await released(office, await office.answered()), "Mới.", "Sai.")
    for kind, sent in ((NoticeKind.ANSWER, False), (NoticeKind.CORRECTION, True)):
        notice = domain.RecordNotice(question.id, kind, question.id, "<m@x>", office.now, round=1)
        question, _ = domain.record_notice(question, notice)
        assert (question.sent_at is not None) is sent


async def opened_again(office: Office, question: Question) -> Question:
    at = local("2026-12-07T09:00")
    cmd = domain.ReopenQuestion(question.id, "12/QĐ-BHXH", at.date(), "Theo kết luận thanh tra.")
    return await handlers.reopen_question(cmd, office.desk(HEAD, at=at))


async def test_what_is_answered_again_by_order_corrects_nothing_and_is_a_second_letter(
    office: Office,
) -> None:
    question = await corrected(office, await released(office, await office.answered()), "Mới.", "Sai.")
    desk = office.desk()
    closing = QuestionClosed(question_id=question.id, outcome=Outcome.ANSWERED)
    await desk.append((await desk.load(Question, question.id)).then(closing))
    question = await opened_again(office, question)
    assert question.correcting == 0
    answered = await handlers.answer_question(
        domain.AnswerQuestion(question.id, "Trả lời lại."), office.desk(HA)
    )
    question = await released(office, answered)
    event: Any = office.events(question.id)[-1]
    assert (event.correction, question.correction) == (0, 1)
    told = [await letter(office, question, NoticeKind.ANSWER, round) for round in (1, 2)]
    assert [each["answer"] for each in told] == ["Được.", "Trả lời lại."]
    assert told[1]["unit_name"] == UNITS["tt-cskh"]


async def test_a_refusal_that_waits_keeps_its_words_when_the_question_was_opened_again(
    office: Office,
) -> None:
    question = await office.receive()
    first = domain.RefuseQuestion(question.id, RefusalGround.UNCLEAR, "Hãy nói rõ năm sinh.")
    question = await opened_again(office, await handlers.refuse_question(first, office.desk(HA)))
    again = domain.RefuseQuestion(question.id, RefusalGround.UNCLEAR, "Hãy nói rõ nơi đóng.")
    question = await handlers.refuse_question(again, office.desk(HA))
    told = [await letter(office, question, NoticeKind.REFUSAL, round) for round in (1, 2)]
    assert [each["explanation"] for each in told] == ["Hãy nói rõ năm sinh.", "Hãy nói rõ nơi đóng."]
    assert [f"{each['notice_due']:%d/%m}" for each in told] == ["23/11", "07/12"]


async def test_a_merged_questions_letter_names_the_one_that_goes_on(office: Office) -> None:
    into = await office.receive()
    other = await office.receive(domain.Letter(
        "Nguyễn Thị Hoa", "hoa@hopthu.example.vn", "", "", "Rút một lần", "Rút một lần được không?",
    ))  # fmt: skip
    merged = await handlers.merge_question(domain.MergeQuestion(other.id, into.id), office.desk(HA))
    said = await letter(office, merged, NoticeKind.MERGED)
    assert (said["number"], said["into_number"]) == (other.number, into.number)
    with pytest.raises(NotFound):
        await letter(office, into, NoticeKind.MERGED)


class TestParts:
    async def split(self, office: Office) -> tuple[Question, list[Question]]:
        whole = await office.receive()
        parts = tuple(PartWords(f"Việc {n}", f"Hỏi về việc {n}.") for n in (1, 2, 3))
        whole = await handlers.split_question(domain.SplitQuestion(whole.id, parts), office.desk(HA))
        event: Any = office.events(whole.id)[-1]
        assert isinstance(event, QuestionSplit)
        recorded = Recorded(event, Question.stream_of(whole.id), 2, 0, office.now, "u-ha", "c", "qa")
        await handlers_heard.on_split(recorded, office.desk(causation=recorded.id, once=recorded.id))
        return whole, [await office.desk().load(Question, id) for id in whole.parts]

    async def test_a_letter_of_a_part_says_which_and_names_the_whole_by_its_number_and_code(
        self, office: Office
    ) -> None:
        whole, parts = await self.split(office)
        refusal = domain.RefuseQuestion(parts[1].id, RefusalGround.UNCLEAR, "Hãy nói rõ thêm.")
        part = await handlers.refuse_question(refusal, office.desk(HA))
        said = await letter(office, part, NoticeKind.REFUSAL)
        assert (said["part"], said["parts"], said["whole_number"]) == (2, 3, whole.number)
        assert (said["number"], said["subject"]) == (f"{whole.number}-2", "Việc 2")
        assert said["tracking_code"] == CODES.tracking_code(whole.id)

    async def test_a_part_has_no_acknowledgement_and_the_whole_has_one(self, office: Office) -> None:
        whole, parts = await self.split(office)
        with pytest.raises(NotFound):
            await letter(office, parts[0], NoticeKind.ACKNOWLEDGEMENT)
        said = await letter(office, whole, NoticeKind.ACKNOWLEDGEMENT)
        assert (said["tracking_code"], "part" in said) == (CODES.tracking_code(whole.id), False)


async def test_nobody_is_left_to_be_written_to_once_the_askers_data_is_erased(office: Office) -> None:
    question = await released(office, await office.answered())
    protection = Actor("u-dpo", "Phụ trách dữ liệu", "tt-cskh", frozenset({"data_protection_officer"}))
    cmd = domain.EraseAsker(question.id, ErasureCause.REQUEST)
    question = await handlers.erase_asker(cmd, office.desk(protection))
    await office.vault.erase(str(question.id))
    with pytest.raises(LetterErased):
        await letter(office, question, NoticeKind.ANSWER)
