"""Thư đầu ngày: one a unit and working day, of what is overdue, due today or soon, or none at all."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.notifier.gateways import Mail
from services.notifier.jobs import Digests, Withheld
from services.notifier.queries import DueNotice
from shared.contracts.notifier import DeadlineBreached, DeadlineWarned
from shared.desk import utc_now
from shared.testing import local
from tests.notifier.office import Office, clock_due, office

BEFORE = local("2026-11-20T09:00")
MORNING = local("2026-11-23T07:30")  # a Monday; Tuesday the 24th is a day off
TODAY = local("2026-11-24T00:00")  # the instant with which Monday ends


@pytest.fixture
async def desk(mongo_uri: str) -> AsyncIterator[Office]:
    async with office(mongo_uri) as found:
        yield found


async def some_work(desk: Office, unit: str = "bhxh-ha-noi") -> None:
    """One overdue, one due today, one due soon, one warned of, one far away."""
    for label, due_at in (
        ("HD-LATE", local("2026-11-21T00:00")), ("HD-TODAY", TODAY), ("HD-SOON", local("2026-11-27T00:00")),
        ("HD-WARNED", local("2026-12-03T00:00")), ("HD-FAR", local("2026-12-03T00:00")),
    ):  # fmt: skip
        clock = clock_due(due_at, unit=unit, provisional=label == "HD-SOON")
        stream = await desk.open(clock, at=BEFORE, label=label)
        if label == "HD-WARNED":
            found = await desk.deadline(stream)
            await desk.puts(
                stream,
                DeadlineWarned(deadline_id=found.id, subject=found.subject, duty="unit_reply", due_at=due_at),
                at=BEFORE,
            )


async def read(desk: Office, at_hour: str = "07:30") -> tuple[DueNotice, Mail]:
    due = await desk.notice("digest")
    return due, await desk.letter(due, local(f"2026-11-23T{at_hour}"))


async def test_a_unit_reads_in_one_mail_what_is_overdue_due_today_and_due_soon(desk: Office) -> None:
    await some_work(desk)
    await Digests(desk.edge).run(MORNING)
    due, mail = await read(desk)
    assert (mail.to, mail.message_id, len(due.listed)) == ("hanoi@bhxh.example.vn", due.message_id, 4)
    assert mail.subject.endswith("ngày 23/11/2026: 1 quá hạn, 1 đến hạn hôm nay, 2 sắp đến hạn")
    parts = mail.text.split("(")
    for label in ("HD-LATE", "HD-TODAY", "HD-SOON", "HD-WARNED"):
        assert label in mail.text
    assert "HD-FAR" not in mail.text
    assert "HD-LATE" in parts[1]
    assert "HD-TODAY" in parts[2]
    assert re.findall(r"(HD-\w+): .*tạm tính", mail.text) == ["HD-SOON"]


async def test_three_replicas_ask_for_it_once_and_a_second_look_adds_nothing(desk: Office) -> None:
    await some_work(desk)
    await some_work(desk, "bhxh-can-tho")
    replicas = [Digests(desk.edge) for _ in range(3)]
    await asyncio.gather(*(replica.run(MORNING) for replica in replicas))
    await Digests(desk.edge).run(MORNING + timedelta(hours=1))
    await desk.notice("digest", 2)
    assert sorted(due.recipient for due in await desk.notices("digest")) == [
        "unit:bhxh-can-tho",
        "unit:bhxh-ha-noi",
    ]


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        pytest.param("2026-11-23T07:29:59", False, id="before the hour"),
        pytest.param("2026-11-23T07:30", True, id="at the hour"),
        pytest.param("2026-11-23T16:00", True, id="after an outage, late the same day"),
        pytest.param("2026-11-24T08:00", False, id="on a holiday nobody is written to"),
        pytest.param("2026-11-22T08:00", False, id="nor on a Sunday"),
        pytest.param("2026-11-25T07:30", True, id="the next working day has a mail of its own"),
    ],
)
async def test_it_is_asked_for_on_working_days_from_its_hour_on(desk: Office, at: str, asked: bool) -> None:
    await some_work(desk)
    await Digests(desk.edge).run(local(at))
    assert await desk.edge.database.journal.count_documents({"stream": {"$regex": "^notice-"}}) == asked


async def test_a_unit_that_has_nothing_gets_nothing(desk: Office) -> None:
    await desk.open(clock_due(local("2026-12-10T00:00")), at=BEFORE)
    await Digests(desk.edge).run(MORNING)
    assert await desk.edge.database.journal.count_documents({"stream": {"$regex": "^notice-"}}) == 0


async def test_what_came_after_the_hour_is_for_tomorrow(desk: Office) -> None:
    """Else a replica that starts at ten would write mornings at ten."""
    await desk.open(clock_due(TODAY), at=MORNING + timedelta(minutes=1))
    await Digests(desk.edge).run(local("2026-11-23T10:00"))
    assert await desk.edge.database.journal.count_documents({"stream": {"$regex": "^notice-"}}) == 0


async def test_its_words_are_those_of_the_moment_of_sending(desk: Office) -> None:
    stream = await desk.open(clock_due(local("2026-11-21T00:00")), at=BEFORE, label="HD-DONE")
    await desk.open(clock_due(TODAY), at=BEFORE, label="HD-OPEN")
    await Digests(desk.edge).run(MORNING)
    due = await desk.notice("digest")
    await desk.meets(stream, at=MORNING)
    mail = await desk.letter(due, MORNING + timedelta(minutes=5))
    assert "HD-DONE" not in mail.text
    assert mail.subject.endswith(": 1 đến hạn hôm nay")


async def test_a_day_gone_by_is_never_written_to_and_nor_is_a_unit_that_is_done(desk: Office) -> None:
    stream = await desk.open(clock_due(TODAY), at=BEFORE)
    await Digests(desk.edge).run(MORNING)
    due = await desk.notice("digest")
    with pytest.raises(Withheld, match="ngày của thư này đã qua"):
        await desk.letter(due, local("2026-11-24T00:00"))
    await desk.meets(stream, at=MORNING)
    with pytest.raises(Withheld, match="mọi việc đã xong"):
        await desk.letter(due, local("2026-11-23T09:00"))


async def test_a_unit_reads_in_its_own_language(desk: Office) -> None:
    await some_work(desk)
    await desk.language("bhxh-ha-noi", "en")
    await Digests(desk.edge).run(MORNING)
    _, mail = await read(desk)
    assert "1 overdue, 1 due today, 2 due soon" in mail.subject


async def test_a_hundred_are_named_and_all_are_counted(desk: Office) -> None:
    await asyncio.gather(*(desk.open(clock_due(local("2026-11-21T00:00")), at=BEFORE) for _ in range(103)))
    await Digests(desk.edge).run(MORNING)
    due, mail = await read(desk)
    assert len(due.listed) == 100
    assert "Quá hạn (103)" in mail.text
    assert "và 3 việc khác" in mail.text


async def test_who_read_of_a_breach_in_a_morning_mail_is_told_of_its_withdrawal(desk: Office) -> None:
    """And who did not, is not."""
    due_at = local("2026-11-21T00:00")
    stream = await desk.open(clock_due(due_at), at=BEFORE)
    found = await desk.deadline(stream)
    breach = DeadlineBreached(deadline_id=found.id, subject=found.subject, duty="unit_reply", due_at=due_at,
                              unit="bhxh-ha-noi")  # fmt: skip
    await desk.hears(await desk.puts(stream, breach, at=due_at))
    await Digests(desk.edge).run(MORNING)
    digest = await desk.notice("digest")
    await desk.hears(await desk.meets(stream, at=due_at - timedelta(hours=1)))
    withdrawal = await desk.notice("rescission")
    with pytest.raises(Withheld, match="chưa báo quá hạn"):
        await desk.letter(withdrawal, utc_now())
    await desk.sent(digest, MORNING)
    mail = await desk.letter(withdrawal, utc_now())
    assert mail.subject.startswith("Rút lại báo quá hạn")
    assert "Việc đã được thực hiện thứ Sáu 20/11/2026, 23:00, trong hạn" in mail.text
