"""A deadline runs out while nobody acts: warned, breached, told, and shown with its proof; and the pages of
the register as those on call use them, by keyboard too."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, expect
from pymongo import MongoClient

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from services.notifier.domain import deadline_id
from shared.calendar import CALENDAR
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import DeadlineOpened
from shared.journal import Commit, Head, Stored
from shared.mongo import to_document
from tests.journeys.acts import mails, ok
from tests.journeys.people import Person

LABEL = "HD-2026-11-{}"


def runs_out(system: System, seconds: float) -> tuple[UUID, str]:
    """A deadline as the register would have opened it, whose term ends in so many seconds: no term of the law
    is that short. Its id, and how people call its subject."""
    due_at = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    mark, subject = uuid4().hex[:7].upper(), f"question-{uuid4()}"
    warn_at = due_at - timedelta(seconds=seconds / 2)
    clock = clock_for(
        CALENDAR.same_day(due_at), CALENDAR, duty="same_day_notice", basis="dieu-11#hoi-dap-1",
        owner_unit="bhxh-can-tho", reason="ngày tiếp nhận câu hỏi", warn_at=warn_at,
    ).model_copy(update={"due_at": due_at, "started_at": due_at - timedelta(seconds=60)})  # fmt: skip
    event = DeadlineOpened(
        deadline_id=deadline_id(subject, clock.name), subject=subject, source="qa", clock=clock,
        label=LABEL.format(mark),
    )  # fmt: skip
    commit = Commit(
        key=f"qa:{subject}:1:0>{event.deadline_id}", stream=f"deadline-{event.deadline_id}", version=0,
        events=(Stored.of(event),), at=datetime.now(UTC), by="system", correlation=uuid4().hex, causation="",
    ).sealed(Head())  # fmt: skip
    client: MongoClient[dict[str, Any]] = MongoClient(system.mongo_uri, w="majority")
    with client:
        client["notifier"]["journal"].insert_one(to_document(commit))
    return event.deadline_id, LABEL.format(mark)


@pytest.fixture(scope="module")
def breached(system: System) -> tuple[UUID, str]:
    return runs_out(system, 8)


def events_of(system: System, id: UUID) -> list[str]:
    client: MongoClient[dict[str, Any]] = MongoClient(system.mongo_uri)
    with client:
        commits = client["notifier"]["journal"].find({"stream": f"deadline-{id}"}).sort("version", 1)
        return [event["name"].rpartition(".")[2] for commit in commits for event in commit["events"]]


def notices(edges: Edges, id: UUID, system: System) -> list[dict[str, Any]]:
    """Those about this deadline that a server has accepted."""
    subject = ok(edges.get("notifier", f"/v1/deadlines/{id}", "oanh"))["subject"]
    items: list[dict[str, Any]] = ok(edges.get("notifier", "/v1/notices", "oanh", subject=subject))["items"]
    return [item for item in items if item["sent_at"]]


def test_a_deadline_is_warned_of_breached_and_told_at_once_when_it_was_due_the_same_day(
    breached: tuple[UUID, str], system: System, edges: Edges
) -> None:
    id, label = breached
    told = eventually(
        "thư báo quá hạn và báo Trung tâm",
        lambda: n if len(n := notices(edges, id, system)) >= 2 else None,
        45,
    )
    assert sorted(n["kind"] for n in told) == ["breach", "escalation"]
    assert sorted(n["recipient"] for n in told) == ["centre:tt-cskh", "unit:bhxh-can-tho"]
    assert events_of(system, id) == ["opened", "warned", "breached", "escalated"]
    view = ok(edges.get("notifier", f"/v1/deadlines/{id}", "oanh"))
    assert view["state"] == "breached"
    for address in ("cantho@bhxh.example.vn", "cskh@bhxh.example.vn"):
        about = [mail for mail in mails(edges, address) if label in mail["text"]]
        assert len(about) == 1
        assert about[0]["message_id"] in {n["message_id"] for n in told}


def _pages(breached: tuple[UUID, str], edges: Edges, system: System) -> dict[str, str]:
    told = eventually("thư báo", lambda: notices(edges, breached[0], system) or None, 45)[0]
    return {
        "the operations board": "/desk/operations",
        "the register": "/desk/deadlines?state=breached",
        "the deadline board": "/desk/deadlines/board",
        "on-time figures": "/desk/deadlines/on-time",
        "a deadline": f"/desk/deadlines/{breached[0]}",
        "the notices": "/desk/notices",
        "a notice's proof": f"/desk/notices/{told['id']}",
        "the ledger": "/desk/ledger",
        "the ledger of one subject": _ledger(breached, edges),
        "the templates": "/desk/templates",
        "a template with a notice's facts": f"/desk/templates?kind={told['kind']}&notice={told['id']}",
        "addresses not written to": "/desk/suppressions",
        "the clauses": "/can-cu",
        "the calendar": "/lich",
        "the keeper's calendar": "/desk/calendar",
    }


def _ledger(breached: tuple[UUID, str], edges: Edges) -> str:
    subject = ok(edges.get("notifier", f"/v1/deadlines/{breached[0]}", "oanh"))["subject"]
    return f"/desk/ledger?subject={subject}"


def test_every_page_of_the_register_is_without_fault_for_axe_for_a_phone_and_by_keyboard(
    breached: tuple[UUID, str], system: System, edges: Edges, browser: Browser
) -> None:
    with Person(browser, system, "oanh", reduced_motion="reduce") as oanh:
        for path in _pages(breached, edges, system).values():
            oanh.opens("notifier", path)
            oanh.walks()
            oanh.looks_over()


def test_a_deadline_is_found_and_opened_by_keyboard_alone(
    breached: tuple[UUID, str], system: System, browser: Browser
) -> None:
    id, label = breached
    with Person(browser, system, "oanh", reduced_motion="reduce") as oanh:
        page = oanh.opens(
            "notifier", f"/desk/deadlines?state=breached&day={CALENDAR.day_of(datetime.now(UTC))}"
        )
        for stop in oanh.tabs():
            if str(id) in stop["href"]:
                page.keyboard.press("Enter")
                break
        expect(page).to_have_url(re.compile(str(id)))
        expect(page.get_by_text(label).first).to_be_visible()


def test_the_ledger_of_one_subject_is_printed_as_one_page(
    breached: tuple[UUID, str], system: System, edges: Edges, browser: Browser
) -> None:
    eventually("thư báo", lambda: notices(edges, breached[0], system) or None, 45)
    with Person(browser, system, "oanh") as oanh:
        page = oanh.opens("notifier", _ledger(breached, edges))
        asides, heading = page.locator("nav.side, main form"), page.get_by_text("in lúc")
        assert [each.is_visible() for each in (*asides.all(), heading)] == [True, True, False]
        page.emulate_media(media="print")
        assert [each.is_visible() for each in (*asides.all(), heading)] == [False, False, True]
        expect(page.get_by_role("table").first).to_be_visible()
        printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
