"""Really buried letters, from the broker to the operator's page: found from the board, tried, settled."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from shared.messaging.relay import producer_for
from tests.journeys.acts import ok
from tests.journeys.people import LARGEST_PAGE, Person
from tests.shared.small_service import record

HOME = "/desk/dead-letters"


def publish_poison(system: System, question: UUID) -> None:
    """What no build of ours would publish, and an event that comes after it."""

    async def send() -> None:
        producer = producer_for(system.kafka_bootstrap, "qa")
        await producer.start()
        try:
            for version, value in ((1, b'{"asker_name": "Tran Van Loc", "note": "0912345678"}'), (2, b"{}")):
                one = record(question, version, value=value)
                await producer.send_and_wait(one.topic, one.value, key=one.key, headers=list(one.headers))
        finally:
            await producer.stop()

    with ThreadPoolExecutor(1) as own_loop:  # Playwright's is in the way here
        own_loop.submit(asyncio.run, send()).result()


def buried(edges: Edges, question: UUID) -> list[str]:
    found = edges.get("notifier", "/v1/dead-letters", "oanh", key=f"question-{question}", state="buried")
    return [row["id"] for row in ok(found)["items"]]


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_operator_settles_what_is_buried(
    browser: Browser, system: System, edges: Edges, scripts: bool
) -> None:
    question = uuid4()
    publish_poison(system, question)
    ids = eventually("hai thư chết", lambda: (found := buried(edges, question)) and len(found) == 2 and found)
    with Person(browser, system, "oanh", java_script_enabled=scripts) as person:
        look = person.looks_over if scripts else lambda: None
        page = person.opens("notifier", "/desk/operations")
        page.get_by_role("link", name="Xem, xử lý lại", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Thư chết")
        look()
        page.get_by_label("Hồ sơ (khóa)").fill(f"question-{question}")
        page.get_by_role("button", name="Lọc", exact=True).click()
        look()
        page.get_by_role("button", name=re.compile("Thử trước 2 thư")).click()
        settled(page, "Đã thử xong, chưa ghi gì.")
        expect(page.get_by_role("heading", name="Chưa nên làm thật")).to_be_visible()
        look()
        page = person.opens("notifier", f"{HOME}/{ids[0]}")
        assert "Tran Van Loc" not in page.content()
        assert "0912345678" not in page.content()
        look()
        page.locator("summary", has_text="Sửa rồi xử lý lại").click()
        page.get_by_label("Phần cần sửa").fill('{"question_id": ')
        page.get_by_label("Lý do sửa").fill("thiếu mã câu hỏi")
        page.get_by_role("button", name="Lưu bản sửa và thử").click()
        expect(page.get_by_role("link", name="Đây không phải JSON đọc được.")).to_be_visible()
        look()
        for id, followers in ((ids[0], 1), (ids[1], 0)):
            page = person.opens("notifier", f"{HOME}/{id}")
            page.locator("summary", has_text="Bỏ qua").click()
            page.get_by_label("Lý do bỏ qua").fill("bản tin thử của diễn tập")
            page.get_by_label("Tôi hiểu").check()
            page.get_by_role("button", name="Bỏ qua thư này").click()
            settled(page, "Thư ấy đã được bỏ qua." if followers else "Thư này đã được bỏ qua.")
            look()
        page = person.opens("notifier", f"{HOME}/{ids[0]}")
        expect(page.get_by_text("bản tin thử của diễn tập").first).to_be_visible()
        look()
    assert buried(edges, question) == []


def settled(page: Page, words: str) -> None:
    """A worker does it; without JavaScript the page is asked for again."""
    said = page.get_by_text(words)
    for _ in range(20):
        if said.count():
            break
        page.wait_for_timeout(500)
        if page.get_by_role("link", name="Xem lại").count():
            page.get_by_role("link", name="Xem lại").click()
    expect(said).to_be_visible()


@pytest.mark.parametrize("service", ["content", "qa", "sync", "notifier"])
def test_each_service_has_the_page_and_it_weighs_little(
    browser: Browser, system: System, service: str
) -> None:
    with Person(browser, system, "oanh") as person:
        page = person.opens(service, HOME)
        person.looks_over()
        sizes: list[int] = []
        page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
        session = person.context.new_cdp_session(page)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.reload(wait_until="load")
        page.wait_for_timeout(500)
        assert sum(sizes) < LARGEST_PAGE, sizes


def test_nobody_else_gets_in(browser: Browser, system: System) -> None:
    with Person(browser, system, "ha") as person:
        page = person.opens("qa", HOME)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Không có thẩm quyền thực hiện việc này", timeout=10_000
        )
        person.looks_over()
