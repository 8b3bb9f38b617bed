"""The register read: by day, unit and month, as tables and as a calendar; each reader sees what is theirs."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from icalendar import Calendar

from services.notifier import queries
from services.notifier.settings import NotifierSettings
from shared.desk import utc_now
from shared.web import edge
from shared.web.forms import cursor_of
from shared.workflow import Actor
from tests.edges import by_name, projecting
from tests.notifier.rig import PEOPLE, as_
from tests.notifier.sweeping import Swept, sweeping

HEAD = Actor("u-nga", "Võ Thanh Nga", "bhxh-can-tho", frozenset({"unit_head"}))
STAFF = {
    "tuan": Actor("u-tuan", "Trần Anh Tuấn", "bhxh-ha-noi", frozenset()),
    "can": Actor("u-can", "Lê Văn Cần", "bhxh-can-tho", frozenset()),
    "ha": Actor("u-ha", "Nguyễn Thu Hà", "tt-cskh", frozenset()),  # the centre that answers for questions
    "khoi": Actor(
        "u-khoi", "Trần Minh Khôi", "van-phong", frozenset()
    ),  # through which the leadership is told
}
HOMELESS = Actor("u-khong", "Không đơn vị", "", frozenset({"unit_head"}))
UNITS = {"units": [
    {"id": "bhxh-can-tho", "name": "Cần Thơ"}, {"id": "bhxh-ha-noi", "name": "=HYPERLINK(1)"},
]}  # fmt: skip
DAY = timedelta(days=1)
ID = "5f3c8a54-9b1d-4a53-8f6e-0d6f4a6d2f11"


@pytest.fixture(scope="module")
async def register(mongo_uri: str) -> AsyncIterator[Swept]:
    """Of Cần Thơ three overdue and two ahead; of Hà Nội two ahead; of nobody known one."""
    async with sweeping(mongo_uri, secret_key="k" * 40) as register:
        await register.service.directory.load(UNITS)
        now = utc_now()
        await register.open(3, due_at=now - 40 * DAY, unit="bhxh-can-tho")
        await register.open(2, due_at=now + 3 * DAY, unit="bhxh-can-tho")
        await register.open(2, due_at=now + 3 * DAY, unit="bhxh-ha-noi")
        await register.open(1, due_at=now + 9 * DAY, unit="bhxh-khong-co", label="HD-2026-11-7K3QZ4M")
        for _ in range(2):
            await register.sweeper().run()
            await register.show()
        yield register


@pytest.fixture(scope="module")
async def client(register: Swept) -> AsyncIterator[httpx2.AsyncClient]:
    app, who = register.service.app(), by_name(PEOPLE | STAFF | {"nga": HEAD, "khong": HOMELESS})
    app.dependency_overrides[edge.staff] = who
    patched = pytest.MonkeyPatch()
    patched.setattr(edge, "visitor", who)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with (
            projecting(register.service, queries.projections(register.service.policy)),
            httpx2.AsyncClient(transport=transport, base_url="http://notifier") as client,
        ):
            yield client
        patched.undo()


async def got(client: httpx2.AsyncClient, path: str, who: str = "oanh") -> Any:
    answer = await client.get(path, headers=as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestFigures:
    async def test_each_of_the_next_twenty_working_days_has_its_row_and_a_named_day_off_its_reason(
        self, client: httpx2.AsyncClient
    ) -> None:
        found = await got(client, "/v1/deadlines/ahead")
        assert found["overdue"] == 3
        assert sum(day["working"] for day in found["days"]) == 20
        assert sum(day["total"] for day in found["days"]) == 5
        assert all(day["off"].endswith("không tính hạn") for day in found["days"] if not day["working"])

    async def test_the_unit_with_the_most_overdue_comes_first(self, client: httpx2.AsyncClient) -> None:
        first, *_ = (await got(client, "/v1/deadlines/workload"))["items"]
        assert (first["unit"], first["open"], first["overdue"]) == ("bhxh-can-tho", 5, 3)

    async def test_behind_each_figure_of_a_month_stand_the_deadlines_that_it_counts(
        self, client: httpx2.AsyncClient
    ) -> None:
        (row,) = (await got(client, "/v1/deadlines/on-time"))["items"]
        assert (row["on_time"], row["late"], row["breached"], row["rate"]) == (0, 0, 3, 0.0)
        where = f"unit={row['unit']}&duty={row['duty']}&month={row['month']}&state=breached"
        behind = (await got(client, f"/v1/deadlines?{where}"))["items"]
        assert len(behind) == 3

    async def test_what_was_told_is_told_with_its_true_time_and_what_was_born_overdue_says_so(
        self, client: httpx2.AsyncClient
    ) -> None:
        one, *_ = (await got(client, "/v1/deadlines?state=breached"))["items"]
        assert one["born_overdue"] is True
        breached = next(each for each in one["reminders"] if each["stage"] == "breached")
        assert breached["planned_at"] == one["due_at"]

    async def test_a_unit_that_the_directory_does_not_have_loses_nothing(
        self, client: httpx2.AsyncClient
    ) -> None:
        (one,) = (await got(client, "/v1/deadlines?unit=bhxh-khong-co"))["items"]
        assert (one["unit_known"], one["unit_name"]) == (False, "bhxh-khong-co")

    @pytest.mark.parametrize(
        "place", [["2026-11-24T09:00:00Z", "x"], ["2026-11-24T09:00:00", ID], [1, ID], ["x"]]
    )
    async def test_a_place_that_no_list_has_given_is_refused(
        self, client: httpx2.AsyncClient, place: list[Any]
    ) -> None:
        refused = await client.get(f"/v1/deadlines?cursor={cursor_of(place)}", headers=as_("oanh"))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "cursor")

    async def test_a_duty_that_nobody_knows_is_refused_and_not_shown_as_an_empty_list(
        self, client: httpx2.AsyncClient
    ) -> None:
        paths = ("/v1/deadlines", "/v1/deadlines.csv", "/desk/deadlines", "/desk/ledger", "/desk/ledger.csv",
                 "/v1/deadlines/on-time", "/desk/deadlines/on-time")  # fmt: skip
        for path in paths:
            refused = await client.get(f"{path}?duty=la-lam", headers=as_("oanh"))
            problem = refused.json()
            assert (refused.status_code, problem["code"]) == (422, "duty_unknown"), path
            assert problem["errors"][0]["field"] == "duty"


class TestReaders:
    async def test_a_head_sees_the_own_unit_and_no_other(self, client: httpx2.AsyncClient) -> None:
        items = (await got(client, "/v1/deadlines?state=open", "nga"))["items"]
        assert {item["unit"] for item in items} == {"bhxh-can-tho"}
        for path in ("/v1/deadlines", "/v1/deadlines.csv", "/v1/deadlines/ahead", "/desk/deadlines/board"):
            answer = await client.get(f"{path}?unit=bhxh-ha-noi", headers=as_("nga"))
            assert answer.status_code == 403, path
        loads = (await got(client, "/v1/deadlines/workload", "nga"))["items"]
        assert [row["unit"] for row in loads] == ["bhxh-can-tho"]

    async def test_what_a_letter_leads_to_opens_for_whoever_is_told_and_for_nobody_else(
        self, client: httpx2.AsyncClient
    ) -> None:
        """The unit's people without a role here, its head, and the centre to which it is carried up."""
        (other, _) = (await got(client, "/v1/deadlines?unit=bhxh-ha-noi"))["items"]
        for path in ("/v1/deadlines", "/desk/deadlines"):
            opens = {
                who: (await client.get(f"{path}/{other['id']}", headers=as_(who))).status_code
                for who in ("tuan", "ha", "khoi", "nga", "lan", "khong")
            }
            assert opens == {"tuan": 200, "ha": 200, "khoi": 200, "nga": 403, "lan": 403, "khong": 403}
        listed = "/desk/deadlines?unit=bhxh-ha-noi"
        got_it = [(await client.get(listed, headers=as_(who))).status_code for who in ("tuan", "ha", "lan")]
        assert got_it == [200, 403, 403]
        page = (await client.get(f"/desk/deadlines/{other['id']}", headers=as_("tuan"))).text
        assert "/desk/notices/" not in page  # what only those on call may open is no link

    @pytest.mark.parametrize(
        "path",
        ["/v1/deadlines", "/v1/deadlines.csv", "/v1/deadlines.xlsx", "/v1/deadlines/on-time",
         "/v1/deadlines/ahead", "/v1/deadlines/workload", "/desk/deadlines", "/desk/deadlines/board",
         "/desk/deadlines/on-time"],
    )  # fmt: skip
    async def test_a_units_people_read_their_own_units_and_who_has_none_reads_nothing(
        self, client: httpx2.AsyncClient, path: str
    ) -> None:
        assert (await client.get(path, headers=as_("khong"))).status_code == 403
        assert (await client.get(path, headers=as_("tuan"))).status_code == 200
        assert (await client.get(f"{path}?unit=bhxh-can-tho", headers=as_("tuan"))).status_code == 403
        own = (await got(client, "/v1/deadlines", "tuan"))["items"]
        assert {item["unit"] for item in own} == {"bhxh-ha-noi"}

    async def test_an_address_that_opens_without_signing_in_is_for_heads(
        self, client: httpx2.AsyncClient
    ) -> None:
        reads = [
            (await client.get("/v1/units/bhxh-can-tho/feed", headers=as_(who))).status_code
            for who in ("oanh", "nga", "can", "lan", "khong")
        ]
        assert reads == [200, 200, 403, 403, 403]
        assert "/lich-han/" in (await client.get("/desk/deadlines/board", headers=as_("nga"))).text
        assert "/lich-han/" not in (await client.get("/desk/deadlines/board", headers=as_("can"))).text

    @pytest.mark.parametrize(
        "path", ["/v1/deadlines", "/v1/deadlines.csv", "/v1/notices", "/desk/deadlines", "/desk/ledger"]
    )
    async def test_a_subject_is_asked_for_by_its_number_or_its_name_and_a_wrong_one_is_told(
        self, client: httpx2.AsyncClient, path: str
    ) -> None:
        (known, *_) = (await got(client, "/v1/deadlines?unit=bhxh-khong-co"))["items"]
        for right in ("HD-2026-11-7K3QZ4M", " hd-2026-11-7k3qz4m ", known["subject"]):
            answer = await client.get(path, params={"subject": right}, headers=as_("oanh"))
            assert answer.status_code == 200, right
            if path == "/v1/deadlines":
                assert [item["id"] for item in answer.json()["items"]] == [known["id"]]
        for wrong, words in (
            ("HD-2026-11-XXXXXXX", "Không có hồ sơ nào mang số HD-2026-11-XXXXXXX."),
            ("lương hưu", "Ghi số tiếp nhận, ví dụ HD-2026-11-7K3QZ4M"),
        ):
            answer = await client.get(path, params={"subject": wrong}, headers=as_("oanh"))
            assert answer.status_code == 422
            if path.startswith("/v1"):
                problem = answer.json()
                assert (problem["code"], problem["errors"][0]["field"]) == ("subject_unknown", "subject")
                assert (
                    problem["errors"][0]["message"].startswith(words) and problem["errors"][0]["message_en"]
                )
            else:
                assert words in answer.text and 'aria-invalid="true"' in answer.text

    async def test_a_number_is_found_by_its_index(self, client: httpx2.AsyncClient, register: Swept) -> None:
        plan = await register.database.command({
            "explain": {"find": "deadlines", "filter": {"label": {"$eq": "HD-2026-11-7K3QZ4M"}}, "limit": 1}
        })  # fmt: skip
        assert "numbered" in str(plan["queryPlanner"]["winningPlan"])

    @pytest.mark.parametrize("asked", ["month=2026-13", "month=nov", "day=01/12/2026", "state=late"])
    async def test_a_question_that_makes_no_sense_is_a_clear_problem(
        self, client: httpx2.AsyncClient, asked: str
    ) -> None:
        answer = await client.get(f"/v1/deadlines?{asked}", headers=as_("oanh"))
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("application/problem+json")


class TestFiles:
    async def test_the_csv_has_a_row_each_and_no_formula(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/v1/deadlines.csv", headers=as_("oanh"))
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 1 + 8
        assert {cell[:1] for row in rows for cell in row} & set("=+@") == set()
        assert any("HYPERLINK" in cell for row in rows for cell in row)

    async def test_the_xlsx_is_a_workbook_whose_cells_are_words(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/v1/deadlines.xlsx?unit=bhxh-ha-noi", headers=as_("oanh"))
        sheet = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
        assert sheet.count("<row ") == 3
        assert "<f>" not in sheet
        assert "Đang chạy" in sheet


class TestFeed:
    async def _address(self, client: httpx2.AsyncClient, unit: str, who: str = "oanh") -> str:
        url = (await got(client, f"/v1/units/{unit}/feed", who))["url"]
        return "/lich-han/" + url.partition("/lich-han/")[2]

    async def test_who_has_the_address_reads_it_without_signing_in_and_its_ids_stay(
        self, client: httpx2.AsyncClient
    ) -> None:
        path = await self._address(client, "bhxh-can-tho", "nga")
        uids = []
        for _ in range(2):
            answer = await client.get(path)
            assert answer.headers["content-type"].startswith("text/calendar")
            events = list(Calendar.from_ical(answer.content).walk("VEVENT"))
            uids.append({str(event["UID"]) for event in events})
        assert uids[0] == uids[1]
        assert len(uids[0]) == 5
        assert any(str(event["SUMMARY"]).startswith("Quá hạn: ") for event in events)

    async def test_a_guess_a_neighbours_token_and_a_unit_that_is_none_get_the_same_answer(
        self, client: httpx2.AsyncClient
    ) -> None:
        token = (await self._address(client, "bhxh-ha-noi")).rpartition("/")[2]
        tried = [f"/lich-han/bhxh-can-tho/{token}", "/lich-han/bhxh-can-tho/x.ics",
                 "/lich-han/bhxh-khong-co/x.ics"]  # fmt: skip
        answers = [await client.get(path) for path in tried]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.json()["detail"] for answer in answers}) == 1

    async def test_revoking_closes_the_old_address_at_once(self, client: httpx2.AsyncClient) -> None:
        old = await self._address(client, "bhxh-ha-noi")
        key = {"Idempotency-Key": "revoke-0001"}
        body = {"reason": "Gửi nhầm ra ngoài"}
        path = "/v1/units/bhxh-ha-noi/feed/revoke"
        refused = await client.post(path, json=body, headers=as_("nga") | key)
        assert refused.status_code == 403
        twice = [await client.post(path, json=body, headers=as_("oanh") | key) for _ in range(2)]
        assert [answer.json()["generation"] for answer in twice] == [2, 2]
        new = "/lich-han/" + twice[0].json()["url"].partition("/lich-han/")[2]
        assert (await client.get(old)).status_code == 404
        assert (await client.get(new)).status_code == 200

    async def test_without_a_secret_there_are_no_addresses(self) -> None:
        assert NotifierSettings(environment="local").feed_key == b""


class TestPages:
    @pytest.mark.parametrize("path", ["board", "on-time", "board?unit=bhxh-can-tho", "on-time?months=12"])
    @pytest.mark.parametrize("who", ["oanh", "nga"])
    async def test_they_show_what_is_overdue_and_how_punctual_it_was(
        self, client: httpx2.AsyncClient, path: str, who: str
    ) -> None:
        answer = await client.get(f"/desk/deadlines/{path}", headers=as_(who))
        assert answer.status_code == 200
        assert "Cần Thơ" in answer.text
        if path.startswith("board"):
            assert "Báo quá hạn" in answer.text
            ahead = await got(client, f"/v1/deadlines/ahead{path.removeprefix('board')}", who)
            off = any(day["off"] for day in ahead["days"])  # a week without a holiday may have none to name
            assert ("không tính hạn" in answer.text) is off

    async def test_one_that_was_born_overdue_of_a_unit_nobody_knows_says_both(
        self, client: httpx2.AsyncClient
    ) -> None:
        one, *_ = (await got(client, "/v1/deadlines?state=breached"))["items"]
        text = (await client.get(f"/desk/deadlines/{one['id']}", headers=as_("oanh"))).text
        assert "Vào sổ khi đã quá hạn" in text
        (lost,) = (await got(client, "/v1/deadlines?unit=bhxh-khong-co"))["items"]
        text = (await client.get(f"/desk/deadlines/{lost['id']}", headers=as_("oanh"))).text
        assert "Danh bạ không có đơn vị này" in text


async def test_a_duty_that_a_service_names_and_the_register_does_not_know_loses_nothing(
    register: Swept, client: httpx2.AsyncClient
) -> None:
    (id,) = await register.open(1, due_at=utc_now() + 9 * DAY, duty="moi-dat", unit="bhxh-xa")
    (one,) = (await got(client, "/v1/deadlines?duty=moi-dat"))["items"]
    assert (one["id"], one["duty_known"], one["duty_vi"]) == (str(id), False, "moi-dat")
    page = await client.get(f"/desk/deadlines/{id}", headers=as_("oanh"))
    assert "Sổ không biết nghĩa vụ này" in page.text
