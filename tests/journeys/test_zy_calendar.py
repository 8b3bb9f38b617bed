"""The keeper applies a new day off; the register moves what is open and says by which document, qa and
content show the new date to whom it concerns, and what comes later is counted by the new days. Late among the
journeys: the others count by the packed days."""

from datetime import date, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, expect

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from shared.calendar import CALENDAR, VIETNAM
from tests.journeys.acts import ask, deadline, deadlines, guidance, ok, once
from tests.journeys.people import Person

DOCUMENT = "Công văn 4242/VPCP-KGVX ngày 20/11/2026"
MOMENT = timedelta(microseconds=1)
NEW_YEAR = f"/desk/calendar/new?year={CALENDAR.years[-1] + 1}"  # as the law has it, for the keeper to confirm


def last_day(view: dict[str, Any]) -> date:
    return (datetime.fromisoformat(view["due_at"]) - MOMENT).astimezone(VIETNAM).date()


def test_a_new_day_off_moves_what_is_open_and_everybody_shows_it(
    system: System, edges: Edges, browser: Browser
) -> None:
    sent, receipt = ask(edges)
    owed = returned(edges)
    subject = f"question-{receipt['id']}"
    before = deadline(edges, subject, "triage", "open")
    was = last_day(before)
    will = CALENDAR.next_working_day(was)

    now = ok(edges.get("notifier", "/v1/calendar"))
    years = [year for year in now["years"] if year["year"] == was.year]
    day = {"date": was.isoformat(), "kind": "holiday", "vi": "nghỉ theo quyết định mới", "en": "a day off",
           "by": "vpcp-4242"}  # fmt: skip
    row = {name: years[0][name] for name in ("year", "provisional")}
    days = sorted([*(_row(each) for each in years[0]["days"]), day], key=lambda each: each["date"])
    draft = {"base": now["version"], "documents": {"vpcp-4242": DOCUMENT}, "years": [row | {"days": days}]}
    made = ok(edges.post("notifier", "/v1/calendar/drafts", draft, once(), "thao"), 201)
    path = f"/v1/calendar/drafts/{made['version']}"
    seen = ok(edges.get("notifier", f"{path}/preview", "thao"))
    assert before["id"] in {item["id"] for item in seen["items"]}
    assert last_day(deadlines(edges, subject)["triage"]) == was  # looking changes nothing
    with Person(browser, system, "thao", reduced_motion="reduce") as thao:
        sheet = f"/desk/calendar/{made['version']}"
        for shown in (sheet, f"{sheet}/edit?year={was.year}", "/desk/calendar", NEW_YEAR):
            page = thao.opens("notifier", shown)
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            thao.walks()
            thao.looks_over()

    tag = edges.get("notifier", path, "thao").etag
    ok(edges.post("notifier", f"{path}/apply", {"document": DOCUMENT}, once(), "thao", etag=tag))

    def moved() -> dict[str, Any] | None:
        view = deadlines(edges, subject)["triage"]
        return view if last_day(view) == will else None

    after = eventually("hạn được tính lại", moved, 30)
    assert after["calendar_version"] == made["version"]
    eventually(
        "lịch áp dụng xong",
        lambda: [
            each for each in ok(edges.get("notifier", "/v1/calendar/versions"))["items"]
            if each["version"] == made["version"] and each["moved"]
        ] or None,
        60,
    )  # fmt: skip

    for words in (tracked(edges, sent, receipt), desk(edges, receipt)):
        assert f"sang hết ngày {will:%d/%m/%Y}, theo {DOCUMENT}." in str(words["history"])
        assert "nghỉ theo quyết định mới" in str(words)
    assert last_day(tracked(edges, sent, receipt)) == will
    assert receipt["id"] in {
        row["id"] for row in ok(edges.get("qa", "/v1/questions", "ha", status="received"))["items"]
        if last_day(row) == will
    }  # fmt: skip
    supply = eventually(
        "bài của đơn vị theo lịch mới",
        lambda: c if (c := submission(edges, owed)["clock"])["calendar_version"] == made["version"] else None,
        30,
    )
    assert last_day(supply) == CALENDAR.next_working_day(last_day(owed["clock"]))

    with Person(browser, system, "minh") as minh:
        page = minh.opens("content", f"/desk/review/{owed['id']}")
        expect(page.get_by_text(f"theo {DOCUMENT}.")).to_be_visible()
        expect(page.get_by_text("nghỉ theo quyết định mới").first).to_be_visible()
        minh.looks_over()

    with Person(browser, system, "thao") as thao:
        page = thao.opens("notifier", f"/desk/deadlines/{after['id']}")
        expect(page.get_by_text(DOCUMENT).first).to_be_visible()
        expect(page.get_by_text("nghỉ theo quyết định mới").first).to_be_visible()
        thao.looks_over()
        thao.opens("notifier", f"/lich?year={was.year}")
        expect(page.get_by_text("nghỉ theo quyết định mới").first).to_be_visible()
        thao.looks_over()
        thao.opens("notifier", f"/desk/calendar/{made['version']}")
        thao.looks_over()

    def counts_anew() -> bool:
        _, later = ask(edges)
        view = deadline(edges, f"question-{later['id']}", "triage", "open")
        return view["calendar_version"] == made["version"] and last_day(view) == will

    eventually("hỏi đáp tính theo lịch mới", counts_anew, 30)


def returned(edges: Edges) -> dict[str, Any]:
    """An item that its unit still owes: sent, and given back as incomplete."""
    sent = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    body = {"reason": "incomplete", "words": "Thiếu địa chỉ nơi nộp."}
    return ok(edges.post("content", f"/v1/submissions/{sent['id']}/return", body, once(), "minh"))


def submission(edges: Edges, item: dict[str, Any]) -> dict[str, Any]:
    return ok(edges.get("content", f"/v1/submissions/{item['id']}", "minh"))


def tracked(edges: Edges, sent: dict[str, Any], receipt: dict[str, Any]) -> dict[str, Any]:
    """As its asker sees the question, when qa has heard of the move."""
    proof = {"code": receipt["tracking_code"], "email": sent["email"]}

    def look() -> dict[str, Any] | None:
        found = ok(edges.post("qa", "/v1/tracking", proof, once()))
        return found if "Lịch làm việc thay đổi" in str(found) else None

    return eventually("hỏi đáp nghe hạn được tính lại", look, 30)


def desk(edges: Edges, receipt: dict[str, Any]) -> dict[str, Any]:
    return ok(edges.get("qa", f"/v1/questions/{receipt['id']}", "ha"))


def _row(day: dict[str, Any]) -> dict[str, Any]:
    return {name: day[name] for name in ("date", "kind", "vi", "en", "by")}
