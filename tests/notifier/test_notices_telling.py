"""Who is told of what the register finds out: the unit, its head, the centre, the leadership; once each."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.notifier import domain, handlers
from services.notifier.consumers import TABLE
from services.notifier.domain import deadline_id
from services.notifier.regulation import EVERY_UNIT, Policy
from shared.calendar import CALENDAR
from shared.contracts import notifier as contract
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineReopened,
    DeadlineRescinded,
    DeadlineWarned,
    Level,
    NoticeRequested,
)
from shared.contracts.qa import QuestionProgressReported
from shared.desk import Desk
from shared.testing import local
from tests.notifier.world import (
    RECEIVED,
    SUBJECT,
    World,
    received,
    refused,
    same_day_clock,
    told,
    triage_clock,
)

ONE_BY_ONE = Policy(one_by_one=frozenset({EVERY_UNIT}))
WORKING = local("2026-11-23T10:00")


class Register(World):
    """The register's own events, as it hears them from its own topic."""

    def __init__(self, policy: Policy = ONE_BY_ONE) -> None:
        super().__init__()
        self.policy = policy

    def desk(self, at: datetime = RECEIVED, *, cause: str = "") -> Desk[Policy]:
        return replace(super().desk(at, cause=cause), policy=self.policy)

    async def deadline_of(self, clock: Clock) -> str:
        opened = domain.open_deadline(None, SUBJECT, clock, source="qa", label="HD-1")
        await self.desk().append(opened)
        return f"deadline-{opened[0].id}"

    async def puts(self, stream: str, event: Event, at: datetime = WORKING) -> Recorded[Any]:
        """On record as its own, and then heard."""
        desk = self.desk(at)
        deadline = await desk.load(domain.Deadline, event.deadline_id)  # type: ignore[attr-defined]
        await desk.append(deadline.then(event))
        (commit,) = [
            c for c in self.journal.commits if c.stream == stream and c.version == desk.written[stream]
        ]
        (recorded,) = commit.recorded("notifier")
        return recorded

    async def hears_own(self, recorded: Recorded[Any]) -> None:
        await self.hears(TABLE[contract.DEADLINE][type(recorded.event)], recorded)

    def asked(self) -> list[NoticeRequested]:
        return self.events("notifier.notice.requested")  # type: ignore[return-value]

    def told(self) -> list[tuple[str, str]]:
        return [(notice.kind, notice.recipient) for notice in self.asked()]


def breached(clock: Clock) -> DeadlineBreached:
    return DeadlineBreached(
        deadline_id=deadline_id(SUBJECT, clock.name), subject=SUBJECT, duty=clock.duty, due_at=clock.due_at,
        unit=clock.owner_unit,
    )  # fmt: skip


def escalated(clock: Clock, level: Level) -> DeadlineEscalated:
    return DeadlineEscalated(
        deadline_id=deadline_id(SUBJECT, clock.name), subject=SUBJECT, duty=clock.duty, due_at=clock.due_at,
        unit=clock.owner_unit, level=level, planned_at=clock.due_at,
    )  # fmt: skip


def rescinded(clock: Clock, day: int = 2) -> DeadlineRescinded:
    return DeadlineRescinded(
        deadline_id=deadline_id(SUBJECT, clock.name), subject=SUBJECT, duty=clock.duty,
        unit=clock.owner_unit, breached_due_at=clock.due_at, due_at=clock.due_at + timedelta(days=day),
        calendar_version="2026-11-24", document="TB 1/TB-BNV",
    )  # fmt: skip


TRIAGE = triage_clock(local("2026-11-02T09:00"))
SAME_DAY = same_day_clock(local("2026-11-20T09:00"))


async def test_a_breach_is_told_to_the_unit_that_owes_it_once_however_often_it_is_heard() -> None:
    register = Register()
    heard = await register.puts(await register.deadline_of(TRIAGE), breached(TRIAGE))
    for _ in range(3):
        await register.hears_own(heard)
    (notice,) = register.asked()
    assert (notice.kind, notice.recipient, notice.unit, notice.duty) == (
        "breach",
        "unit:tt-cskh",
        "tt-cskh",
        "triage",
    )
    assert (notice.subject, notice.about, notice.deadline_id) == (SUBJECT, heard.id, heard.event.deadline_id)
    assert notice.statutory is False


async def test_by_default_a_unit_reads_of_a_breach_in_its_morning_mail() -> None:
    register = Register(Policy())
    await register.hears_own(await register.puts(await register.deadline_of(TRIAGE), breached(TRIAGE)))
    assert register.told() == []


async def test_a_unit_chooses_to_get_each_breach_by_itself() -> None:
    chosen, other = Policy(one_by_one=frozenset({"tt-cskh"})), Policy(one_by_one=frozenset({"bhxh-ha-noi"}))
    assert handlers.told_of_breach(breached(TRIAGE), chosen) == ["unit:tt-cskh"]
    assert handlers.told_of_breach(breached(TRIAGE), other) == []


async def test_a_missed_day_is_told_at_once_at_any_hour_to_the_unit_and_to_whoever_is_on_call() -> None:
    """«phải thông báo ngay trong ngày»"""
    register, midnight = Register(Policy(chat=True)), SAME_DAY.due_at
    stream = await register.deadline_of(SAME_DAY)
    await register.hears_own(await register.puts(stream, breached(SAME_DAY), at=midnight))
    assert register.told() == [("breach", "unit:tt-cskh"), ("breach", "chat:on-call")]
    assert [notice.not_before for notice in register.asked()] == [None, None]


@pytest.mark.parametrize(
    ("at", "begins"),
    [
        ("2026-11-23T10:00", None),
        ("2026-11-23T18:00", "2026-11-25T08:00"),
        ("2026-11-21T10:00", "2026-11-23T08:00"),
    ],
)
async def test_anything_else_waits_for_working_hours(at: str, begins: str | None) -> None:
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    await register.hears_own(await register.puts(stream, breached(TRIAGE), at=local(at)))
    (notice,) = register.asked()
    assert notice.not_before == (local(begins) if begins else None)


@pytest.mark.parametrize(
    ("level", "duty", "recipients"),
    [
        (Level.UNIT_HEAD, "triage", ["head:tt-cskh"]),
        (Level.CENTRE, "unit_reply", ["centre:tt-cskh"]),
        (Level.CENTRE, "supply", ["centre:tt-truyen-thong"]),
        (Level.LEADERSHIP, "supply", ["leadership"]),
    ],
)
def test_what_stays_undone_is_carried_up(level: Level, duty: str, recipients: list[str]) -> None:
    event = escalated(TRIAGE, level).model_copy(update={"duty": duty})
    assert handlers.told_of_escalation(event, Policy()) == recipients


def test_a_head_gets_an_sms_too_where_there_is_a_gateway() -> None:
    event = escalated(TRIAGE, Level.UNIT_HEAD)
    assert handlers.told_of_escalation(event, Policy(sms=True)) == ["head:tt-cskh", "sms:head:tt-cskh"]


async def test_those_who_were_to_be_told_of_a_breach_are_told_that_it_is_withdrawn() -> None:
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    for event in (breached(TRIAGE), escalated(TRIAGE, Level.UNIT_HEAD), escalated(TRIAGE, Level.LEADERSHIP)):
        await register.hears_own(await register.puts(stream, event))
    await register.hears_own(await register.puts(stream, rescinded(TRIAGE)))
    told = [recipient for kind, recipient in register.told() if kind == "rescission"]
    assert told == ["unit:tt-cskh", "head:tt-cskh", "leadership"]


async def test_a_breach_after_a_withdrawal_is_a_round_of_its_own() -> None:
    """It is told again, and a second withdrawal is told to those of the second breach alone."""
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    rounds = [breached(TRIAGE), escalated(TRIAGE, Level.LEADERSHIP), rescinded(TRIAGE), breached(TRIAGE),
              rescinded(TRIAGE, day=3)]  # fmt: skip
    for event in rounds:
        await register.hears_own(await register.puts(stream, event))
    assert register.told() == [
        ("breach", "unit:tt-cskh"), ("escalation", "leadership"),
        ("rescission", "unit:tt-cskh"), ("rescission", "leadership"),
        ("breach", "unit:tt-cskh"), ("rescission", "unit:tt-cskh"),
    ]  # fmt: skip
    assert len({notice.notice_id for notice in register.asked()}) == 6


async def test_news_of_a_timely_deed_that_came_late_withdraws_what_was_told() -> None:
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    await register.hears_own(await register.puts(stream, breached(TRIAGE)))
    done = DeadlineMet(
        deadline_id=deadline_id(SUBJECT, TRIAGE.name), subject=SUBJECT, duty="triage", late=False,
        met_at=TRIAGE.due_at - timedelta(hours=1), cause="qa:question-1:3:0",
    )  # fmt: skip
    await register.hears_own(await register.puts(stream, done))
    assert register.told()[1:] == [("rescission", "unit:tt-cskh")]


async def test_what_was_told_before_a_timely_deed_is_withdrawn_once() -> None:
    """Sent back, breached again and done in time again: the first breach's readers have heard already."""
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    facts = {"deadline_id": deadline_id(SUBJECT, TRIAGE.name), "subject": SUBJECT, "duty": "triage"}
    done = DeadlineMet(late=False, met_at=TRIAGE.due_at - timedelta(hours=1), cause="qa:x:3:0", **facts)
    again = DeadlineReopened(cause="qa:x:4:0", withdrawn=True, **facts)
    await register.hears_own(await register.puts(stream, breached(TRIAGE)))
    await register.hears_own(await register.puts(stream, escalated(TRIAGE, Level.LEADERSHIP)))
    await register.hears_own(await register.puts(stream, done))
    await register.puts(stream, again)
    await register.hears_own(await register.puts(stream, breached(TRIAGE)))
    await register.hears_own(await register.puts(stream, done))
    assert [to for kind, to in register.told() if kind == "rescission"] == [
        "unit:tt-cskh", "leadership", "unit:tt-cskh",
    ]  # fmt: skip


@pytest.mark.parametrize("late", [True, False])
async def test_a_deed_that_nobody_was_told_to_be_late_is_told_to_nobody(late: bool) -> None:
    register = Register()
    stream = await register.deadline_of(TRIAGE)
    done = DeadlineMet(deadline_id=deadline_id(SUBJECT, TRIAGE.name), subject=SUBJECT, duty="triage",
                       met_at=TRIAGE.due_at, late=late, cause="qa:question-1:3:0")  # fmt: skip
    await register.hears_own(await register.puts(stream, done))
    assert register.told() == []


@pytest.mark.parametrize(
    ("stage", "recipients"),
    [
        ("warned", []),
        ("last_morning", []),
        ("evening", ["unit:tt-cskh"]),
        ("night", ["centre:tt-cskh"]),
        ("x", []),
    ],
)
async def test_only_reminders_of_the_last_hours_go_out_before_the_morning_mail(
    stage: str, recipients: list[str]
) -> None:
    register = Register()
    event = DeadlineWarned(deadline_id=deadline_id(SUBJECT, SAME_DAY.name), subject=SUBJECT, stage=stage,
                           duty="same_day_notice", due_at=SAME_DAY.due_at, unit="tt-cskh")  # fmt: skip
    stream = await register.deadline_of(SAME_DAY)
    await register.hears_own(await register.puts(stream, event, at=local("2026-11-20T22:00")))
    assert [recipient for _, recipient in register.told()] == recipients


async def test_an_event_of_an_older_build_names_no_unit_and_the_deadline_does() -> None:
    register = Register()
    event = breached(SAME_DAY).model_copy(update={"unit": ""})
    await register.hears_own(await register.puts(await register.deadline_of(SAME_DAY), event))
    (notice,) = register.asked()
    assert (notice.unit, notice.recipient) == ("tt-cskh", "unit:tt-cskh")


async def test_a_letter_to_an_asker_says_whose_duty_it_is_about() -> None:
    register = Register()
    clock = triage_clock().model_copy(update={"name": "promised_reply:1", "owner_unit": "bhxh-ha-noi"})
    progress = QuestionProgressReported(
        question_id=received().question_id, round=1, words_ref="w", words_hash="h",
        promised_for=RECEIVED.date(), opens=(clock,),
    )  # fmt: skip
    for version, (handler, event) in enumerate(
        [(handlers.acknowledge_question, received()), (handlers.notify_refusal, refused()),
         (handlers.notify_progress, progress)], 1
    ):  # fmt: skip
        await register.hears(handler, told(event, version, WORKING))
    assert [(notice.kind, notice.duty, notice.unit) for notice in register.asked()] == [
        ("acknowledgement", "triage", "tt-cskh"), ("refusal", "same_day_notice", "tt-cskh"),
        ("progress", "unit_reply", "bhxh-ha-noi"),
    ]  # fmt: skip


async def test_one_morning_mail_a_unit_and_day() -> None:
    register = Register()
    request = handlers.RequestDigest("bhxh-ha-noi", "2026-11-23", (deadline_id(SUBJECT, "triage"),))
    for _ in range(2):
        await handlers.request_digest(request, register.desk())
    await handlers.request_digest(replace(request, day="2026-11-25"), register.desk())
    first, second = register.asked()
    assert first.listed == request.listed
    assert (first.about, second.about) == ("2026-11-23", "2026-11-25")


def test_working_hours_end_where_the_calendar_ends() -> None:
    beyond = local(f"{CALENDAR.years[-1] + 1}-06-01T03:00")
    assert domain.in_hours(beyond, CALENDAR, Policy().hours) == beyond
