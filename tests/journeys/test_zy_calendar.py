"""The keeper applies a new day off; the register moves what is open and says by which document, and qa counts
what comes later by the new days. Late among the journeys: the others count by the packed days."""

from datetime import date, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, expect

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from shared.calendar import CALENDAR, VIETNAM
from tests.journeys.acts import ask, deadline, deadlines, ok, once
from tests.journeys.people import Person

DOCUMENT = "Công văn 4242/VPCP-KGVX ngày 20/11/2026"
MOMENT = timedelta(microseconds=1)


def last_day(view: dict[str, Any]) -> date:
    return (datetime.fromisoformat(view["due_at"]) - MOMENT).astimezone(VIETNAM).date()


def test_a_new_day_off_moves_what_is_open_and_everybody_shows_it(
    system: System, edges: Edges, browser: Browser
) -> None:
    _, receipt = ask(edges)
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


def _row(day: dict[str, Any]) -> dict[str, Any]:
    return {name: day[name] for name in ("date", "kind", "vi", "en", "by")}
