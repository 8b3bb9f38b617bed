"""What the register does with what it hears, on a journal in memory: once in effect, however often."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace

import pytest

from services.notifier import domain, handlers
from services.notifier.consumers import TABLE
from services.notifier.domain import Deadline, deadline_id, notice_id
from services.notifier.handlers import Accepted, ClaimNotice, Failed, clocks
from services.notifier.regulation import DeadlineStatus, NoticeStatus
from services.notifier.regulation_stages import schedule
from shared.calendar import CALENDAR
from shared.contracts import content, qa, sync
from shared.contracts.base import TOPICS, ClockedEvent
from shared.contracts.notifier import Delivery
from shared.errors import IllegalTransition
from shared.journal import AlreadyDone, VersionConflict
from tests.notifier.world import (
    POLICY,
    QUESTION,
    RECEIVED,
    SECOND,
    SUBJECT,
    World,
    forwarded,
    received,
    refused,
    same_day_clock,
    told,
    triage_clock,
)

TRIAGE = deadline_id(SUBJECT, "triage")
REFUSAL = notice_id("refusal", SUBJECT, "asker", 1)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_question_opens_its_deadline_and_asks_for_an_acknowledgement(world: World) -> None:
    await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    deadline = await world.deadline(TRIAGE)
    assert (deadline.status, deadline.label, deadline.source) == ("open", "HD-2026-11-QW99WAG", "qa")
    assert (await world.notice(notice_id("acknowledgement", SUBJECT, "asker", 1))).statutory is False


async def test_a_duty_that_is_not_known_is_kept_and_told_to_those_who_read_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, str]] = []
    log = SimpleNamespace(warning=lambda event, **facts: heard.append((event, facts["duty"])))
    monkeypatch.setattr(clocks, "log", log)
    clock = triage_clock().model_copy(update={"duty": "la-lam"})
    await world.hears(handlers.keep_clocks, told(received(opens=(clock,)), 1, RECEIVED))
    assert (await world.deadline(deadline_id(SUBJECT, clock.name))).clock == clock
    assert heard == [("deadline.duty_unknown", "la-lam")]


async def test_hearing_it_twice_is_hearing_it_once(world: World) -> None:
    for _ in range(3):
        await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    assert len(world.journal.commits) == 2


async def test_a_crash_between_two_streams_leaves_neither_out(world: World) -> None:
    """The deadline is on record, the notice is not; the event comes again."""
    event = told(received(opens=(triage_clock(), same_day_clock())), 1, RECEIVED)
    await world.hears(handlers.keep_clocks, event)
    await world.hears(handlers.acknowledge_question, event)
    assert len(world.events("notifier.deadline.opened")) == 2
    assert len(world.events("notifier.notice.requested")) == 1


async def test_a_discharge_that_is_heard_before_its_opening_is_kept_and_applied(world: World) -> None:
    done_at = RECEIVED + timedelta(hours=3)
    await world.hears(handlers.keep_clocks, told(forwarded(closes=("triage",)), 2, done_at))
    await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    deadline = await world.deadline(TRIAGE)
    assert deadline.status is DeadlineStatus.MET
    assert deadline.ending is not None and deadline.ending.at == done_at


async def test_a_discharge_is_judged_by_when_it_happened_and_not_by_when_it_was_recorded(
    world: World,
) -> None:
    clock = triage_clock()
    await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    event = forwarded(closes=("triage",), closed_at=clock.due_at - SECOND)
    await world.hears(handlers.keep_clocks, told(event, 2, clock.due_at + timedelta(days=2)))
    assert (await world.deadline(TRIAGE)).late is False


async def test_an_event_may_open_and_close_the_same_clock(world: World) -> None:
    event = forwarded(opens=(triage_clock(),), closes=("triage",), closed_at=RECEIVED)
    await world.hears(handlers.keep_clocks, told(event, 2, RECEIVED))
    assert (await world.deadline(TRIAGE)).status is DeadlineStatus.MET


async def test_what_is_voided_is_no_longer_owed(world: World) -> None:
    await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    await world.hears(handlers.keep_clocks, told(forwarded(voids=("triage",)), 2, RECEIVED + SECOND))
    assert (await world.deadline(TRIAGE)).status is DeadlineStatus.VOID


async def test_a_refusal_asks_for_a_notice_that_the_law_demands(world: World) -> None:
    event = refused(opens=(same_day_clock(),), closes=("triage",))
    await world.hears(handlers.notify_refusal, told(event, 2, RECEIVED))
    notice = await world.notice(REFUSAL)
    assert (notice.statutory, notice.about, notice.status) == (True, "words", NoticeStatus.REQUESTED)


@pytest.mark.parametrize("topic", [qa.TOPIC, content.SUBMISSION, sync.TOPIC])
def test_every_event_that_can_carry_a_clock_is_listened_to(topic: str) -> None:
    table: Mapping[object, object] = TABLE[topic]
    assert {kind for kind in TOPICS[topic] if issubclass(kind, ClockedEvent)} <= set(table)


class TestFiring:
    async def test_each_stage_fires_once_however_many_sweep(self, world: World) -> None:
        await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
        late = triage_clock().due_at + timedelta(days=5, hours=9)  # a Monday morning
        assert await handlers.fire_deadline(TRIAGE, world.desk(late)) == 3
        assert await handlers.fire_deadline(TRIAGE, world.desk(late)) == 0

    async def test_two_sweeps_at_once_collide_on_the_stage(self, world: World) -> None:
        await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
        clock = triage_clock()
        assert clock.warn_at is not None
        slow = world.desk(clock.warn_at)
        deadline = await slow.load(Deadline, TRIAGE)
        await handlers.fire_deadline(TRIAGE, world.desk(clock.warn_at))
        with pytest.raises((AlreadyDone, VersionConflict)):
            decision, key = domain.fire(deadline, schedule(clock, CALENDAR), at=slow.now)
            assert key == f"{TRIAGE}#warned"
            await slow.append(decision, key=key)
        assert len(world.events("notifier.deadline.warned")) == 1


class TestSending:
    @pytest.fixture(autouse=True)
    async def asked(self, world: World) -> None:
        await world.hears(handlers.notify_refusal, told(refused(), 2, RECEIVED))

    async def test_of_two_senders_one_gets_the_claim(self, world: World) -> None:
        await handlers.claim_notice(ClaimNotice(REFUSAL), world.desk())
        with pytest.raises(IllegalTransition):
            await handlers.claim_notice(ClaimNotice(REFUSAL), world.desk())

    async def test_the_servers_word_is_kept_as_proof(self, world: World) -> None:
        await handlers.claim_notice(ClaimNotice(REFUSAL), world.desk())
        for _ in range(2):
            await handlers.record_acceptance(Accepted(REFUSAL, 1, "250 queued", RECEIVED), world.desk())
        (sent,) = world.events("notifier.notice.sent")
        assert (sent.reply, sent.message_id) == ("250 queued", f"<{REFUSAL}@bhxh.example.vn>")  # type: ignore[attr-defined]

    async def test_a_sender_that_died_leaves_an_uncertain_attempt_that_is_repeated(
        self, world: World
    ) -> None:
        await handlers.claim_notice(ClaimNotice(REFUSAL), world.desk())
        early = await handlers.presume_lost(ClaimNotice(REFUSAL), world.desk(RECEIVED + SECOND))
        assert early.status is NoticeStatus.SENDING
        late = await handlers.presume_lost(ClaimNotice(REFUSAL), world.desk(RECEIVED + POLICY.claim_timeout))
        assert (late.status, late.uncertain) == (NoticeStatus.RETRYING, 1)

    async def test_a_failure_is_recorded_once_an_attempt(self, world: World) -> None:
        await handlers.claim_notice(ClaimNotice(REFUSAL), world.desk())
        for _ in range(2):
            await handlers.record_failure(Failed(REFUSAL, 1, Delivery.TEMPORARY, "451"), world.desk())
        (failure,) = world.events("notifier.notice.failed")
        assert failure.retry_at == RECEIVED + POLICY.retry_after(1)  # type: ignore[attr-defined]


async def test_no_event_of_the_register_carries_a_citizens_words(world: World) -> None:
    await world.hears(handlers.acknowledge_question, told(received(), 1, RECEIVED))
    await world.hears(handlers.notify_refusal, told(refused(), 2, RECEIVED))
    written = "".join(stored.data for commit in world.journal.commits for stored in commit.events)
    assert str(QUESTION) in written
    assert "@example" not in written.replace("@bhxh.example.vn", "")
