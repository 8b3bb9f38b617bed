"""Lịch làm việc thay đổi: a unit's running term follows the register: dossier, lists, record."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from services.content import handlers
from services.content.domain.decisions import ReturnToUnit, RewriteText
from services.content.domain.submission import Submission
from services.content.dossier import Dossier, dossier
from services.content.queries.submissions import SUBMISSIONS
from services.content.regulation import ReturnReason
from shared.calendar import last_day
from shared.calendars import Calendars
from shared.contracts.base import Clock, Recorded
from shared.contracts.notifier import DeadlineMoved
from shared.testing import local
from tests.content.conftest import Edges
from tests.content.world import BODY, LAN, MINH, Office, named
from tests.moves import NEITHER, OFF_27, moved
from tests.notifier.calendars import DECISION

NEW_TEXT = BODY.__class__(BODY.title, "Ai được đóng, đóng ở đâu.", BODY.html)


@pytest.fixture
async def owed() -> Office:
    """Returned as incomplete: what is new since Thursday 26 November 2026 is owed by the end of Friday."""
    office = Office()
    office.now = local("2026-11-26T09:00")
    await office.submit(event="2026-11-26T08:00")
    await handlers.return_to_unit(ReturnToUnit(office.id, ReturnReason.INCOMPLETE), office.desk(MINH))
    return office


async def clock(office: Office) -> Clock:
    running = (await office.current()).clock
    assert running is not None
    return running


async def hears(office: Office, recorded: Recorded[DeadlineMoved]) -> None:
    desk = office.desk(LAN, once=recorded.id, causation=recorded.id)
    await handlers.on_deadline_moved(recorded, desk)


async def move(office: Office, **facts: Any) -> Recorded[DeadlineMoved]:
    heard = moved(f"submission-{office.id}", await clock(office), source="content", **facts)
    await hears(office, heard)
    return heard


async def test_the_running_term_is_the_one_that_the_register_counts(owed: Office) -> None:
    heard = await move(owed)
    await hears(owed, heard)
    assert (named(owed.events())[-2:], await clock(owed)) == (["returned", "clock_moved"], heard.event.clock)
    assert last_day(heard.event.from_due_at).isoformat() == "2026-11-27"
    assert last_day((await clock(owed)).due_at).isoformat() == "2026-11-30"


async def test_a_term_that_was_replaced_or_is_anothers_changes_nothing(owed: Office) -> None:
    before = await clock(owed)
    first = before.model_copy(update={"name": "supply"})
    await hears(owed, moved(f"submission-{owed.id}", first, source="content"))
    await hears(owed, moved(f"submission-{uuid4()}", before, source="content"))
    await hears(owed, moved(f"question-{owed.id}", before, source="qa"))
    assert await clock(owed) == before


async def test_an_older_calendar_told_later_changes_nothing(owed: Office) -> None:
    old = moved(f"submission-{owed.id}", await clock(owed), source="content")
    await move(owed, calendar=NEITHER)
    newest = await clock(owed)
    await hears(owed, old)
    assert await clock(owed) == newest


async def test_returned_again_it_runs_on_as_it_was_moved(owed: Office) -> None:
    await move(owed)
    due = (await clock(owed)).due_at
    await handlers.rewrite_text(RewriteText(owed.id, NEW_TEXT), owed.desk(LAN))
    await handlers.return_to_unit(ReturnToUnit(owed.id, ReturnReason.INCOMPLETE), owed.desk(MINH))
    assert ((await clock(owed)).name, (await clock(owed)).due_at) == ("supply:3", due)


class TestWhatIsShown:
    async def test_the_lists_have_the_new_date_built_anew_or_step_by_step(self, owed: Office) -> None:
        await move(owed)
        commits = await owed.journal.read(Submission.stream_of(owed.id))
        row = await SUBMISSIONS.fold(commits, "content", owed.vault)
        assert row["due_at"] == (await clock(owed)).due_at
        (last,) = await SUBMISSIONS.updates(commits[-1], "content", owed.vault)
        assert last._doc["$set"]["due_at"] == row["due_at"]
        assert row["stage_since"] == commits[-2].at  # it stands where it stood

    @pytest.mark.parametrize(
        ("supplied", "word"),
        [
            pytest.param(None, "Đang tính", id="still owed, and not late any more"),
            pytest.param("2026-11-30T17:00", "Đúng hạn", id="supplied by the new date"),
            pytest.param("2026-12-01T08:00", "Trễ hạn", id="supplied after it"),
        ],
    )
    async def test_the_dossier_judges_by_the_new_date(
        self, edges: Edges, owed: Office, supplied: str | None, word: str
    ) -> None:
        heard = moved(f"submission-{owed.id}", await clock(owed), source="content")
        owed.now = local(supplied or "2026-11-28T09:00")
        if supplied:  # the move may be told after the supply
            await handlers.rewrite_text(RewriteText(owed.id, NEW_TEXT), owed.desk(LAN))
        await hears(owed, heard)
        shown = await self.dossier(edges, owed)
        assert shown.clock is not None
        assert (shown.clock.word, f"{shown.clock.due_day:%d/%m}") == (word, "30/11")
        assert [d["date"].isoformat() for d in shown.clock.days if d["due"]] == ["2026-11-30"]
        line = shown.history[0]
        assert (line["title"], line["text"]) == (
            "Lịch làm việc thay đổi",
            f"Hạn cung cấp chuyển từ hết ngày 27/11/2026 sang hết ngày 30/11/2026, theo {DECISION}.",
        )

    async def test_a_calendar_that_leaves_the_date_tells_the_history_nothing(
        self, edges: Edges, owed: Office
    ) -> None:
        await move(owed, calendar=NEITHER)
        assert named(owed.events())[-1] == "clock_moved"
        assert (await self.dossier(edges, owed)).history[0]["title"] == "Trả lại đơn vị"

    async def dossier(self, edges: Edges, office: Office) -> Dossier:
        edge = replace(edges.service.edge, journal=office.journal, calendars=Calendars())
        edge.calendars.take(OFF_27.data)
        return await dossier(edge, office.desk(MINH), await office.current())
