"""Notices on a real MongoDB and a real mail server: sent once, refusals ahead, nothing lost in trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notifier import handlers, queries
from services.notifier.app import build
from services.notifier.domain import Notice, needs_person, notice_id, request_notice
from services.notifier.gateways import LetterUnavailable, Smtp
from services.notifier.handlers import ClaimNotice
from services.notifier.jobs import Outbox, outbox
from services.notifier.proof import proof_of
from services.notifier.regulation import Lane, NoticeStatus, Policy
from services.notifier.return_address import ReturnAddresses
from shared.clocks_agree import Clocks, own_clock
from shared.contracts.base import Event
from shared.contracts.notifier import Delivery, NoticeFailed, NoticeSent
from shared.contracts.qa import QuestionProgressReported
from shared.desk import utc_now
from shared.service import Service
from shared.settings import Role
from tests.edges import projecting
from tests.notifier.conftest import Sink
from tests.notifier.mail_servers import serving
from tests.notifier.world import received, refused, told


class Asker:
    """The qa service as the notifier meets it: letters by question, and trouble when told."""

    def __init__(self) -> None:
        self.trouble: list[LetterUnavailable] = []
        self.asked_for: list[tuple[str, int]] = []

    async def letter(self, question: UUID, kind: str, round: int) -> dict[str, Any]:
        self.asked_for.append((kind, round))
        if self.trouble:
            raise self.trouble.pop()
        return {
            "email": f"{question.hex[:8]}@example.vn", "name": "Nguyễn Văn Ấn",
            "number": f"HD-{question.hex[:6]}", "subject": "Hưởng BHXH một lần", "tracking_code": "7K3QZ",
            "tracking_url": "http://qa/track",
            "received_at": "2026-11-23T02:00:00Z", "counted_from": "2026-11-23",
            "triage_due": "2026-12-01T17:00:00Z", "ground": "out_of_scope", "explanation": "Thuộc Sở khác.",
            "agency": "Sở Nông nghiệp", "ask_url": "http://qa/ask",
            "words": f"Báo lần {round}.", "promised_for": "2026-12-04", "unit_name": "BHXH thành phố Hà Nội",
        }  # fmt: skip


class Register:
    """The service without its timers: the tests run its jobs."""

    def __init__(self, service: Service[Policy], sink: Sink) -> None:
        self.service, self.edge, self.sink, self.asker = service, service.edge, sink, Asker()

    def outbox(self, *lanes: Lane, places: int = 4) -> Outbox:
        settings = self.sink.settings()
        returns = ReturnAddresses.of(settings)
        return Outbox(self.edge, self.asker, Smtp(settings), lanes or tuple(Lane), places, returns)

    async def hears(self, handler: Any, event: Event, question: UUID, version: int = 1) -> None:
        recorded = told(event, version, utc_now(), subject=f"question-{question}")
        await handler(recorded, self.edge.desk_for(recorded))

    async def refusal(self) -> UUID:
        question = uuid4()
        await self.hears(handlers.notify_refusal, refused(), question)
        return await self.shown(notice_id("refusal", f"question-{question}", "asker", 1))

    async def acknowledgement(self) -> UUID:
        question = uuid4()
        await self.hears(handlers.acknowledge_question, received(opens=()), question)
        return await self.shown(notice_id("acknowledgement", f"question-{question}", "asker", 1))

    async def shown(self, id: UUID, version: int = 1) -> UUID:
        await self.edge.caught_up("notices", id, version)
        return id

    async def notice(self, id: UUID) -> Notice:
        return await self.edge.desk().load(Notice, id)

    async def failures(self, id: UUID) -> list[Delivery]:
        commits = await self.edge.journal.read(Notice.stream_of(id))
        events = [r.event for commit in commits for r in commit.recorded("notifier")]
        return [event.outcome for event in events if isinstance(event, NoticeFailed)]

    def mails(self) -> list[str]:
        """Subjects in the order of arrival."""
        return [str(mail.message["Subject"]) for mail in reversed(self.sink.mailbox.newest_first())]


@pytest.fixture
async def register(mongo_uri: str, sink: Sink) -> AsyncIterator[Register]:
    settings = sink.settings(
        roles=frozenset({Role.API}), mongo_uri=mongo_uri, mongo_database=f"notifier-{uuid4().hex[:8]}",
        first_retry_seconds=0.05, log_format="console",
    )  # fmt: skip
    service = build(settings)
    await queries.prepare(service.database)
    async with projecting(service, queries.projections(settings.policy())):
        yield Register(service, sink)
    await service.database.client.drop_database(service.database.name)
    service.database.client.close()


@pytest.fixture
async def hidden(mongo_uri: str, sink: Sink) -> AsyncIterator[Register]:
    """A register whose lists nobody draws."""
    settings = sink.settings(
        roles=frozenset({Role.API}), mongo_uri=mongo_uri, mongo_database=f"notifier-{uuid4().hex[:8]}",
        log_format="console",
    )  # fmt: skip
    service = build(settings)
    await queries.prepare(service.database)
    yield Register(service, sink)
    await service.database.client.drop_database(service.database.name)
    service.database.client.close()


async def until(happened: Callable[[], Awaitable[bool]], outbox: Outbox) -> None:
    """Keep the outbox at work, as its timer does, until it has happened."""
    for _ in range(200):
        await outbox.run()
        if await happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


async def test_a_notice_is_sent_once_and_its_proof_kept(register: Register) -> None:
    id, outbox = await register.refusal(), register.outbox()
    await outbox.run()
    await register.shown(id, 3)
    assert await outbox.run() == 0
    view = await queries.notice(register.edge.database, id)
    assert (view["status"], view["attempts"], view["reply"][:3]) == ("sent", 1, "250")
    (mail,) = register.sink.mailbox.newest_first()
    assert mail.message_id == view["message_id"]
    assert "Sở Nông nghiệp" in mail.text
    (attempt,) = proof_of(await register.edge.journal.read(Notice.stream_of(id)), "notifier").attempts
    assert (attempt.outcome, attempt.relay) == ("accepted", f"127.0.0.1:{register.sink.port}")


async def test_each_attempt_leaves_from_an_address_of_its_own_by_which_a_return_is_traced(
    register: Register,
) -> None:
    register.sink.behave("drop_after_data", times=1)
    id, outbox = await register.refusal(), register.outbox()

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, outbox)
    senders = [str(mail.message["X-Envelope-From"]) for mail in register.sink.mailbox.newest_first()]
    returns = ReturnAddresses.of(register.sink.settings())
    assert [returns.read(sender) for sender in senders] == [(id, 2), (id, 1)]


async def test_what_a_server_says_in_no_known_letters_is_put_down_all_the_same(register: Register) -> None:
    async with serving(body="250 2.0.0 reçu\x00 <an@example.vn>") as server:
        id = await register.refusal()
        smtp = Smtp(register.sink.settings().model_copy(update={"smtp_port": server.port}))
        await Outbox(register.edge, register.asker, smtp, tuple(Lane), 4).run()
    commits = await register.edge.journal.read(Notice.stream_of(id))
    (event,) = [r.event for c in commits for r in c.recorded("notifier") if isinstance(r.event, NoticeSent)]
    assert event.reply == "250 2.0.0 re u ‹địa chỉ›"


async def test_a_refusal_does_not_wait_while_thousands_of_others_are_on_their_way(register: Register) -> None:
    """The real figure is the bench's; a queue of 3,000 takes this machine half a minute to send."""
    events = [received(opens=()) for _ in range(3000)]
    await asyncio.gather(*(register.hears(handlers.acknowledge_question, e, uuid4()) for e in events))
    while await register.edge.database.notices.count_documents({}) < len(events):
        await asyncio.sleep(0.05)
    others = asyncio.create_task(register.outbox(Lane.STATUTORY, Lane.COURTESY, places=8).run())
    urgent = register.outbox(Lane.URGENT)
    try:
        while len(register.mails()) < 50:
            await asyncio.sleep(0.05)
        for _ in range(3):
            began = time.monotonic()
            id = await register.refusal()
            while (await register.notice(id)).status is not NoticeStatus.SENT:
                await urgent.run()
            assert time.monotonic() - began < 3
        assert not others.done()
    finally:
        others.cancel()
        await asyncio.wait([others])


async def test_a_refusal_is_sent_before_any_list_shows_it(
    hidden: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process has put on record itself, its outbox hears of; each goes out once all the same."""
    urgent, bells = hidden.outbox(Lane.URGENT), list[int]()
    urgent.wake = lambda: bells.append(1)
    hidden.service.hearers.append(urgent.hear)
    await hidden.hears(handlers.notify_refusal, refused(), uuid4())
    await hidden.hears(handlers.acknowledge_question, received(opens=()), uuid4())
    assert bells == [1]  # an acknowledgement is none of this lane's
    assert await urgent.run() == 1
    assert [subject[:9] for subject in hidden.mails()] == ["Thông báo"]
    await asyncio.gather(
        *(hidden.hears(handlers.notify_refusal, refused(), uuid4()) for _ in range(20))
    )  # more than there are places, and longer than a look at the list stays fresh
    monkeypatch.setattr(outbox, "STALE", 0.0)
    assert await urgent.run() == 20
    assert len(hidden.mails()) == 21
    async with projecting(hidden.service, queries.projections(Policy())):
        while await hidden.edge.database.notices.count_documents({"status": "sent"}) < 21:
            await asyncio.sleep(0.02)
        await urgent.run()
    assert len(hidden.mails()) == 21


async def test_two_progress_letters_that_wait_at_once_are_fetched_each_by_its_own_round(
    register: Register,
) -> None:
    question = uuid4()
    for round in (1, 2):
        report = QuestionProgressReported(
            question_id=question, round=round, words_ref=f"words-{round}", words_hash="hash",
            promised_for=date(2026, 12, 4),
        )  # fmt: skip
        await register.hears(handlers.notify_progress, report, question, version=round)
        await register.shown(notice_id("progress", f"question-{question}", "asker", round))
    await register.outbox().run()
    assert sorted(register.asker.asked_for) == [("progress", 1), ("progress", 2)]
    texts = [mail.text for mail in register.sink.mailbox.newest_first()]
    assert sorted(f"Báo lần {round}." in text for text in texts for round in (1, 2)).count(True) == 2


async def test_two_replicas_send_one_mail(register: Register) -> None:
    ids = [await register.refusal() for _ in range(12)]
    await asyncio.gather(register.outbox().run(), register.outbox().run(), register.outbox().run())
    assert len(register.mails()) == len(ids)


async def test_refusals_leave_ahead_of_every_other_mail(register: Register) -> None:
    for _ in range(3):
        await register.acknowledgement()
    await register.refusal()
    await register.outbox(places=1).run()
    assert register.mails()[0].startswith("Thông báo về câu hỏi")


async def test_a_mail_server_that_puts_off_gets_the_same_message_later(register: Register) -> None:
    register.sink.behave("tempfail", times=2)
    id, outbox = await register.refusal(), register.outbox()

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, outbox)
    assert await register.failures(id) == [Delivery.TEMPORARY, Delivery.TEMPORARY]
    assert len(register.mails()) == 1


async def test_a_mailbox_that_does_not_exist_is_given_up_and_shown(register: Register) -> None:
    register.sink.behave("refuse", times=1)
    id, outbox = await register.refusal(), register.outbox()
    await outbox.run()
    await register.shown(id, 3)
    assert await outbox.run() == 0
    assert (await queries.notice(register.edge.database, id))["status"] == "failed"


async def test_in_doubt_a_duty_goes_out_again_with_the_same_message_id(register: Register) -> None:
    register.sink.behave("drop_after_data", times=1)
    id, outbox = await register.refusal(), register.outbox()

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, outbox)
    first, second = register.sink.mailbox.newest_first()
    assert first.message_id == second.message_id
    await register.shown(id, 5)
    assert (await queries.notice(register.edge.database, id))["uncertain"] is True


async def test_in_doubt_a_courtesy_does_not_go_out_again(register: Register) -> None:
    register.sink.behave("drop_after_data", times=1)
    id, outbox = await register.acknowledgement(), register.outbox()
    await outbox.run()
    await register.shown(id, 3)
    assert await outbox.run() == 0
    assert len(register.mails()) == 1
    assert (await register.notice(id)).status is NoticeStatus.UNCERTAIN


async def test_words_that_cannot_be_fetched_now_are_fetched_later(register: Register) -> None:
    register.asker.trouble = [LetterUnavailable("chưa giao")]
    id, outbox = await register.refusal(), register.outbox()

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, outbox)
    assert await register.failures(id) == [Delivery.TEMPORARY]


async def test_a_letter_with_a_hole_waits_until_it_is_filled(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = register.asker.letter

    async def with_a_hole(question: UUID, kind: str, round: int) -> dict[str, Any]:
        return {**await whole(question, kind, round), "explanation": " "}

    monkeypatch.setattr(register.asker, "letter", with_a_hole)
    id, outbox = await register.refusal(), register.outbox()
    await outbox.run()
    assert register.mails() == []
    attempts = proof_of(await register.edge.journal.read(Notice.stream_of(id)), "notifier").attempts
    assert {each.outcome for each in attempts} == {"temporary"}
    assert "không soạn được thư: thiếu hoặc sai: explanation" in attempts[0].words
    monkeypatch.setattr(register.asker, "letter", whole)

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, outbox)
    assert len(register.mails()) == 1


async def test_who_was_erased_is_not_written_to(register: Register) -> None:
    register.asker.trouble = [LetterUnavailable("đã xóa", gone=True)]
    id = await register.refusal()
    await register.outbox().run()
    notice = await register.notice(id)
    assert notice.status is NoticeStatus.WITHHELD
    assert not needs_person(notice)  # no person could tell them another way
    assert register.mails() == []


async def test_the_work_of_a_sender_that_died_is_taken_up(register: Register) -> None:
    id = await register.refusal()
    long_ago = utc_now() - timedelta(seconds=61)
    await handlers.claim_notice(ClaimNotice(id), register.edge.desk(now=long_ago))
    await register.shown(id, 2)

    async def sent() -> bool:
        return (await register.notice(id)).status is NoticeStatus.SENT

    await until(sent, register.outbox())
    assert await register.failures(id) == [Delivery.UNCERTAIN]


async def test_a_claim_that_is_at_work_is_left_alone(register: Register) -> None:
    id = await register.refusal()
    await handlers.claim_notice(ClaimNotice(id), register.edge.desk())
    await register.shown(id, 2)
    assert await register.outbox().run() == 0


async def test_a_stop_lets_a_mail_on_its_way_arrive(register: Register) -> None:
    register.sink.behave("slow", times=1, seconds=0.2)
    id = await register.refusal()
    work = asyncio.create_task(register.outbox().run())
    while (await register.notice(id)).status is not NoticeStatus.SENDING:
        await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await register.notice(id)).status is NoticeStatus.SENT


class TestClocks:
    """A replica whose clock is a day ahead."""

    @pytest.fixture
    def ahead(self, register: Register, monkeypatch: pytest.MonkeyPatch) -> Outbox:
        monkeypatch.setattr(outbox, "utc_now", lambda: utc_now() + timedelta(days=1))
        clocks = Clocks(
            register.edge.database, "notifier", "ahead", wall=lambda: own_clock() + timedelta(days=1)
        )
        return replace(register.outbox(), clocks=clocks)

    async def test_sends_nothing_that_is_held_back_and_every_refusal(
        self, register: Register, ahead: Outbox
    ) -> None:
        asked = request_notice(
            None, "breach", "question-1", "unit:bhxh-ha-noi", source="notifier", policy=Policy(),
            not_before=utc_now() + timedelta(hours=12),
        )  # fmt: skip
        await register.edge.desk().append(asked)
        held = await register.shown(asked[0].id)
        refusal = await register.refusal()
        await ahead.run()
        assert (await register.notice(refusal)).status is NoticeStatus.SENT
        assert (await register.notice(held)).status is NoticeStatus.REQUESTED
        ahead.clocks = None
        await ahead.run()
        assert (await register.notice(held)).attempt == 1  # what was held back was its clock's doing

    async def test_takes_no_living_senders_claim_as_lost(self, register: Register, ahead: Outbox) -> None:
        id = await register.refusal()
        claimed_at = utc_now() - timedelta(seconds=61)
        await handlers.claim_notice(ClaimNotice(id), register.edge.desk(now=claimed_at))
        await register.shown(id, 2)
        assert await ahead.run() == 0
        assert await register.failures(id) == []
        ahead.clocks = None
        await ahead.run()
        assert await register.failures(id) == [Delivery.UNCERTAIN]


class TestSweep:
    async def test_the_outbox_examines_what_is_due_and_not_what_was_sent(self, register: Register) -> None:
        for _ in range(5):
            await register.refusal()
        await register.outbox().run()
        while await register.edge.database.notices.count_documents({"status": "sent"}) < 5:
            await asyncio.sleep(0.01)
        await register.refusal()
        which = {"lane": {"$in": [0, 1, 2]}, "next_at": queries.due(utc_now())}
        found = register.edge.database.notices.find(which).sort([("lane", 1), ("next_at", 1)])
        stats = (await found.explain())["executionStats"]
        assert stats["nReturned"] == stats["totalDocsExamined"] == 1
