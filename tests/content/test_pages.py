"""What people read and press, without JavaScript: public pages, the feed, the review desk."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from html import unescape

import pytest

from services.content import texts
from tests.content.conftest import Edges
from tests.content.world import NOW, text_in

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_an_article_tells_unit_author_source_and_date(edges: Edges) -> None:
    view = await edges.published(title="<Bài> & «bài»", source_name="Báo Nhân Dân", quoted=True)
    await edges.project()
    page = await edges.get(f"/articles/{view['id']}", accept="text/html")
    assert page.status_code == 200
    for told in (
        "Bảo hiểm xã hội thành phố Cần Thơ",
        "Võ Thanh Nga",
        "Báo Nhân Dân",
        "&lt;Bài&gt; &amp; «bài»",
    ):
        assert told in page.text
    assert '<meta name="DC.creator" content="Võ Thanh Nga">' in page.text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert (data["@type"], data["headline"]) == ("NewsArticle", "<Bài> & «bài»")
    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("trả kết quả tại nhà", True), ("tra ket qua TAI NHA", True), ("benh nang", True),
        ("kết quả -nhà", True), ('"nhà', True), ("$where", False), ("!!!", False), ("nh", False),
        ("không có từ này", False),
    ],
)  # fmt: skip
async def test_search_takes_words_with_and_without_diacritics(edges: Edges, q: str, found: bool) -> None:
    view = await edges.published()
    await edges.project()
    answer = await edges.http.get("/v1/articles", params={"q": q})
    assert [row["id"] for row in answer.json()["items"]] == ([view["id"]] if found else [])
    page = await edges.http.get("/search", params={"q": q}, headers={"Accept": "text/html"})
    assert (f"/articles/{view['id']}" in page.text) is found


async def test_search_puts_the_title_before_the_text(edges: Edges) -> None:
    in_text = await edges.published(title="Bài khác", html="<p>lương hưu</p>", summary="")
    in_title = await edges.published(title="Lương hưu", html="<p>x</p>", summary="")
    await edges.project()
    answer = await edges.http.get("/v1/articles", params={"q": "luong huu"})
    assert [row["id"] for row in answer.json()["items"]] == [in_title["id"], in_text["id"]]


async def test_lists_are_narrowed_by_class_and_unit_and_counted(edges: Edges) -> None:
    await edges.published(title="Của Cần Thơ")
    await edges.published("u-lan", title="Của Quảng Ngãi", content_class="news_event")
    await edges.project()
    page = (await edges.get("/articles?content_class=news_event", accept="text/html")).text
    assert "Của Quảng Ngãi" in page
    assert "Của Cần Thơ" not in page
    assert "1 bài" in page
    listed = await edges.http.get("/v1/articles", params={"unit": "bhxh-can-tho"})
    assert [row["title"] for row in listed.json()["items"]] == ["Của Cần Thơ"]


async def test_the_feed_is_whole_and_not_sent_twice(edges: Edges) -> None:
    view = await edges.published()
    await edges.project()
    feed = await edges.get("/feed.atom")
    root = ET.fromstring(feed.content)  # noqa: S314 (our own feed)
    [entry] = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == f"urn:uuid:{view['id']}"
    assert entry.findtext(f"{ATOM}title") == view["title"]
    again = await edges.get("/feed.atom", **{"if-none-match": feed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert view["id"] in (await edges.get("/sitemap.xml")).text


async def test_an_empty_portal_has_a_home_a_list_and_a_feed(edges: Edges) -> None:
    for path in ("/", "/articles", "/feed.atom", "/sitemap.xml"):
        assert (await edges.get(path, accept="text/html")).status_code == 200


async def test_the_desk_shows_what_waits_for_whom(edges: Edges) -> None:
    own = await edges.submitted()
    await edges.project()
    for who, waits in {"u-minh": True, "u-phuong": True, "u-nga": False}.items():
        page = (await edges.get("/desk/review", who, accept="text/html")).text
        assert (f"/desk/review/{own['id']}?tab=mine" in page) is waits
    assert (await edges.get("/desk/review", "u-ha", accept="text/html")).status_code == 403
    assert (await edges.get("/desk/review", accept="text/html")).status_code == 303


async def test_a_refused_approval_says_why_and_keeps_what_was_ticked(edges: Edges) -> None:
    view = await edges.submitted()
    await edges.project()
    path = f"/desk/review/{view['id']}"
    fields = {"text_version": "1", "attestations[]": ["policy", "press"], "publish": "1", "tab": "mine"}
    page = await edges.form(f"{path}/approval", fields, "u-phuong")
    assert page.status_code == 422
    assert 'href="#attestations"' in page.text
    assert re.search(r'id="at-press" value="press" checked', page.text)
    assert not re.search(r'id="at-accuracy" value="accuracy" checked', page.text)


async def test_the_author_sees_no_button_to_approve(edges: Edges) -> None:
    view = await edges.submitted()
    await edges.project()
    page = await edges.get(f"/desk/review/{view['id']}", "u-nga", accept="text/html")
    assert "/approval" not in page.text
    other = await edges.get(f"/desk/review/{view['id']}", "u-lan", accept="text/html")
    assert other.status_code == 403


async def test_an_unfinished_form_comes_back_with_errors_and_what_was_typed(edges: Edges) -> None:
    fields = {
        "content_class": "activity",
        "title": "Tiêu đề đã gõ",
        "html": "",
        "event_at": "",
        "act": "send",
    }
    page = await edges.form("/desk/compose", fields, "u-nga")
    assert page.status_code == 422
    assert 'value="Tiêu đề đã gõ"' in page.text
    for field in ("html", "event_at"):
        assert f'href="#{field}"' in page.text
        assert f'id="{field}-error"' in page.text


async def test_a_look_before_sending_sends_nothing(edges: Edges) -> None:
    fields = {"title": "T", "html": "Một\n\n- a\n- b", "act": "preview"}
    page = await edges.form("/desk/compose", fields, "u-nga")
    assert "<ul><li>a</li><li>b</li></ul>" in page.text
    assert await edges.service.database.journal.count_documents({}) == 0


async def test_a_second_editor_keeps_their_words_and_sees_the_difference(edges: Edges) -> None:
    view = await edges.submitted()
    text = {k: view[k] for k in ("title", "summary", "html", "author_name", "source_name", "quoted")}
    path = f"/v1/submissions/{view['id']}/text"
    await edges.send("PUT", path, text | {"html": "<p>Bản của người kia.</p>"}, "u-minh", If_Match='"1"')
    mine = {"title": view["title"], "html": "<p>Bản của tôi.</p>", "expected_version": "1", "act": "send"}
    page = await edges.form(f"/desk/review/{view['id']}/text", mine, "u-minh")
    assert page.status_code == 412
    assert "Bản của tôi." in unescape(page.text)
    assert "<ins>người kia" in page.text
    assert 'name="expected_version" value="2"' in page.text
    looked = await edges.form(f"/desk/review/{view['id']}/text", mine | {"act": "preview"}, "u-minh")
    assert 'name="expected_version" value="1"' in looked.text, "a look does not hide the other's change"


@pytest.mark.parametrize(
    ("kind", "event", "permitted", "told"),
    [
        ("activity", "2026-11-23T09:00", "", "25/11/2026"),
        ("document", "2026-11-20T09:00", "", "Chưa tính"),
        ("document", "2026-11-20T09:00", "2026-11-20T10:00", "23/11/2026"),
        ("news_event", "2026-11-20T09:00", "", "Không có hạn"),
        ("activity", "nonsense", "", "Chọn loại và mốc"),
        ("", "", "", "Chọn loại và mốc"),
    ],
)
async def test_the_due_date_is_shown_before_sending(
    edges: Edges, kind: str, event: str, permitted: str, told: str
) -> None:
    asked = {"content_class": kind, "event_at": event, "permitted_at": permitted}
    headers = {"Authorization": "Bearer u-nga"}
    box = await edges.http.get("/desk/compose/due", params=asked, headers=headers)
    assert told in box.text


def test_a_difference_keeps_lists_well_formed() -> None:
    found = texts.difference("<ul><li>một</li><li>hai ba</li></ul>", "<p>khác hẳn</p>")
    assert not re.search(r"<ul>\s*<(?:ins|del)>", found)


def test_plain_text_becomes_paragraphs_headings_and_lists() -> None:
    html = texts.markup_of("## Mục\n\nĐoạn 5 < 6\ntiếp\n\n* a\n* b")
    assert html == "<h2>Mục</h2>\n<p>Đoạn 5 &lt; 6<br>tiếp</p>\n<ul><li>a</li><li>b</li></ul>"


def test_the_words_looked_for_are_marked_and_the_rest_is_escaped() -> None:
    assert texts.marked("<b> Lương hưu", "luong") == "&lt;b&gt; <mark>Lương</mark> hưu"


async def test_a_permission_is_told_under_the_clause_of_its_own_class(edges: Edges) -> None:
    view = await edges.submitted(content_class="contact")
    await edges.project()
    path = f"/desk/review/{view['id']}"
    at = (datetime.now(NOW.tzinfo) - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M")
    await edges.form(f"{path}/permission", {"permitted_at": at, "tab": "mine"}, "u-nga")
    page = (await edges.get(path, "u-phuong", accept="text/html")).text
    told = page[page.index("<b>Được phép công bố</b>") :]
    assert "Võ Thanh Nga · Điều 11 khoản 1 điểm a, Thông tin liên hệ" in told


async def test_news_shows_how_long_after_its_event_it_came_and_calls_nothing_late(edges: Edges) -> None:
    at = (datetime.now(NOW.tzinfo) - timedelta(days=3, hours=1)).isoformat()
    view = await edges.submitted(content_class="news_event", event_at=at)
    page = (await edges.get(f"/desk/review/{view['id']}", "u-phuong", accept="text/html")).text
    assert "Bài được gửi sau khi sự kiện diễn ra 3 ngày." in page
    assert "Trễ hạn" not in page


async def test_an_author_completes_what_came_back(edges: Edges) -> None:
    view = await edges.submitted()
    back = {"reason": "incomplete", "words": "Thiếu số điện thoại."}
    await edges.post(f"/v1/submissions/{view['id']}/return", back, "u-minh")
    await edges.project()
    page = (await edges.get(f"/desk/review/{view['id']}", "u-nga", accept="text/html")).text
    assert "Thiếu số điện thoại." in page
    assert "Hoàn thiện và gửi lại" in page
    seen = (await edges.get(f"/desk/review/{view['id']}/edit", "u-nga", accept="text/html")).text
    assert 'name="expected_version" value="2"' in seen
    words = {k: text_in()[k] for k in ("title", "summary", "author_name", "source_name")}
    done = await edges.form(
        f"/desk/review/{view['id']}/text",
        words | {"html": "Có số điện thoại.", "expected_version": "2", "act": "send"}, "u-nga",
    )  # fmt: skip
    assert done.status_code == 303
    told = (await edges.get(f"/v1/submissions/{view['id']}", "u-nga")).json()
    assert (told["status"], told["text_version"], told["supply_owed"]) == ("submitted", 2, False)
