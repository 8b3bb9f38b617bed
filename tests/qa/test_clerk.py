"""A clerk's day in Chromium: the keyboard alone, two people on one question, what is kept as one types, a
list that keeps itself up to date. Real pages, real mongod; nobody waits for luck."""

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.local.ports import free_ports
from tests.journeys.conftest import CHROMIUM
from tests.journeys.people import AXE, LARGEST_PAGE, RULES
from tests.qa.world import question_in

pytestmark = pytest.mark.connected

REPO = Path(__file__).resolve().parents[2]
SUBJECTS = (
    "Điều kiện rút BHXH một lần khi đã nghỉ việc 14 tháng", "Thẻ BHYT điện tử báo sai nơi đăng ký khám",
    "Con tôi sắp sinh con, chế độ thai sản thế nào", "Doanh nghiệp chậm đóng thì chốt sổ thế nào",
    "Lương hưu khi đóng thiếu 6 năm",
)  # fmt: skip

Arrives = Callable[..., Page]


class Site:
    """The pages as a process of their own, which can be stopped and started again."""

    def __init__(self, mongo_uri: str) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        where = (mongo_uri, f"clerk-{uuid4().hex[:8]}", str(port))
        self._command = [sys.executable, "-m", "tests.qa.site", *where]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=REPO)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/health/live")  # noqa: S310 (our own port)
                return
            assert time.monotonic() < until
            assert self._process.poll() is None
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def post(self, path: str, body: Any, who: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        headers |= {"Authorization": f"Bearer {who}"} if who else {}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own port)
            found: dict[str, Any] = json.load(answer)
        return found

    def asks(self, **changes: Any) -> str:
        return str(self.post("/v1/questions", question_in(**changes))["id"])

    def does(self, id: str, act: str, body: Any, who: str) -> None:
        self.post(f"/v1/questions/{id}/{act}", body, who)

    def status(self, id: str) -> str:
        request = urllib.request.Request(f"{self.url}/v1/questions/{id}")  # noqa: S310
        request.add_header("Authorization", "Bearer u-thao")
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (our own port)
            return str(json.load(answer)["status"])


@pytest.fixture(scope="module")
def site(mongo_uri: str) -> Iterator[Site]:
    site = Site(mongo_uri)
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def arrives(browser: Browser, site: Site) -> Iterator[Arrives]:
    contexts = []

    def arrive(who: str, path: str, **options: Any) -> Page:
        context = browser.new_context(
            locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh",
            extra_http_headers={"Authorization": f"Bearer {who}"}, **options,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.goto(site.url + path)
        return page

    yield arrive
    for context in contexts:
        context.close()


class Hand:
    """Presses keys and counts them: a letter of a text is a keystroke too."""

    def __init__(self, page: Page) -> None:
        self.page, self.strokes = page, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.strokes += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.strokes += len(text)


def number(page: Page) -> str:
    return page.locator(".detail header .code").inner_text()


def test_twenty_questions_are_sorted_by_the_keyboard_alone(
    arrives: Arrives, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Thirteen forwarded as suggested, three refused, two set aside, one answered, one merged."""
    ids = [site.asks(subject=SUBJECTS[n % 5], text=f"{SUBJECTS[n % 5]}? ({n})") for n in range(18)]
    same = {"email": "hai-lan@hopthu.example.vn", "subject": "Xin hỏi mức đóng tự nguyện ở Cần Thơ"}
    ids += [site.asks(**same), site.asks(**same, text="Tôi hỏi lại mức đóng tự nguyện.")]
    page = arrives("u-ha", "/desk/triage")
    expect(page.locator(".qs li")).to_have_count(20)
    hand, began = Hand(page), time.monotonic()
    hand.press("j")
    sorted_: list[str] = []
    while len(sorted_) < 20:
        expect(page.locator("#d-title")).to_be_focused()
        here = page.url.partition("?")[0].rpartition("/")[2]
        at = ids.index(here)
        if at == 19:
            hand.press("m", "Control+Enter")
        elif at < 12 or at == 18:
            hand.press("a")
        elif at < 15:
            hand.press("e", "Space", "Tab")
            hand.type("Thuộc xã.")
            hand.press("Tab", "ArrowDown", "Tab")
            hand.type("UBND xã")
            hand.press("Control+Enter")
        elif at < 17:
            hand.press("x", "Control+Enter")
        elif at == 17 and not sorted_.count("split"):
            hand.press("t")
            hand.type("Theo Điều 70 Luật BHXH.")
            hand.press("Control+Enter")
        sorted_.append(here)
        if len(sorted_) < 20:
            page.wait_for_url(re.compile(f"was={here}"))
    page.wait_for_url(re.compile(r"/desk/triage\?"))
    seconds = time.monotonic() - began
    expect(page.get_by_text("Không có câu hỏi nào ở đây")).to_be_visible()
    assert len(set(sorted_)) == 20
    found = [site.status(id) for id in ids]
    assert found[:12] == ["forwarded"] * 12
    assert found[12:] == ["refused"] * 3 + ["set_aside"] * 2 + ["answered", "forwarded", "closed"]
    with capsys.disabled():
        print(f"\nclerk: questions=20 keystrokes={hand.strokes} seconds={seconds:.1f}")
    assert hand.strokes <= 200, "ten a question"


def test_letters_do_nothing_while_one_types_or_has_switched_them_off(arrives: Arrives, site: Site) -> None:
    id = site.asks()
    page = arrives("u-ha", f"/desk/triage/{id}")
    page.keyboard.press("n")
    note = page.locator("#notes-words")
    expect(note).to_be_focused()
    page.keyboard.type("aexmtjk?/")
    expect(note).to_have_value("aexmtjk?/")
    page.keyboard.press("Escape")
    expect(page.locator("#act-notes summary")).to_be_focused()
    page.keyboard.press("n")
    expect(note).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.get_by_label("Tắt phím tắt một chữ trên máy này").check()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect(page.locator("#act-setting-aside")).not_to_have_attribute("open", "")
    assert site.status(id) == "received"


def test_two_people_see_each_other_and_the_second_is_told_what_changed(arrives: Arrives, site: Site) -> None:
    id = site.asks()
    first = arrives("u-ha", f"/desk/triage/{id}")
    second = arrives("u-linh", f"/desk/triage/{id}")
    expect(first.locator("#d-people")).to_have_text(re.compile("Nguyễn Thùy Linh đang mở"))
    expect(second.locator("#d-people")).to_have_text(re.compile("Trần Thu Hà đang mở"))
    second.keyboard.press("x")
    second.keyboard.press("Tab")
    second.keyboard.type("Tôi thấy đây là quảng cáo.")
    first.keyboard.press("a")
    expect(second.locator("#d-moved")).to_contain_text("Đã có người xử lý câu hỏi này.")
    expect(second.locator("#d-moved")).to_contain_text("Trần Thu Hà")
    expect(second.locator("#setting-aside-words")).to_have_value("Tôi thấy đây là quảng cáo.")
    with second.expect_response(lambda answer: "/setting-aside?" in answer.url) as told:
        second.keyboard.press("Control+Enter")
    assert told.value.status == 409
    expect(second.locator("#conflict-title")).to_contain_text("người khác vừa thay đổi câu hỏi này")
    expect(second.get_by_text("Tôi thấy đây là quảng cáo.")).to_be_visible()


def test_what_one_types_is_kept_and_comes_back(arrives: Arrives, site: Site) -> None:
    id = site.asks()
    page = arrives("u-ha", f"/desk/triage/{id}")
    page.keyboard.press("t")
    page.keyboard.type("Kính gửi bà Hoa, theo Điều 70")
    expect(page.locator("#act-answer [data-kept-text]")).to_have_text(
        re.compile(r"Bản nháp lưu lúc .*\d\d:\d\d")
    )
    page.goto(f"{site.url}/desk/triage")
    page.goto(f"{site.url}/desk/triage/{id}")
    expect(page.locator("#answer-text")).to_have_value("Kính gửi bà Hoa, theo Điều 70")
    other = arrives("u-linh", f"/desk/triage/{id}")
    expect(other.locator("#answer-text")).to_have_value("")
    page.locator("#act-answer").get_by_role("button", name="Bỏ nháp").click()
    expect(page.locator("#answer-text")).to_have_value("")


def test_the_list_keeps_itself_up_to_date_and_says_when_it_cannot(arrives: Arrives, site: Site) -> None:
    first = site.asks()
    page = arrives("u-ha", "/desk/triage")
    rows = page.locator(".qs li")
    expect(page.locator(f"#row-{first}")).to_be_visible()
    before = rows.count()
    rows.first.locator("input").check()
    expect(page.locator("[data-live]")).to_have_text("Trực tiếp")
    asked = site.asks(subject="Câu vừa tới")
    expect(rows).to_have_count(before + 1)
    expect(page.locator(f"#row-{asked}")).to_be_visible()
    expect(page.locator(".tabs [aria-current] .num")).to_have_text(str(before + 1))
    expect(page.locator("input[form=bulk]:checked")).to_have_count(1)
    expect(page.locator("[data-picked]")).to_have_text("1")
    page.context.set_offline(True)
    expect(page.locator("[data-live]")).to_have_text("Mất kết nối trực tiếp")
    page.context.set_offline(False)
    expect(page.locator("[data-live]")).to_have_text("Trực tiếp")
    site.stop()
    expect(page.locator("[data-live]")).to_have_text("Mất kết nối trực tiếp")
    site.start()
    missed = site.asks(subject="Câu tới lúc mất kết nối")
    expect(page.locator(f"#row-{missed}")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-live]")).to_have_text("Trực tiếp")


def test_several_are_forwarded_at_once_and_each_is_told(arrives: Arrives, site: Site) -> None:
    ids = [site.asks(subject=SUBJECTS[n]) for n in range(3)]
    page = arrives("u-ha", "/desk/triage")
    for id in ids:
        page.locator(f"#row-{id} input").check()
    page.get_by_role("button", name="Chuyển", exact=True).click()
    expect(page.get_by_text("Hạn trả lời:")).to_have_count(3)
    site.does(ids[2], "setting-aside", {"suspicion": "spam"}, "u-linh")
    page.get_by_label("Đơn vị trả lời", exact=True).select_option("bhxh-ha-noi")
    looked_over(page)
    page.get_by_role("button", name="Làm với 3 câu").click()
    expect(page.get_by_text("Đã làm 2 trên 3 câu.")).to_be_visible()
    expect(page.locator(".rows li", has_text="Chưa làm")).to_have_count(1)
    looked_over(page)
    assert [site.status(id) for id in ids] == ["forwarded", "forwarded", "set_aside"]


@pytest.mark.parametrize(("who", "place"), [("u-ha", "triage"), ("u-tuan", "unit"), ("u-khoi", "publishing")])
def test_each_page_is_whole_narrow_and_light(arrives: Arrives, site: Site, who: str, place: str) -> None:
    id = site.asks()
    if place != "triage":
        site.does(id, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhyt"}, "u-ha")
    if place == "publishing":
        site.does(id, "answer", {"text": "Được hưởng theo Điều 70."}, "u-tuan")
    page = arrives(who, "/health/live")
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(f"{site.url}/desk/{place}/{id}", wait_until="load")
    expect(page.locator("#d-title")).to_be_visible()
    assert sum(sizes) < LARGEST_PAGE
    for fold in page.locator("details.act > summary").all():
        fold.click()
    looked_over(page)


def looked_over(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    assert not found, [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 720})
