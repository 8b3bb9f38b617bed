"""A refusal that came back: the mail server took it, its mailbox does not exist, and the asker is told by
telephone («phải thông báo ngay trong ngày», Điều 11.1.a, hỏi đáp, gạch 1)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from playwright.sync_api import Browser, expect

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from shared.calendar import VIETNAM
from tests.journeys.acts import ask, deadline, letters, ok, once
from tests.journeys.people import Person

REFUSAL = {
    "ground": "out_of_scope", "explanation": "Việc này không thuộc chức năng của cơ quan bảo hiểm xã hội.",
    "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã nơi có đất",
}  # fmt: skip


def test_whom_a_mail_did_not_reach_is_told_another_way(
    edges: Edges, system: System, browser: Browser
) -> None:
    address = f"khong-ton-tai-{uuid4().hex[:8]}@nguoi-dan.example.vn"
    _, receipt = ask(edges, email=address)
    letters(edges, address, 1)
    ok(edges.post("qa", f"/v1/questions/{receipt['id']}/refusal", REFUSAL, once(), "ha"))
    subject = f"question-{receipt['id']}"

    def refusal(state: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            items = ok(edges.get("notifier", "/v1/notices", "oanh", subject=subject, state=state))["items"]
            return next((item for item in items if item["kind"] == "refusal"), None)

        return eventually(f"thư báo ở trạng thái {state}", look, 30)

    notice = refusal("bounced")
    assert (notice["needs_person"], notice["bounce_status"]) == (True, "5.1.1")
    assert notice["sent_at"] < notice["bounced_at"]
    assert deadline(edges, subject, "same_day_notice", "met")

    with Person(browser, system, "oanh") as oanh:
        page = oanh.opens("notifier", f"/desk/notices/{notice['id']}")
        expect(page.get_by_text("Cần báo người nhận bằng cách khác.")).to_be_visible()
        oanh.looks_over()
        page.get_by_label("Báo bằng", exact=True).select_option("phone")
        page.get_by_label("Lúc", exact=True).fill(f"{datetime.now(VIETNAM):%Y-%m-%dT%H:%M}")
        page.get_by_role("textbox", name="Bằng chứng").fill("gọi số 0912 345 678")
        page.get_by_role("button", name="Ghi nhận đã báo").click()
        expect(page.get_by_text("Không ghi địa chỉ thư").first).to_be_visible()
        oanh.looks_over()
        page.get_by_role("textbox", name="Bằng chứng").fill("Sổ trực 24/2026, dòng 3")
        page.get_by_role("button", name="Ghi nhận đã báo").click()
        expect(page.get_by_text("Cần báo người nhận bằng cách khác.")).to_have_count(0)
        oanh.looks_over()

    assert refusal("reached")["reached_way"] == "phone"
    tracked = {"code": receipt["tracking_code"], "email": address}
    eventually(
        "người hỏi thấy đã được báo bằng cách khác",
        lambda: "Báo bằng cách khác." in str(ok(edges.post("qa", "/v1/tracking", tracked, once()))) or None,
    )
