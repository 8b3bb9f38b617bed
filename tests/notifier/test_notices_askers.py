"""What an asker is written to about, and what not: each reason a letter, once; and what is put off too often
is told to those above."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifier import domain, handlers
from services.notifier.consumers import TABLE
from services.notifier.domain import notice_id
from services.notifier.handlers import Accepted, ClaimNotice, Failed
from services.notifier.regulation import COURTESIES, LANES, Lane, NoticeStatus
from shared.contracts import qa
from shared.contracts.base import Event
from shared.contracts.notifier import Delivery, NoticeRequested
from shared.contracts.qa import (
    AnswerReleased,
    AskerErased,
    ErasureCause,
    Finding,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReopened,
    QuestionReturned,
    QuestionWithdrawn,
)
from shared.testing import local
from tests.notifier.world import (
    QUESTION,
    RECEIVED,
    SECOND,
    SUBJECT,
    World,
    received,
    refused,
    same_day_clock,
    told,
    triage_clock,
)

WHOLE = UUID(int=7)
ACKNOWLEDGEMENT = notice_id("acknowledgement", SUBJECT, "asker", 1)


class Post(World):
    """A register that hears events of one question, one after the other."""

    version = 0

    async def happens(self, *events: Event, at: Any = RECEIVED) -> None:
        for event in events:
            self.version += 1
            recorded = told(event, self.version, at)
            for _ in range(2):  # hearing it twice is hearing it once
                await self.hears(TABLE[qa.TOPIC][type(event)], recorded)

    def asked(self) -> list[NoticeRequested]:
        return self.events("notifier.notice.requested")  # type: ignore[return-value]

    def letters(self) -> list[tuple[str, int, str]]:
        return [(each.kind, each.round, each.about) for each in self.asked() if each.recipient == "asker"]


@pytest.fixture
def post() -> Post:
    return Post()


def released(ref: str, correction: int = 0) -> AnswerReleased:
    return AnswerReleased(question_id=QUESTION, answer_ref=ref, correction=correction)


def progress(round: int, *, escalated: bool = False) -> QuestionProgressReported:
    promise = triage_clock().model_copy(
        update={"name": f"promised_reply:{round}", "duty": "promised_reply", "owner_unit": "bhxh-ha-noi"}
    )
    return QuestionProgressReported(
        question_id=QUESTION, round=round, words_ref=f"words-{round}", words_hash="h",
        promised_for=RECEIVED.date(), escalated=escalated, opens=(promise,),
    )  # fmt: skip


async def test_a_part_is_not_acknowledged_for_its_asker_has_sent_the_whole(post: Post) -> None:
    await post.happens(received().model_copy(update={"part_of": WHOLE}))
    assert post.letters() == []
    assert (await post.deadline(domain.deadline_id(SUBJECT, "triage"))).status == "open"


async def test_a_correction_is_a_letter_of_its_own_with_its_number(post: Post) -> None:
    """«…gửi câu trả lời tới các tổ chức, cá nhân…»: what is corrected is sent again."""
    await post.happens(released("a"), released("b", 1), released("c", 2))
    assert post.letters() == [("answer", 1, "a"), ("correction", 1, "b"), ("correction", 2, "c")]
    assert {each.duty for each in post.asked()} == {"send_answer"}
    assert all(each.statutory for each in post.asked())


async def test_what_is_opened_again_is_answered_and_refused_again(post: Post) -> None:
    reopened = QuestionReopened(question_id=QUESTION, order="12/QĐ", ordered_on=RECEIVED.date(),
                                reason_ref="r", reason_hash="h")  # fmt: skip
    await post.happens(released("a"), reopened, released("b"))
    again = refused().model_copy(update={"explanation_ref": "other words"})
    await post.happens(refused(), reopened, again)
    assert post.letters() == [
        ("answer", 1, "a"), ("answer", 2, "b"), ("refusal", 1, "words"), ("refusal", 2, "other words"),
    ]  # fmt: skip


async def test_the_asker_of_a_merged_question_is_told_where_it_went_on(post: Post) -> None:
    await post.happens(received(), QuestionMerged(
        question_id=QUESTION, into=WHOLE, into_number="HD-2", closes=("triage",),
    ))  # fmt: skip
    assert post.letters()[1:] == [("merged", 1, f"qa:{SUBJECT}:2:0")]
    assert (await post.deadline(domain.deadline_id(SUBJECT, "triage"))).status == "met"
    assert LANES["merged"] is Lane.COURTESY


async def test_what_a_unit_gives_back_is_told_to_the_asker_by_the_centre_and_not_before(post: Post) -> None:
    """The finding opens the clock of the same day; the words to the asker are the centre's."""
    found = local("2026-11-25T15:00")
    returned = QuestionReturned(
        question_id=QUESTION, unit="bhxh-ha-noi", finding=Finding.OUT_OF_SCOPE, words_ref="w",
        words_hash="h", late_triage=True, opens=(same_day_clock(found),),
    )  # fmt: skip
    await post.happens(returned, at=found)
    clock = (await post.deadline(domain.deadline_id(SUBJECT, "same_day_notice"))).clock
    assert clock is not None
    assert (post.asked(), clock.due_at) == ([], local("2026-11-26T00:00"))
    await post.happens(refused(late_triage=True), at=found + timedelta(hours=1))
    (notice,) = post.asked()
    assert LANES[notice.kind] is Lane.URGENT


class TestDropped:
    async def test_a_courtesy_to_who_has_withdrawn_is_dropped_with_its_reason_and_a_duty_is_not(
        self, post: Post
    ) -> None:
        end = QuestionWithdrawn(question_id=QUESTION, voids=("triage",))
        await post.happens(received(), progress(1), end)
        assert (await post.notice(ACKNOWLEDGEMENT)).status is NoticeStatus.WITHHELD
        (withheld,) = post.events("notifier.notice.withheld")
        assert "người hỏi đã rút câu hỏi" in withheld.reason  # type: ignore[attr-defined]
        demanded = await post.notice(notice_id("progress", SUBJECT, "asker", 1))
        assert demanded.status is NoticeStatus.REQUESTED
        assert (await post.deadline(domain.deadline_id(SUBJECT, "triage"))).status == "void"

    async def test_of_who_was_erased_no_letter_waits_and_nobody_is_to_be_told_another_way(
        self, post: Post
    ) -> None:
        """Not even of what has come back before: there is no address, no telephone, no name."""
        await post.happens(received(), progress(1), refused())
        refusal = notice_id("refusal", SUBJECT, "asker", 1)
        await handlers.claim_notice(ClaimNotice(refusal), post.desk())
        refused_mail = Failed(refusal, 1, Delivery.DEFINITE, "550")
        task = await handlers.record_failure(refused_mail, post.desk())
        assert domain.needs_person(task)
        await post.happens(AskerErased(question_id=QUESTION, cause=ErasureCause.REQUEST, voids=("triage",)))
        ids = [ACKNOWLEDGEMENT, notice_id("progress", SUBJECT, "asker", 1), refusal]
        notices = [await post.notice(id) for id in ids]
        assert {notice.status for notice in notices} == {NoticeStatus.WITHHELD}
        assert not any(domain.needs_person(notice) for notice in notices)
        assert len(post.events("notifier.notice.withheld")) == 3

    async def test_what_has_gone_out_is_left_as_it_is(self, post: Post) -> None:
        await post.happens(received())
        await handlers.claim_notice(ClaimNotice(ACKNOWLEDGEMENT), post.desk())
        await handlers.record_acceptance(Accepted(ACKNOWLEDGEMENT, 1, "250", RECEIVED), post.desk())
        await post.happens(QuestionWithdrawn(question_id=QUESTION))
        assert (await post.notice(ACKNOWLEDGEMENT)).status is NoticeStatus.SENT

    def test_nothing_that_a_rule_demands_is_a_courtesy(self) -> None:
        assert set(COURTESIES) == {"acknowledgement", "merged"}


async def test_an_acceptance_says_which_of_several_letters_it_was(post: Post) -> None:
    """The correction's acceptance must not be taken for the first answer's."""
    await post.happens(released("a"), released("b", 1), released("c", 2))
    id = notice_id("correction", SUBJECT, "asker", 2)
    await handlers.claim_notice(ClaimNotice(id), post.desk())
    await handlers.record_acceptance(Accepted(id, 1, "250", RECEIVED), post.desk())
    (sent,) = post.events("notifier.notice.sent")
    assert (sent.kind, sent.round) == ("correction", 2)  # type: ignore[attr-defined]


class TestPutOff:
    """Beyond the policy's number of progress notices the centre's head and the leadership are told."""

    def told_above(self, post: Post) -> list[tuple[str, str, str]]:
        return [(each.kind, each.recipient, each.unit) for each in post.asked() if each.recipient != "asker"]

    async def test_they_are_told_once_of_the_third_and_not_of_the_first_two(self, post: Post) -> None:
        await post.happens(progress(1), progress(2))
        assert self.told_above(post) == []
        await post.happens(progress(3, escalated=True), progress(4, escalated=True))
        assert self.told_above(post) == [
            ("postponement", "head:tt-cskh", "bhxh-ha-noi"), ("postponement", "leadership", "bhxh-ha-noi"),
        ]  # fmt: skip
        assert [round for kind, round, _ in post.letters() if kind == "progress"] == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("at", "begins"),
        [("2026-11-23T10:00", None), ("2026-11-23T18:00", "2026-11-25T08:00")],
    )
    async def test_in_working_hours(self, post: Post, at: str, begins: str | None) -> None:
        await post.happens(progress(3, escalated=True), at=local(at))
        above = [each for each in post.asked() if each.recipient != "asker"]
        assert {each.not_before for each in above} == {local(begins) if begins else None}

    async def test_the_notice_points_at_the_promise_that_it_is_about(self, post: Post) -> None:
        await post.happens(progress(3, escalated=True))
        above = [each for each in post.asked() if each.recipient != "asker"]
        assert {each.deadline_id for each in above} == {domain.deadline_id(SUBJECT, "promised_reply:3")}
        assert {each.about for each in above} == {f"qa:{SUBJECT}:1:0"}


async def test_a_letter_dropped_while_it_is_claimed_is_not_lost_twice(post: Post) -> None:
    """The claim has got in first: it goes out, and its acceptance is on record."""
    await post.happens(received())
    await handlers.claim_notice(ClaimNotice(ACKNOWLEDGEMENT), post.desk(RECEIVED + SECOND))
    await post.happens(QuestionWithdrawn(question_id=QUESTION))
    assert (await post.notice(ACKNOWLEDGEMENT)).status is NoticeStatus.SENDING
