"""Pages escape, name nothing that does not exist, keep the strict policy, and speak Vietnamese."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import UndefinedError
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from shared.web import vietnamese as vn
from shared.web.look import STATIC, TEMPLATES, Look, SecurityHeaders, staff_nav, static_app

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
URLS = {name: f"http://{name}.test" for name in ("content", "qa", "sync", "notifier", "issuer")}
PAGE_TEMPLATES = sorted([*TEMPLATES.glob("*.html"), *ROOT.glob("services/*/templates/**/*.html")])


@pytest.fixture
def look(tmp_path: Path) -> Look:
    (tmp_path / "desk.html").write_text(
        "{% extends 'staff.html' %}{% block name %}Bàn{% endblock %}"
        "{% block main %}{% block row %}<b>{{ words }}</b>{{ m.pill('ok', 'Xong') }}"
        "{% endblock %}{% endblock %}",
        encoding="utf-8",
    )
    (tmp_path / "home.html").write_text(
        "{% extends 'public.html' %}{% block title %}Nhà{% endblock %}", encoding="utf-8"
    )
    (tmp_path / "mail.txt").write_text("{{ words }}", encoding="utf-8")
    return Look([tmp_path], {"urls": URLS, "environment": "local"}, clock=lambda: NOON)


@pytest.mark.parametrize(("environment", "shown"), [("local", "hai"), ("production", "một")])
def test_a_template_that_changes_on_disk_is_read_again_on_one_machine_alone(
    tmp_path: Path, environment: str, shown: str
) -> None:
    page = tmp_path / "page.html"
    page.write_text("một", encoding="utf-8")
    look = Look([tmp_path], {"environment": environment})
    look.render("page.html")
    page.write_text("hai", encoding="utf-8")
    os.utime(page, (1, 1))
    assert look.render("page.html") == shown


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (vn.vn_datetime(datetime(2026, 11, 23, 2, 44, tzinfo=UTC)), "Thứ Hai 23/11/2026, 09:44"),
        (vn.vn_date(datetime(2026, 11, 22, 17, 0, tzinfo=UTC)), "23/11/2026"),
        (vn.vn_date(datetime(2026, 11, 22, 16, 59, tzinfo=UTC)), "22/11/2026"),
        (vn.vn_day(date(2026, 11, 29)), "Chủ nhật 29/11"),
        (vn.in_sentence(vn.vn_full_day(date(2026, 11, 24))), "thứ Ba 24/11/2026"),
        (vn.in_sentence(vn.vn_day(date(2026, 11, 29))), "Chủ nhật 29/11"),
        (vn.vn_time(datetime(2026, 11, 22, 17, 5, tzinfo=UTC)), "00:05"),
        (vn.number(1284), "1.284"),
        (vn.number(96.4), "96,4"),
        (vn.number(1234567.891, 2), "1.234.567,89"),
        (vn.number(100.0), "100"),
        (vn.file_size(412_000), "412 KB"),
        (vn.file_size(1_500_000), "1,5 MB"),
        (vn.mask_email("nguyenh@gmail.com"), "n•••h@gmail.com"),
        (vn.mask_email("ab@x.vn"), "a•••@x.vn"),
        (vn.mask_email("không phải địa chỉ"), "•••"),
        (vn.initials("Trần Thu Hà"), "TH"),
    ],
)
def test_figures_and_dates_follow_vietnamese_convention(written: str, read: str) -> None:
    assert written == read


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        ("2026-11-23T04:59:30+00:00", "vừa xong"),
        ("2026-11-23T04:20:00+00:00", "40 phút trước"),
        ("2026-11-23T03:00:00+00:00", "2 giờ trước"),
        ("2026-11-22T04:00:00+00:00", "hôm qua"),
        ("2026-11-20T04:00:00+00:00", "3 ngày trước"),
        ("2026-09-20T04:00:00+00:00", "20/09/2026"),
    ],
)
def test_an_age_is_told_as_people_say_it(instant: str, words: str) -> None:
    assert vn.ago(datetime.fromisoformat(instant), NOON) == words


@pytest.mark.parametrize(
    ("due", "words"),
    [
        pytest.param(date(2026, 11, 23), "còn 12 giờ", id="a day runs to its end"),
        pytest.param(datetime(2026, 11, 23, 17, tzinfo=UTC), "còn 12 giờ", id="so does its exclusive end"),
        pytest.param(date(2026, 11, 26), "còn 3 ngày", id="days ahead"),
        pytest.param(date(2026, 11, 21), "quá hạn 2 ngày", id="days late"),
        pytest.param(datetime(2026, 11, 23, 3, 30, tzinfo=UTC), "quá hạn 1 giờ 30 phút", id="hours late"),
    ],
)
def test_a_due_date_says_what_is_left(due: date, words: str) -> None:
    assert vn.due_in(due, NOON) == words


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        vn.vn_datetime(datetime(2026, 11, 23, 9, 44))  # noqa: DTZ001 - the fault under test


def test_a_citizens_words_become_paragraphs_and_never_markup() -> None:
    assert vn.paragraphs("Một <b>\r\nhai\n\n\nba") == "<p>Một &lt;b&gt;<br>hai</p><p>ba</p>"


def test_a_page_escapes_and_a_mail_does_not(look: Look) -> None:
    assert "<b>Tí &amp; Tèo &lt;script&gt;</b>" in look.render("desk.html", words="Tí & Tèo <script>")
    assert look.render("mail.txt", words="Tí & Tèo") == "Tí & Tèo"


def test_a_block_is_rendered_alone_with_the_macros_at_hand(look: Look) -> None:
    block = look.render_block("desk.html", "row", words="x")
    assert block.startswith("<b>x</b>")
    assert "pill ok" in block
    assert "<html" not in block


def test_a_name_that_does_not_exist_is_an_error(look: Look) -> None:
    with pytest.raises(UndefinedError):
        look.render("desk.html")


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("home.html", {}),
        ("signin.html", {}),
        ("login.html", {"action": "/authorize"}),
        ("problem.html", {"status": 503, "title": "Tạm thời không phục vụ được"}),
        ("apidocs.html", {"kind": "http", "url": "/openapi.json", "name": "API"}),
        ("apidocs.html", {"kind": "events", "url": "/asyncapi.json", "name": "API"}),
    ],
)
def test_each_shell_renders_without_a_user(look: Look, name: str, context: Mapping[str, Any]) -> None:
    page = look.render(name, **context)
    assert '<html lang="vi"' in page
    assert 'id="main"' in page


def test_the_side_bar_leads_to_every_service_and_knows_where_one_is(look: Look) -> None:
    user = SimpleNamespace(name="Trần Thu Hà", unit_name="Trung tâm CSKH", roles=[])
    nav = staff_nav(URLS, {"triage": 1284}, hot=["triage"])
    page = look.render("desk.html", words="x", user=user, csrf="c-1", nav=nav, nav_current="triage")
    for service in ("content", "qa", "sync", "notifier"):
        assert f'href="http://{service}.test/desk/' in page
    assert re.search(r'/desk/triage" aria-current="page".*?c hot">1\.284', page)
    assert 'name="csrf" value="c-1"' in page
    assert "Bản chạy thử, dữ liệu giả" in page


def test_a_field_with_an_error_is_tied_to_its_words(look: Look) -> None:
    m = look.environment.globals["m"]
    field = str(m.field("email", "Email", help="Nơi nhận trả lời", error="Nhập email"))  # type: ignore[attr-defined]
    assert 'aria-describedby="email-error email-help"' in field
    assert 'aria-invalid="true"' in field
    assert 'id="email-error"' in field
    assert '<a href="#email">' in str(m.error_summary({"email": "Nhập email"}))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "template", PAGE_TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}"
)
def test_no_template_breaks_the_strict_policy(template: Path) -> None:
    text = re.sub(r"{#.*?#}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:|https?://(cdn|unpkg)", text)
    for attributes in re.findall(r"<script([^>]*)>", text):
        assert "src=" in attributes or "application/" in attributes


def test_every_icon_in_use_is_in_the_sprite() -> None:
    sprite = set(
        re.findall(r'symbol id="([a-z0-9-]+)"', (STATIC / "vendor/icons.svg").read_text(encoding="utf-8"))
    )
    used = {
        name
        for template in PAGE_TEMPLATES
        for name in re.findall(r"\bicon(?:\(|=)'([a-z0-9-]+)'", template.read_text(encoding="utf-8"))
    }
    assert not used - sprite
    assert all(item.icon in sprite for group in staff_nav(URLS) for item in group.places)


@pytest.mark.parametrize("folder", [STATIC / "vendor", ROOT / "tests/vendor"], ids=["static", "tests"])
def test_vendored_files_are_what_their_manifest_says(folder: Path) -> None:
    manifest = json.loads((folder / "vendor.json").read_text(encoding="utf-8"))
    for name, said in manifest.items():
        digest = hashlib.sha384((folder / name).read_bytes()).digest()
        assert said["integrity"] == "sha384-" + base64.b64encode(digest).decode(), name
    assert {path.name for path in folder.iterdir()} == {*manifest, "vendor.json"}


@pytest.fixture
def client() -> TestClient:
    async def page(request: object) -> PlainTextResponse:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", page), Mount("/static", static_app())])
    return TestClient(SecurityHeaders(app, form_action=["http://issuer.test"]))


def test_a_marked_static_file_is_kept_for_ever_and_travels_compressed(look: Look, client: TestClient) -> None:
    answer = client.get(look.static_url("app.css"), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == (STATIC / "app.css").read_text(encoding="utf-8")
    again = client.get(
        "/static/app.css", headers={"If-None-Match": answer.headers["etag"], "Accept-Encoding": "gzip"}
    )
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    plain = client.get("/static/app.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert client.get("/static/../look.py").status_code == 404


def test_every_answer_carries_the_strict_policy(client: TestClient) -> None:
    headers = client.get("/").headers
    assert "script-src 'self';" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].endswith("form-action 'self' http://issuer.test")
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers
    secure = client.get("https://testserver/").headers
    assert "strict-transport-security" in secure
