"""Both journeys again, as people make them: in Chromium, page by page, each page looked over."""

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from tests.journeys.acts import ask, deadline, guidance, letters, ok, once, publish
from tests.journeys.people import LARGEST_PAGE, Person

Arrives = Callable[..., Person]


@pytest.fixture
def arrives(browser: Browser, system: System) -> Iterator[Arrives]:
    people: list[Person] = []

    def arrive(username: str = "", **options: object) -> Person:
        people.append(Person(browser, system, username, **options))
        return people[-1]

    yield arrive
    for person in people:
        person.context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_citizen_asks_and_is_told_the_same_day(arrives: Arrives, edges: Edges, scripts: bool) -> None:
    asker, mark = arrives(java_script_enabled=scripts), uuid4().hex[:8]
    look = asker.looks_over if scripts else lambda: None
    email = f"hoi-{mark}@nguoi-dan.example.vn"
    page = asker.opens("qa", "/ask")
    look()
    page.get_by_label("Việc cần hỏi").fill(f"Xin cấp sổ đỏ cho mảnh vườn {mark}")
    page.get_by_role("button", name="Tiếp tục").click()
    look()
    page.get_by_label("Nội dung đầy đủ").fill(
        "Gia đình tôi muốn xin cấp sổ đỏ cho mảnh vườn 300 m2, nộp ở đâu?"
    )
    page.get_by_role("button", name="Tiếp tục").click()
    look()
    page.get_by_label("Họ và tên").fill("Trần Văn Lộc")
    page.get_by_label("Địa chỉ thư điện tử").fill("không phải địa chỉ")
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    expect(page.get_by_role("link", name=re.compile("địa chỉ thư", re.I)).first).to_be_visible()
    look()
    expect(page.get_by_label("Họ và tên")).to_have_value("Trần Văn Lộc")
    page.get_by_label("Địa chỉ thư điện tử").fill(email)
    page.get_by_label("Tôi đồng ý").check()
    page.get_by_role("button", name="Xem lại trước khi gửi").click()
    look()
    page.get_by_role("button", name="Gửi câu hỏi").click()
    code = page.locator("#tracking-code").inner_text()
    look()
    assert code in letters(edges, email, 1)[0]["text"]

    clerk = arrives("ha")
    desk = clerk.opens("qa", "/desk/triage")
    desk.get_by_role("link", name=re.compile(mark)).first.click()
    desk.locator("summary", has_text="Không thuộc diện trả lời").click()
    clerk.looks_over()
    desk.get_by_label("Ngoài phạm vi, chức năng").check()
    desk.get_by_label("Lời giải thích gửi người hỏi").fill("Việc cấp sổ đỏ thuộc cơ quan đăng ký đất đai.")
    desk.get_by_label("Cách chuyển").select_option("advised_asker")
    desk.get_by_label("Cơ quan có trách nhiệm").fill("Văn phòng đăng ký đất đai")
    desk.get_by_role("button", name="Báo người hỏi").click()
    assert any("Văn phòng đăng ký đất đai" in m["text"] for m in letters(edges, email, 2))

    page = asker.opens("qa", "/track")
    look()
    page.get_by_label("Mã tra cứu").fill(code)
    page.get_by_label("Email hoặc 4 số cuối").fill(email)
    page.get_by_role("button", name="Tra cứu").click()
    expect(page.get_by_text("Văn phòng đăng ký đất đai").first).to_be_visible()
    look()
    assert code not in page.url


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_asker_does_what_they_may_with_their_question_in_english(
    arrives: Arrives, edges: Edges, scripts: bool
) -> None:
    sent, receipt = ask(edges)
    letters(edges, sent["email"], 1)
    asker = arrives(java_script_enabled=scripts)
    look = asker.looks_over if scripts else lambda: None
    page = asker.opens("qa", "/track?lang=en")
    look()
    page.get_by_label("Tracking code").fill(receipt["tracking_code"])
    page.get_by_label("E-mail or last 4 digits").fill(sent["email"])
    page.get_by_role("button", name="Track").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    look()
    page.get_by_role("link", name="Add information").click()
    look()
    page.get_by_label("Further information").fill("Tôi đóng thêm 5 tháng tự nguyện.")
    page.get_by_role("button", name="Send the information").click()
    expect(page.get_by_text("We have your information")).to_be_visible()
    expect(page.get_by_text("Tôi đóng thêm 5 tháng tự nguyện.")).to_be_visible()
    page.get_by_role("link", name="Withdraw the question").click()
    look()
    page.get_by_role("button", name="Withdraw the question").click()
    expect(page.get_by_role("heading", name="You withdrew the question").first).to_be_visible()
    look()
    page.get_by_role("link", name="Erase my data").click()
    look()
    page.get_by_role("button", name="Erase my data").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your data was erased")
    look()
    assert (
        edges.post(
            "qa", "/v1/tracking", {"code": receipt["tracking_code"], "email": sent["email"]}, once()
        ).status
        == 404
    )


def test_a_question_is_forwarded_answered_sent_and_published(arrives: Arrives, edges: Edges) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    clerk = arrives("ha")
    page = clerk.opens("qa", f"/desk/triage/{id}")
    expect(page.get_by_text(sent["name"])).to_have_count(0)  # masked until somebody asks with a reason
    clerk.looks_over()
    page.get_by_label("Lĩnh vực").select_option("luong-huu")
    page.get_by_label("Đơn vị trả lời", exact=True).select_option("bhxh-ha-noi")
    page.get_by_role("button", name="Chuyển đơn vị").click()
    deadline(edges, f"question-{id}", "unit_reply", "open")

    unit = arrives("tuan")
    page = unit.opens("qa", f"/desk/unit/{id}")
    unit.looks_over()
    page.get_by_label("Câu trả lời", exact=True).fill(
        "Ông đóng đủ 15 năm thì được hưởng lương hưu khi đủ tuổi."
    )
    page.get_by_role("button", name="Gửi câu trả lời về trung tâm").click()

    centre = arrives("khoi")
    page = centre.opens("qa", f"/desk/publishing/{id}")
    centre.looks_over()
    page.get_by_role("button", name="Gửi câu trả lời").first.click()
    letters(edges, sent["email"], 2)
    page = centre.opens("qa", f"/desk/publishing/{id}")
    page.get_by_label("Tiêu đề").fill(sent["subject"])
    page.get_by_label("Câu hỏi", exact=True).fill("Đóng 14 năm 3 tháng thì khi nào được hưởng lương hưu?")
    page.get_by_role("button", name="Đăng công khai").click()
    deadline(edges, f"question-{id}", "publish_answer", "met")

    reader = arrives()
    found = eventually(
        "câu trả lời công khai",
        lambda: ok(edges.get("qa", "/v1/answers", q=sent["subject"]))["items"] or None,
    )
    page = reader.opens("qa", "/answers")
    reader.looks_over()
    page = reader.opens("qa", f"/answers/{found[0]['id']}")
    expect(page.get_by_text("đủ 15 năm").first).to_be_visible()
    assert sent["name"] not in page.content()
    reader.looks_over()


def test_an_article_is_reviewed_approved_and_read(arrives: Arrives, edges: Edges) -> None:
    view = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    id, title = view["id"], view["title"]
    author = arrives("lan")
    author.opens("content", "/desk/compose")
    author.looks_over()
    page = author.opens("content", f"/desk/review/{id}")
    expect(page.get_by_role("button", name=re.compile("Duyệt"))).to_have_count(0)

    approver = arrives("phuong")
    page = approver.opens("content", "/desk/review")
    approver.looks_over()
    page.get_by_role("link", name=re.compile(title[-6:])).first.click()
    approver.looks_over()
    for box in page.locator("input[name^=attestations]").all():
        box.check()
    page.get_by_role("button", name=re.compile("Duyệt")).first.click()
    eventually("bài trên cổng", lambda: edges.get("content", f"/v1/articles/{id}").status == 200)

    reader = arrives()
    page = reader.opens("content", "/")
    reader.looks_over()
    page.get_by_role("searchbox").first.fill("huong dan dong bao hiem " + title[-6:])
    page.keyboard.press("Enter")
    reader.looks_over()
    page.get_by_role("link", name=re.compile(title[-6:])).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(title[-6:]))
    reader.looks_over()


@pytest.mark.parametrize(
    ("username", "service", "path"),
    [
        ("oanh", "notifier", "/desk/operations"),
        ("oanh", "notifier", "/desk/deadlines"),
        ("oanh", "notifier", "/desk/notices"),
        ("oanh", "sync", "/desk/portals"),
        ("lan", "qa", "/desk/unit"),
        ("khoi", "qa", "/desk/publishing"),
        ("ha", "qa", "/desk/figures"),
        ("ha", "qa", "/desk/settings"),
        ("oanh", "sync", "/"),
        ("", "qa", "/"),
        ("", "content", "/no-such-page"),
        ("", "mail", "/"),
        ("", "bo-noi-vu", "/"),
    ],
)
def test_every_other_page_is_looked_over(arrives: Arrives, username: str, service: str, path: str) -> None:
    person = arrives(username)
    person.opens(service, path)
    person.looks_over()


def test_the_operations_board_moves_by_itself(arrives: Arrives, edges: Edges) -> None:
    person = arrives("oanh")
    page = person.opens("notifier", "/desk/operations")
    tile = page.locator(".tile", has_text="Đúng hạn")
    before = tile.inner_text()
    publish(edges)
    expect(tile).not_to_have_text(before, timeout=20_000, use_inner_text=True)


@pytest.mark.parametrize(
    ("username", "service", "path"),
    [
        ("", "content", "/"),
        ("", "qa", "/ask"),
        ("", "qa", "/answers?lang=en"),
        ("", "qa", "/track"),
        ("ha", "qa", "/desk/triage"),
        ("oanh", "notifier", "/desk/operations"),
    ],
)
def test_a_page_with_everything_weighs_little(
    arrives: Arrives, username: str, service: str, path: str
) -> None:
    person = arrives(username)
    person.opens(service, path)
    sizes: list[int] = []
    person.page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
    person.context.clear_cookies(name="nothing")
    session = person.context.new_cdp_session(person.page)
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    person.page.reload(wait_until="load")
    person.page.wait_for_timeout(500)
    assert sum(sizes) < LARGEST_PAGE, sizes
