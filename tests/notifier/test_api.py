"""The register over HTTP, on real MongoDB: who may read what, and how a due date explains itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2
import pytest

from services.notifier import handlers
from services.notifier.domain import notice_id
from services.notifier.handlers import ClaimNotice, Failed
from services.notifier.regulation import Policy
from shared.contracts.notifier import Delivery
from shared.desk import utc_now
from shared.service import Service
from tests.notifier.rig import as_, client, hears, opened, service
from tests.notifier.world import forwarded, refused, same_day_clock

__all__ = ["client", "service"]  # fixtures


class TestCalendar:
    @pytest.mark.parametrize(
        ("start", "days", "last"),
        [
            pytest.param("2025-04-25T09:00:00+07:00", 1, "2025-04-26", id="a worked Saturday is day one"),
            pytest.param("2025-04-28T09:00:00+07:00", 2, "2025-05-05", id="a holiday bridge is not counted"),
            pytest.param("2026-11-23T23:59:59+07:00", 1, "2026-11-25", id="Culture Day is not counted"),
            pytest.param("2026-11-22T23:50:00+07:00", 0, "2026-11-22", id="the same day, be it a Sunday"),
        ],
    )
    async def test_anybody_may_ask_when_a_term_ends(
        self, client: httpx2.AsyncClient, start: str, days: int, last: str
    ) -> None:
        answer = await client.get("/v1/calendar/due", params={"from": start, "working_days": days})
        assert (answer.status_code, answer.json()["last_day"]) == (200, last)

    async def test_each_day_is_counted_or_skipped_with_its_reason(self, client: httpx2.AsyncClient) -> None:
        asked = {"from": "2026-11-23T09:00:00+07:00", "working_days": "2"}
        told = (await client.get("/v1/calendar/due", params=asked)).json()
        days = told["days"]
        assert [(day["date"], day["number"]) for day in days] == [
            ("2026-11-24", None), ("2026-11-25", 1), ("2026-11-26", 2),
        ]  # fmt: skip
        assert days[0]["reason_vi"] == "nghỉ Ngày Văn hóa Việt Nam"
        assert days[0]["document"]
        assert told["basis_vi"] == "Bộ luật Dân sự 2015, Điều 147; Bộ luật Dân sự 2015, Điều 148"
        assert told["basis_url"] == "/can-cu#bo-luat-dan-su-dieu-147"

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"from": "2026-11-23", "working_days": "1"},
            {"from": "2026-11-23T09:00:00", "working_days": "1"},
            {"from": "2026-11-23T09:00:00Z", "working_days": "-1"},
            {"from": "2026-11-23T09:00:00Z", "working_days": "9999"},
            {"from": "2040-01-01T00:00:00Z", "working_days": "1"},
            {"from": "0001-01-01T00:00:00Z", "working_days": "1"},
            {"from": "9999-12-31T23:59:59Z", "working_days": "1"},
        ],
    )  # fmt: skip
    async def test_a_question_without_an_answer_gets_a_clear_problem(
        self, client: httpx2.AsyncClient, asked: dict[str, str]
    ) -> None:
        answer = await client.get("/v1/calendar/due", params=asked)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


PATHS = ("/v1/deadlines", "/v1/notices", "/desk/operations", "/desk/deadlines", "/desk/notices")


class TestWhoMayRead:
    @pytest.mark.parametrize("path", PATHS)
    async def test_a_stranger_must_sign_in(self, client: httpx2.AsyncClient, path: str) -> None:
        assert (await client.get(path)).status_code == 401
        page = await client.get(path, headers={"Accept": "text/html"})
        assert page.status_code == (401 if path.startswith("/v1") else 303)

    @pytest.mark.parametrize("path", PATHS)
    async def test_staff_without_a_role_here_read_the_deadlines_of_their_unit_alone(
        self, client: httpx2.AsyncClient, path: str
    ) -> None:
        status = 200 if path.endswith("deadlines") else 403
        assert (await client.get(path, headers=as_("lan"))).status_code == status

    @pytest.mark.parametrize("who", ["oanh", "thao"])
    @pytest.mark.parametrize("path", [p for p in PATHS if p.startswith("/v1")])
    async def test_those_on_call_and_the_calendar_keeper_read(
        self, client: httpx2.AsyncClient, path: str, who: str
    ) -> None:
        assert (await client.get(path, headers=as_(who))).status_code == 200


class TestDeadlines:
    async def test_a_deadline_tells_whose_it_is_by_which_clause_and_how_it_was_counted(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        subject, id = await opened(service)
        answer = await client.get(f"/v1/deadlines/{id}", headers=as_("oanh"))
        view = answer.json()
        assert answer.headers["etag"] == '"1"'
        assert (view["subject"], view["duty"], view["state"], view["overdue"]) == (
            subject,
            "triage",
            "open",
            False,
        )
        assert (view["label"], view["basis_vi"]) == (
            "HD-2026-11-QW99WAG", "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ nhất",
        )  # fmt: skip
        assert view["basis_url"].endswith("/can-cu#dieu-11-hoi-dap-1")
        assert [day["number"] for day in view["days"] if day["number"]] == [1, 2, 3, 4, 5]

    async def test_what_is_open_past_its_time_is_a_breach_before_any_sweep_has_run(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        subject, id = await opened(service, at=datetime(2026, 9, 7, 2, tzinfo=UTC))
        view = (await client.get(f"/v1/deadlines/{id}", headers=as_("oanh"))).json()
        assert (view["state"], view["overdue"], view["breached_at"]) == ("breached", True, None)
        asked = {"subject": subject, "state": "breached"}
        listed = await client.get("/v1/deadlines", params=asked, headers=as_("oanh"))
        assert [item["id"] for item in listed.json()["items"]] == [str(id)]

    async def test_a_discharged_deadline_is_met(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        subject, id = await opened(service)
        question = UUID(subject.partition("-")[2])
        await hears(service, handlers.keep_clocks, forwarded(closes=("triage",)), question, 2)
        await service.edge.caught_up("deadlines", id, 2)
        view = (await client.get("/v1/deadlines", params={"subject": subject}, headers=as_("oanh"))).json()
        assert [(item["duty"], item["state"]) for item in view["items"]] == [("triage", "met")]

    async def test_a_letter_that_cannot_be_sent_is_shown_as_the_risk_it_is(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        question = uuid4()
        event = refused(opens=(same_day_clock(utc_now()),))
        subject = await hears(service, handlers.notify_refusal, event, question, 2)
        notice, desk = notice_id("refusal", subject, "asker", 1), service.edge.desk
        await handlers.claim_notice(ClaimNotice(notice), desk())
        failure = Failed(notice, 1, Delivery.TEMPORARY, "451 Try again later")
        await handlers.record_failure(failure, desk(now=utc_now() + timedelta(minutes=1)))
        await service.edge.caught_up("notices", notice, 3)
        view = (await client.get("/v1/deadlines", params={"subject": subject}, headers=as_("oanh"))).json()
        assert view["items"][0]["risk"].startswith("Thư chưa gửi được, thử lại lúc ")

    async def test_a_list_goes_on_where_it_stopped(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        expected = {str((await opened(service))[1]) for _ in range(5)}
        seen: list[str] = []
        cursor = ""
        while True:
            asked = {"state": "open", "limit": "2", "cursor": cursor}
            page = (await client.get("/v1/deadlines", params=asked, headers=as_("oanh"))).json()
            seen += [item["id"] for item in page["items"]]
            if not (cursor := page["next"] or ""):
                break
        assert len(seen) == len(set(seen))
        assert expected <= set(seen)

    @pytest.mark.parametrize(
        "asked", [{"state": "overdue"}, {"cursor": "nonsense"}, {"cursor": "WzEsMl0"}, {"limit": "0"}]
    )
    async def test_a_bad_question_is_told_so(self, client: httpx2.AsyncClient, asked: dict[str, str]) -> None:
        assert (await client.get("/v1/deadlines", params=asked, headers=as_("oanh"))).status_code == 422

    @pytest.mark.parametrize("kind", ["deadlines", "notices"])
    async def test_what_does_not_exist_is_not_found(self, client: httpx2.AsyncClient, kind: str) -> None:
        for id in (str(uuid4()), "no-id"):
            answer = await client.get(f"/v1/{kind}/{id}", headers=as_("oanh"))
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_notice_shows_its_proof_and_no_address(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    question = uuid4()
    subject = await hears(service, handlers.notify_refusal, refused(), question, 2)
    id = notice_id("refusal", subject, "asker", 1)
    await handlers.claim_notice(ClaimNotice(id), service.edge.desk())
    accepted = handlers.Accepted(id, 1, "250 2.0.0 queued as 4XqP", utc_now())
    await handlers.record_acceptance(accepted, service.edge.desk())
    await service.edge.caught_up("notices", id, 3)
    view = (await client.get(f"/v1/notices/{id}", headers=as_("oanh"))).json()
    assert (view["state"], view["reply"], view["message_id"]) == (
        "sent", "250 2.0.0 queued as 4XqP", f"<{id}@bhxh.example.vn>",
    )  # fmt: skip
    assert view["recipient"] == "asker"


async def test_the_board_counts_what_is_overdue_before_any_sweep(service: Service[Policy]) -> None:
    from services.notifier.board import draw

    before = (await draw(service.edge, utc_now())).overdue_count
    await opened(service, at=datetime(2026, 9, 7, 2, tzinfo=UTC))
    board = await draw(service.edge, utc_now())
    assert board.overdue_count == before + 1
    assert all(service.answers is False for service in board.services)
    assert any("không trả lời" in incident for incident in board.incidents)


async def test_the_board_names_a_day_off_that_lies_between(service: Service[Policy]) -> None:
    from services.notifier.board import draw

    board = await draw(service.edge, datetime(2026, 11, 23, 2, tzinfo=UTC))
    rows = {row.label: (row.kind, row.off) for row in board.days}
    assert rows["Thứ Hai 23/11"] == ("today", "")
    assert rows["Thứ Ba 24/11"] == ("off", "Nghỉ Ngày Văn hóa Việt Nam")
    assert "Thứ Bảy 28/11" not in rows
