"""The calendar over HTTP, on real MongoDB: read by everyone, kept by a calendar keeper, and clear about bad
input."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from icalendar import Calendar as Feed

from services.notifier.regulation import Policy
from shared.calendar import CALENDAR
from shared.service import Service
from tests.notifier.calendars import DECISION, DOCUMENTS
from tests.notifier.rig import as_, client, service

__all__ = ["client", "service"]  # fixtures

ROW = {"kind": "holiday", "vi": "Nghỉ đột xuất", "en": "Extra day", "by": "vpcp-1234"}


@pytest.fixture(scope="module")
def weekdays() -> Iterator[str]:
    """Days that no other test of this module has made a day off: the calendar lasts longer than a test."""
    return iter(
        [f"2027-06-{n:02}" for n in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21, 22, 23, 24)]
    )


async def in_force(client: httpx2.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/v1/calendar")).json()
    return found


def year_of(calendar: dict[str, Any], *rows: dict[str, str], year: int = 2027) -> dict[str, Any]:
    old = next(each for each in calendar["years"] if each["year"] == year)
    days = [{name: row[name] for name in ("date", "kind", "vi", "en", "by")} for row in old["days"]]
    return {"year": year, "provisional": old["provisional"], "days": [*days, *rows]}


async def send(
    client: httpx2.AsyncClient, path: str, body: Any, *, who: str = "thao", method: str = "POST",
    **headers: str,
) -> httpx2.Response:  # fmt: skip
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.request(
        method, path, json=body, headers={"Idempotency-Key": uuid4().hex} | as_(who) | given
    )


async def drafted(client: httpx2.AsyncClient, day: str) -> httpx2.Response:
    calendar = await in_force(client)
    body = {
        "base": calendar["version"],
        "documents": DOCUMENTS,
        "years": [year_of(calendar, ROW | {"date": day})],
    }
    answer = await send(client, "/v1/calendar/drafts", body)
    assert answer.status_code == 201, answer.text
    return answer


async def applied(client: httpx2.AsyncClient, service: Service[Policy], day: str) -> str:
    draft = await drafted(client, day)
    version = str(draft.json()["version"])
    path = f"/v1/calendar/drafts/{version}/apply"
    done = await send(client, path, {"document": DECISION}, if_match=draft.headers["etag"])
    assert done.status_code == 200, done.text
    await service.edge.caught_up("calendars", version, 2)
    await service.edge.calendars.refresh()
    return version


class TestReading:
    async def test_anyone_reads_the_calendar_with_the_document_of_each_day(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await client.get("/v1/calendar", params={"version": CALENDAR.version, "year": "2026"})
        (year,) = answer.json()["years"]
        culture = next(row for row in year["days"] if row["date"] == "2026-11-24")
        assert culture["document"] == CALENDAR.data.documents["qh-28"]
        assert answer.headers["cache-control"].startswith("public, max-age=")

    @pytest.mark.parametrize(
        "path",
        ["/v1/calendar", "/v1/calendar.ics", "/v1/calendar/versions",
         "/v1/calendar/due?from=2026-11-23T09:00:00%2B07:00&working_days=5"],
    )  # fmt: skip
    async def test_who_has_it_already_is_told_so(self, client: httpx2.AsyncClient, path: str) -> None:
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")

    async def test_the_feed_has_an_all_day_event_for_each_row_with_a_lasting_uid(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await client.get("/v1/calendar.ics", params={"version": CALENDAR.version})
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        events = list(Feed.from_ical(answer.content).walk("VEVENT"))
        assert len(events) == sum(len(year.days) for year in CALENDAR.data.years)
        assert len({str(event["UID"]) for event in events}) == len(events)
        makeup = next(event for event in events if str(event["DTSTART"].dt) == "2026-08-22")
        assert str(makeup["SUMMARY"]) == "Làm bù: làm bù ngày 31/08/2026"
        assert str(makeup["UID"]) == "20260822@lich.bhxh.example.vn"

    async def test_a_due_date_can_be_asked_for_in_an_older_version(
        self, client: httpx2.AsyncClient, service: Service[Policy], weekdays: Iterator[str]
    ) -> None:
        off = next(weekdays)
        await applied(client, service, off)
        asked = {"from": "2027-05-20T09:00:00+07:00", "working_days": "40"}
        new = (await client.get("/v1/calendar/due", params=asked)).json()
        old = (await client.get("/v1/calendar/due", params=asked | {"version": CALENDAR.version})).json()
        assert old["calendar_version"] == CALENDAR.version
        assert old["last_day"] < new["last_day"]
        assert off in [row["date"] for row in new["days"] if row["number"] is None]

    @pytest.mark.parametrize(
        ("params", "status"),
        [({"version": "2019-01-01"}, 404), ({"year": "2040"}, 422), ({"year": "x"}, 422)],
    )
    async def test_what_is_not_there_is_a_clear_problem(
        self, client: httpx2.AsyncClient, params: dict[str, str], status: int
    ) -> None:
        for path in ("/v1/calendar", "/v1/calendar.ics"):
            answer = await client.get(path, params=params)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"


class TestDrafting:
    async def test_a_draft_says_what_it_changes_and_is_in_force_for_nobody(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        off, before = next(weekdays), await in_force(client)
        answer = await drafted(client, off)
        draft = answer.json()
        assert answer.headers["location"] == f"/v1/calendar/drafts/{draft['version']}"
        assert [change["date"] for change in draft["changes"]] == [off]
        assert (await in_force(client))["version"] == before["version"]
        shown = await client.get(answer.headers["location"], headers=as_("oanh"))
        assert (shown.json(), shown.headers["etag"]) == (draft, '"1"')

    @pytest.mark.parametrize(
        ("row", "kind", "words"),
        [
            pytest.param({"date": "2027-01-01"}, "row_twice", "được ghi hai lần", id="a row twice"),
            pytest.param({"date": "2027-06-29", "kind": "makeup"}, "makeup_on_weekday", "chỉ ghi làm bù vào",
                         id="a make-up day on a weekday"),
            pytest.param({"date": "2027-06-26", "kind": "swap_off"}, "swap_on_weekend", "nghỉ cuối tuần",
                         id="an exchanged weekend day"),
            pytest.param({"date": "2027-06-29", "by": "khong-co"}, "unknown_document", "không có văn bản",
                         id="an unknown document"),
            pytest.param({"date": "2028-06-29"}, "other_year", "không thuộc năm 2027", id="another year"),
        ],
    )  # fmt: skip
    async def test_a_wrong_row_is_named_in_the_fields_words(
        self, client: httpx2.AsyncClient, row: dict[str, str], kind: str, words: str
    ) -> None:
        calendar = await in_force(client)
        year = year_of(calendar, ROW | row)
        body = {"base": calendar["version"], "documents": DOCUMENTS, "years": [year]}
        answer = await send(client, "/v1/calendar/drafts", body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "calendar_rows_wrong")
        (error,) = problem["errors"]
        assert (error["type"], error["field"].rpartition(".")[0]) == (
            kind, f"years.0.days.{len(year['days']) - 1}",
        )  # fmt: skip
        assert words in error["message"]
        assert error["message_en"]

    @pytest.mark.parametrize(
        "change",
        [
            {"years": []},
            {"years": [{"year": 2027, "days": [ROW | {"date": 1_800_000_000}]}]},
            {"years": [{"year": 2027, "days": [ROW | {"date": "29/06/2027"}]}]},
            {"years": [{"year": 2027, "days": [ROW | {"date": "2027-06-29", "kind": "half"}]}]},
            {"years": [{"year": "2027", "days": []}]},
            {"years": [{"year": 2027, "days": [ROW | {"date": "2027-06-29", "note": "x"}]}]},
            {"documents": {"Khoá Sai": "x"}},
            {"version": "mới"},
            {"version": "2020-01-01"},
            {"surprise": 1},
        ],
    )
    async def test_a_body_that_is_none_of_ours_is_refused(
        self, client: httpx2.AsyncClient, change: dict[str, Any]
    ) -> None:
        calendar = await in_force(client)
        body = {"base": calendar["version"], "documents": DOCUMENTS,
                "years": [year_of(calendar, ROW | {"date": "2027-06-29"})]} | change  # fmt: skip
        answer = await send(client, "/v1/calendar/drafts", body)
        assert answer.status_code == 422
        assert answer.json()["errors"]

    async def test_a_year_gap_is_refused(self, client: httpx2.AsyncClient) -> None:
        calendar = await in_force(client)
        body = {"base": calendar["version"], "years": [{"year": 2031, "days": []}]}
        answer = await send(client, "/v1/calendar/drafts", body)
        assert answer.json()["errors"][0]["type"] == "year_gap"

    async def test_a_draft_that_changes_nothing_is_refused(self, client: httpx2.AsyncClient) -> None:
        calendar = await in_force(client)
        body = {"base": calendar["version"], "years": [year_of(calendar)]}
        answer = await send(client, "/v1/calendar/drafts", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "calendar_unchanged")

    async def test_an_overlapping_version_is_told_what_has_changed(
        self, client: httpx2.AsyncClient, service: Service[Policy], weekdays: Iterator[str]
    ) -> None:
        old = await in_force(client)
        off = next(weekdays)
        waiting = await drafted(client, next(weekdays))
        newer = await applied(client, service, off)
        body = {"base": old["version"], "documents": DOCUMENTS,
                "years": [year_of(old, ROW | {"date": "2027-06-29"})]}  # fmt: skip
        answer = await send(client, "/v1/calendar/drafts", body)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["in_force"]) == (
            409,
            "calendar_overtaken",
            newer,
        )
        assert [change["date"] for change in problem["changes"]] == [off]
        path = f"/v1/calendar/drafts/{waiting.json()['version']}/apply"
        late = await send(client, path, {"document": DECISION}, if_match=waiting.headers["etag"])
        assert (late.status_code, late.json()["code"]) == (409, "calendar_overtaken")

    async def test_a_used_version_is_refused(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        calendar = await in_force(client)
        body = {"base": calendar["version"], "documents": DOCUMENTS, "version": "2030-01-01",
                "years": [year_of(calendar, ROW | {"date": next(weekdays)})]}  # fmt: skip
        assert (await send(client, "/v1/calendar/drafts", body)).status_code == 201
        again = await send(client, "/v1/calendar/drafts", body)
        assert (again.status_code, again.json()["code"]) == (409, "calendar_version_taken")

    async def test_a_revision_says_which_draft_it_has_seen(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        draft = await drafted(client, next(weekdays))
        path, calendar = draft.headers["location"], await in_force(client)
        off = next(weekdays)
        body = {"years": [year_of(calendar, ROW | {"date": off})]}
        unseen = await send(client, path, body, method="PUT")
        assert unseen.status_code == 428
        revised = await send(client, path, body, method="PUT", if_match=draft.headers["etag"])
        assert [change["date"] for change in revised.json()["changes"]] == [off]
        stale = await send(client, path, body, method="PUT", if_match=draft.headers["etag"])
        assert stale.status_code == 412


class TestApplying:
    async def test_the_number_of_a_document_is_required(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        draft = await drafted(client, next(weekdays))
        path = f"{draft.headers['location']}/apply"
        for body in ({}, {"document": ""}, {"document": "theo chỉ đạo"}, {"document": "Số 1\nSố 2"}):
            answer = await send(client, path, body, if_match='"1"')
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "document"

    async def test_a_day_that_no_document_decided_is_told_of_ahead_and_applied_by_nobody(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        calendar, off = await in_force(client), next(weekdays)
        year = year_of(calendar, ROW | {"date": off, "by": "du-thao"})
        body = {"base": calendar["version"], "documents": {"du-thao": "Chờ thông báo"}, "years": [year]}
        draft = await send(client, "/v1/calendar/drafts", body)
        path = draft.headers["location"]
        ahead = (await client.get(f"{path}/preview", headers=as_("oanh"))).json()["undecided"]
        answer = await send(client, f"{path}/apply", {"document": DECISION}, if_match='"1"')
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "calendar_undecided")
        assert problem["errors"] == ahead
        (row,) = ahead
        assert f"{off[8:]}/{off[5:7]}/2027" in row["message"] and off in row["message_en"]

    async def test_it_counts_for_everybody_from_then_on_and_says_so_once(
        self, client: httpx2.AsyncClient, service: Service[Policy], weekdays: Iterator[str]
    ) -> None:
        draft = await drafted(client, next(weekdays))
        version, path = draft.json()["version"], f"{draft.headers['location']}/apply"
        key = {"Idempotency-Key": uuid4().hex}
        first = await send(client, path, {"document": DECISION}, if_match='"1"', **key)
        again = await send(client, path, {"document": DECISION}, if_match='"1"', **key)
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
        assert first.json()["status"] == "applied"
        other = await send(client, path, {"document": "Công văn 9/VPCP"}, if_match='"1"', **key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        anew = await send(client, path, {"document": DECISION}, if_match='"2"')
        assert (anew.status_code, anew.json()["code"]) == (409, "illegal_transition")
        await service.edge.caught_up("calendars", version, 2)
        await service.edge.calendars.refresh()
        shown = await in_force(client)
        assert (shown["version"], shown["document"]) == (version, DECISION)
        newest = (await client.get("/v1/calendar/versions")).json()["items"][0]
        assert (newest["version"], newest["in_force"], len(newest["changes"])) == (version, True, 1)

    async def test_a_discarded_draft_says_why_and_is_applied_no_more(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        draft = await drafted(client, next(weekdays))
        path = draft.headers["location"]
        gone = await send(client, f"{path}/discard", {"reason": "nhầm ngày"}, if_match='"1"')
        assert (gone.json()["status"], gone.json()["reason"]) == ("discarded", "nhầm ngày")
        late = await send(client, f"{path}/apply", {"document": DECISION}, if_match='"2"')
        assert late.status_code == 409


class TestWhoMayDoWhat:
    async def test_strangers_and_readers_change_nothing(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        draft = await drafted(client, next(weekdays))
        path, calendar = draft.headers["location"], await in_force(client)
        years = {"years": [year_of(calendar, ROW | {"date": "2027-06-29"})], "documents": DOCUMENTS}
        acts = [
            ("POST", "/v1/calendar/drafts", years | {"base": calendar["version"]}),
            ("PUT", path, years),
            ("POST", f"{path}/apply", {"document": DECISION}),
            ("POST", f"{path}/discard", {"reason": "x"}),
        ]
        for method, where, body in acts:
            for who, status in (("oanh", 403), ("lan", 403), ("nobody", 401)):
                answer = await send(client, where, body, who=who, method=method, if_match='"1"')
                assert answer.status_code == status, (method, where, who)

    async def test_a_draft_and_its_preview_are_for_those_on_call(
        self, client: httpx2.AsyncClient, weekdays: Iterator[str]
    ) -> None:
        path = (await drafted(client, next(weekdays))).headers["location"]
        for where in (path, f"{path}/preview"):
            got = [(await client.get(where, headers=as_(who))).status_code for who in ("oanh", "thao", "lan")]
            assert got == [200, 200, 403]
        assert (await client.get("/v1/calendar/drafts/2099-01-01", headers=as_("oanh"))).status_code == 404
