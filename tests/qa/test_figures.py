"""Số liệu: each number is the questions behind it, and nobody's reach further than what they may read."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import html

from services.qa.queries import figures
from services.qa.queries.figures import Figures
from services.qa.queries.read_models import QUESTIONS
from shared.calendar import CALENDAR
from tests.qa.conftest import Edges
from tests.qa.world import HA

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "_id": f"{number:032x}", "number": f"HD-2026-11-{number:07}", "month": "2026-11",
        "unit": "bhxh-ha-noi", "status": "forwarded", "version": 1, "subject": "Rút một lần",
        "asker": "Nguyễn T. H.", "province": "",
        "received_at": NOW - timedelta(days=10), "sorted_on": "2026-11-20", "reply_due_at": NOW, "field": "",
        "duty": "", "due_at": None, "rounds": 0,
    } | changes  # fmt: skip


ROWS = (
    row(1, status="answered", answered_at=NOW - timedelta(hours=1), answered_on="2026-11-23"),
    row(2, status="closed", answered_at=NOW - timedelta(hours=1), answered_on="2026-11-27"),
    row(3, status="closed", answered_at=NOW, answered_on="2026-11-30"),  # at the first instant too late
    row(4, reply_due_at=NOW),
    row(5, reply_due_at=NOW + timedelta(milliseconds=1)),
    row(6, unit="", status="closed", outcome="refused", ground="out_of_scope"),
    row(7, unit="", status="refused", ground="unclear"),
    row(8, unit="ban-chinh-sach", status="closed", outcome="withdrawn"),
    row(9, unit="", status="split"),
    row(10, unit="bhxh-ha-noi", month="2026-10", status="closed", answered_at=NOW - timedelta(days=9),
        answered_on="2026-11-21"),
)  # fmt: skip


@pytest.fixture
async def filled(edges: Edges) -> Edges:
    await edges.service.database[QUESTIONS].insert_many([dict(each) for each in ROWS])
    return edges


async def counted(edges: Edges, by: Any = HA) -> dict[tuple[str, str], Figures]:
    rows = await figures.by_month(
        edges.service.database, CALENDAR, NOW, by, since="2026-10", until="2026-11"
    )  # fmt: skip
    return {(each.month, each.unit): each for each in rows}


async def test_each_number_is_the_list_behind_it(filled: Edges) -> None:
    for (month, unit), row_ in (await counted(filled)).items():
        for kind, count in row_.counts.items():
            page = await figures.behind(
                filled.service.database, NOW, HA, month=month, unit=unit, kind=kind, limit=100
            )
            assert len(page.rows) == count, (month, unit, kind)


async def test_an_answer_at_the_due_instant_is_late_and_what_is_due_by_now_is_overdue(filled: Edges) -> None:
    hanoi = (await counted(filled))["2026-11", "bhxh-ha-noi"]
    assert hanoi.counts | {"received": 5, "on_time": 2, "late": 1, "open": 1, "overdue": 1} == hanoi.counts
    assert hanoi.rate == 50.0


async def test_the_median_counts_working_days_from_sorting_to_the_answer(filled: Edges) -> None:
    """Friday 20 November to Monday, Friday and the next Monday; Tuesday 24 November is a holiday."""
    assert (await counted(filled))["2026-11", "bhxh-ha-noi"].median_days == 4


async def test_a_question_that_was_split_is_not_counted_but_its_parts(filled: Edges) -> None:
    nobody = (await counted(filled))["2026-11", ""]
    assert (nobody.counts["received"], nobody.counts["out_of_scope"], nobody.counts["unclear"]) == (2, 1, 1)


async def test_all_units_of_a_month_together(filled: Edges) -> None:
    november, october = figures.together(list((await counted(filled)).values()))
    assert (november.month, november.counts["received"]) == ("2026-11", 8)
    assert (october.month, october.counts["on_time"]) == ("2026-10", 1)


async def test_a_unit_sees_its_own_figures_alone(filled: Edges) -> None:
    answer = await filled.get("/v1/figures?since=2026-10&until=2026-11", "u-tuan")
    assert {row["unit"] for row in answer.json()["items"]} == {"bhxh-ha-noi"}
    behind = await filled.get("/v1/figures/questions?month=2026-11&counted=received", "u-tuan")
    assert {row["unit"] for row in behind.json()["items"]} == {"bhxh-ha-noi"}


async def test_the_months_are_counted_from_their_index_alone(filled: Edges) -> None:
    pipeline = [{"$match": {"month": {"$gte": "2026-10"}}}, {"$group": {"_id": "$unit", "n": {"$sum": 1}}}]
    plan = await filled.service.database.command(
        "explain", {"aggregate": QUESTIONS, "pipeline": pipeline, "cursor": {}, "hint": "months"}
    )
    assert "COLLSCAN" not in str(plan)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("since=2026-13", "since", id="no such month"),
        pytest.param("since=2026-11&until=2026-10", "since", id="backwards"),
        pytest.param("since=2020-01&until=2026-11", "since", id="too many months"),
    ],
)
async def test_a_span_of_months_that_is_none_is_refused_by_name(edges: Edges, query: str, field: str) -> None:
    answer = await edges.get(f"/v1/figures?{query}", "u-ha")
    assert answer.status_code == 422
    assert field in answer.text


async def test_a_number_that_is_none_is_refused(edges: Edges) -> None:
    answer = await edges.get("/v1/figures/questions?month=2026-11&counted=everything", "u-ha")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "counted")


async def test_the_file_holds_the_figures_and_each_question_and_no_word_of_an_asker(filled: Edges) -> None:
    answer = await filled.get("/v1/figures.xlsx?since=2026-10&until=2026-11", "u-ha")
    assert answer.status_code == 200
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    whole = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert whole.count("HD-2026-1") == len(ROWS)
    assert "Nguyễn" not in whole
    assert "Rút một lần" not in whole


async def test_the_page_leads_from_each_number_to_its_questions(filled: Edges) -> None:
    shown = html.fromstring((await filled.page("/desk/figures?since=2026-10&until=2026-11", "u-ha")).text)
    links = [a.get("href") for a in shown.iter("a") if "/desk/figures/questions" in (a.get("href") or "")]
    assert len(links) > 8
    for link in links:
        page = await filled.page(link, "u-ha")
        assert page.status_code == 200, link
