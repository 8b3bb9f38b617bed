"""The pages of the calendar: whole without a script; a keeper writes, previews and applies on them, and who
is on call sees them without the acts."""

import re
from collections.abc import AsyncIterator
from html import unescape
from uuid import uuid4

import httpx2
import pytest

from services.notifier.jobs import Mover, moving
from services.notifier.pages.calendar import count
from services.notifier.pages.calendar_form import EMPTY, Sheet, sheet_of, summary_of
from services.notifier.regulation import Policy
from shared.calendar import CALENDAR
from shared.errors import Forbidden, InvalidInput
from shared.service import Service
from tests.notifier.calendars import DECISION
from tests.notifier.rig import as_, client, opened, service

__all__ = ["client", "service"]  # fixtures


@pytest.fixture(autouse=True)
async def _alone(client: httpx2.AsyncClient) -> AsyncIterator[None]:
    client.cookies.clear()
    yield


async def shown(client: httpx2.AsyncClient, path: str, who: str = "thao", status: int = 200) -> str:
    answer = await client.get(path, headers=as_(who) | {"Accept": "text/html"})
    assert answer.status_code == status, answer.text[:600]
    html = answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert len(re.findall(r'\bid="([^"]+)"', html)) == len(set(re.findall(r'\bid="([^"]+)"', html)))
    return html


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found.group(1) if found else ""


def typed(html: str, **more: object) -> dict[str, object]:
    """What the form of a year would send, with what a person changes."""
    rows: dict[str, list[str]] = {}
    for name in ("date", "vi", "en", "by"):
        values = re.findall(rf'id="r\d+-{name}" name="{name}\[\]" value="([^"]*)"', html)
        rows[f"{name}[]"] = [unescape(value) for value in values]
    rows["kind[]"] = re.findall(r'<option value="(\w+)" selected>', html)
    kept = {name: hidden(html, name) for name in ("csrf", "idempotency_key", "base", "year")}
    version = hidden(html, "expected_version")
    return {**kept, **({"expected_version": version} if version else {}), **rows, **more}


def with_row(form: dict[str, object], **row: str) -> dict[str, object]:
    """The first blank row filled in."""
    dates = form["date[]"]
    assert isinstance(dates, list)
    place = dates.index("")
    for name, value in row.items():
        column = form[f"{name}[]"]
        assert isinstance(column, list)
        column[place] = value
    return form


async def posted(client: httpx2.AsyncClient, path: str, form: dict[str, object]) -> httpx2.Response:
    headers = as_("thao") | {"Accept": "text/html"}
    return await client.post(path, data=form, headers=headers, follow_redirects=False)


class TestForEveryone:
    @pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
    async def test_the_year_at_a_glance_names_each_day_off_and_make_up_day(
        self, client: httpx2.AsyncClient, year: int
    ) -> None:
        html = await shown(client, f"/lich?year={year}")
        assert html.count('<table class="mo">') == 12
        (rows,) = [each.days for each in CALENDAR.data.years if each.year == year]
        for row in rows:
            assert row.vi.replace("'", "&#39;") in html
            assert CALENDAR.data.documents[row.by] in html
        assert ("Tạm tính." in html) is CALENDAR.is_provisional(year)

    async def test_the_calculator_answers_with_the_strip_of_days(self, client: httpx2.AsyncClient) -> None:
        html = await shown(client, "/lich?from=2025-04-28&working_days=2")
        assert "Hết thứ Hai 05/05/2025" in html
        assert "Ngày 2 · đến hạn" in html
        assert html.count("không tính hạn") == 5

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ("from=&working_days=5", "Hãy chọn ngày xảy ra sự kiện."),
            ("from=2026-11-23&working_days=-1", "Số ngày làm việc là một số từ 0"),
            ("from=2026-11-23&working_days=9999", "Số ngày làm việc là một số từ 0"),
            ("from=2040-01-01&working_days=1", "Chưa có lịch ngày làm việc của năm 2040."),
        ],
    )
    async def test_a_wrong_field_says_what_to_do(
        self, client: httpx2.AsyncClient, asked: str, words: str
    ) -> None:
        html = await shown(client, f"/lich?{asked}", status=422)
        assert words in html
        assert 'aria-invalid="true"' in html

    def test_the_same_day_is_the_end_of_the_very_day(self) -> None:
        answer = count(CALENDAR, "2026-11-22", "0")
        assert answer.due is not None
        assert [(cell["start"], cell["due"]) for cell in answer.strip] == [(True, True)]


class TestTheDesk:
    async def test_who_is_on_call_sees_it_without_the_acts(self, client: httpx2.AsyncClient) -> None:
        html = await shown(client, "/desk/calendar", who="oanh")
        assert "Soạn bản thảo mới" not in html
        assert (await client.get("/desk/calendar", headers=as_("lan"))).status_code == 403
        assert (await client.get("/desk/calendar/new", headers=as_("oanh"))).status_code == 403

    async def test_a_year_that_is_not_there_is_prefilled_by_the_law(self, client: httpx2.AsyncClient) -> None:
        html = await shown(client, "/desk/calendar/new?year=2028")
        assert "Lập sẵn theo luật." in html
        assert 'value="2028-09-02"' in html
        documents = {
            "doc_key[]": re.findall(r'name="doc_key\[\]" value="([^"]+)"', html),
            "doc_text[]": re.findall(r'name="doc_text\[\]" value="([^"]+)"', html),
        }
        wrote = await posted(client, "/desk/calendar/new", typed(html) | documents)
        assert wrote.status_code == 303, wrote.text[:500]
        draft = await shown(client, wrote.headers["location"])
        assert "Chưa áp dụng được." in draft and "Tết Nguyên đán Mậu Thân) còn ghi khóa «du-thao»" in draft
        assert "Áp dụng lịch này" not in draft

    async def test_more_rows_come_without_a_script_and_nothing_typed_is_lost(
        self, client: httpx2.AsyncClient
    ) -> None:
        html = await shown(client, "/desk/calendar/new?year=2027")
        form = with_row(typed(html), date="2027-06-01", vi="Nghỉ", en="Off", by="vpcp-1234")
        answer = await posted(client, "/desk/calendar/new", form | {"act": "more"})
        assert answer.status_code == 200
        assert 'value="2027-06-01"' in answer.text
        assert answer.text.count('name="date[]"') == html.count('name="date[]"') + 5

    async def test_a_wrong_row_comes_back_with_its_error_at_its_field(
        self, client: httpx2.AsyncClient
    ) -> None:
        html = await shown(client, "/desk/calendar/new?year=2027")
        form = with_row(typed(html), date="2027-06-01", kind="makeup", vi="Bù", en="Worked", by="blld-112")
        place = html.count('name="date[]"') - 5
        answer = await posted(client, "/desk/calendar/new", form)
        assert answer.status_code == 422
        assert f'<a href="#r{place}-kind">Ngày 01/06/2027 vốn là ngày làm việc' in answer.text
        assert f'id="r{place}-kind-error"' in answer.text

    async def test_a_draft_is_written_previewed_corrected_applied_and_followed(
        self, client: httpx2.AsyncClient, service: Service[Policy], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await opened(service)
        html = await shown(client, "/desk/calendar/new?year=2026")
        form = with_row(typed(html), date="2026-12-31", vi="Nghỉ", en="Off", by="vpcp-1234")
        form |= {"doc_key[]": ["vpcp-1234"], "doc_text[]": [DECISION]}
        wrote = await posted(client, "/desk/calendar/new", form)
        assert wrote.status_code == 303, wrote.text[:500]
        where = wrote.headers["location"].partition("?")[0]
        draft = await shown(client, where)
        assert "Thứ Năm 31/12/2026" in draft
        assert "Áp dụng lịch này" in draft
        assert "Áp dụng lịch này" not in await shown(client, where, who="oanh")
        edit = await shown(client, f"{where}/edit?year=2026")
        again = with_row(typed(edit), date="2026-12-30", vi="Nghỉ", en="Off", by="vpcp-1234")
        assert (await posted(client, f"{where}/edit", again)).status_code == 303
        draft = await shown(client, where)
        assert "2 thay đổi" in draft
        guard = {name: hidden(draft, name) for name in ("csrf", "idempotency_key", "expected_version")}
        refused = await posted(client, f"{where}/apply", guard | {"document": "theo chỉ đạo"})
        assert refused.status_code == 422
        assert 'value="theo chỉ đạo"' in refused.text
        guard["idempotency_key"] = uuid4().hex
        done = await posted(client, f"{where}/apply", guard | {"document": DECISION})
        assert (done.status_code, done.headers["location"]) == (303, "/desk/calendar?done=applied")
        desk = await shown(client, "/desk/calendar?done=applied")
        assert "Đang tính lại các hạn" in desk
        assert 'hx-get="/desk/calendar/moving"' in desk
        monkeypatch.setattr(moving, "GRACE", moving.GRACE * 0)
        await Mover(service.edge, "r").run()
        await Mover(service.edge, "r").run()
        version = where.rpartition("/")[2]
        await service.edge.caught_up("calendars", version, 4)
        over = (await client.get("/desk/calendar/moving", headers=as_("oanh"))).text
        assert "hx-get" not in over
        assert DECISION in await shown(client, "/lich")

    async def test_a_draft_is_discarded_with_a_reason(self, client: httpx2.AsyncClient) -> None:
        html = await shown(client, "/desk/calendar/new?year=2027")
        form = with_row(typed(html), date="2027-06-02", vi="Nghỉ", en="Off", by="blld-112")
        where = (await posted(client, "/desk/calendar/new", form)).headers["location"].partition("?")[0]
        draft = await shown(client, where)
        guard = {name: hidden(draft, name) for name in ("csrf", "idempotency_key", "expected_version")}
        assert (await posted(client, f"{where}/discard", guard | {"reason": " "})).status_code == 422
        guard["idempotency_key"] = uuid4().hex
        assert (await posted(client, f"{where}/discard", guard | {"reason": "nhầm"})).status_code == 303
        assert "Đã bỏ vì" in await shown(client, where)
        assert "nhầm" in await shown(client, "/desk/calendar")


class TestTheForm:
    def test_a_row_whose_day_is_cleared_is_struck_out(self) -> None:
        sheet = Sheet.of_year(CALENDAR.data, 2026, CALENDAR.version)
        cleared = sheet_of({
            "base": "b", "year": "2026",
            **{name: [row[name] for row in sheet.rows] for name in ("kind", "vi", "en", "by")},
            "date": ["", *[row["date"] for row in sheet.rows[1:]]],
        })  # fmt: skip
        assert len(cleared.body().years[0].days) == len(CALENDAR.data.years[2].days) - 1

    def test_an_error_is_shown_at_the_row_as_it_stands_on_the_page(self) -> None:
        row = EMPTY | {"date": "2026-06-01"}
        sheet = Sheet("b", 2026, False, (EMPTY, EMPTY, row), (), ())
        assert sheet.place("years.0.days.0.vi") == "r2-vi"
        assert sheet.place("years") == "r0-date"

    def test_what_no_form_can_mend_goes_on(self) -> None:
        with pytest.raises(Forbidden):
            summary_of(Forbidden())
        assert summary_of(InvalidInput("Sai.")) == {"": "Sai."}
