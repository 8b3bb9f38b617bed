"""Who was told what, when and with which proof: by duty, unit, month and subject."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.notifier import domain, handlers, queries
from services.notifier.domain import Notice
from services.notifier.gateways import LetterUnavailable, Services
from services.notifier.pages.ledger import _line
from services.notifier.queries import DueNotice, LedgerFilter
from services.notifier.regulation import BY_MAIL, Policy
from services.notifier.views.ledger import ledger_rows, recipient_vi
from shared.contracts.notifier import NoticeBounced, NoticeReachedOtherwise
from shared.service import Service
from shared.testing import local
from shared.web.look import NO_URLS
from tests.notifier.goldens import FACTS
from tests.notifier.rig import as_, client, service
from tests.notifier.world import RECEIVED, received, refused, told

__all__ = ["client", "service"]


@dataclass
class Book:
    """A register in which some have been told."""

    service: Service[Policy]

    async def refusal(self, question: UUID, at: datetime, *, answer: str = "sent") -> UUID:
        edge = self.service.edge
        recorded = told(refused(), 1, at, subject=f"question-{question}")
        desk = edge.desk_for(recorded)
        desk.now = at
        await handlers.notify_refusal(recorded, desk)
        id = domain.notice_id("refusal", recorded.stream, "asker", 1)
        await handlers.claim_notice(handlers.ClaimNotice(id), edge.desk(now=at))
        desk = edge.desk(now=at)
        notice = await handlers.record_acceptance(handlers.Accepted(id, 1, "250 2.0.0 Kept as 7", at), desk)
        if answer == "reached":
            facts = {"notice_id": id, "kind": "refusal", "subject": notice.subject, "recipient": "asker"}
            back = NoticeBounced(
                permanent=True, status="5.1.1", reason="no such user", bounced_at=at, **facts
            )
            called = NoticeReachedOtherwise(way="phone", reached_at=at, proof="sổ trực 12", **facts)
            await desk.append(notice.then(back, called))
        await edge.caught_up("notices", id, desk.written[Notice.stream_of(id)])
        return id


NOVEMBER, OCTOBER = local("2026-11-23T09:30"), local("2026-10-31T23:59:59")


@pytest.fixture(scope="module")
async def book(service: Service[Policy], client: httpx2.AsyncClient) -> AsyncIterator[Book]:
    found = Book(service)
    await found.refusal(UUID(int=1), NOVEMBER)
    await found.refusal(UUID(int=2), OCTOBER, answer="reached")
    recorded = told(received(), 1, RECEIVED, subject=f"question-{UUID(int=1)}")
    await handlers.acknowledge_question(recorded, service.edge.desk_for(recorded))
    await service.edge.caught_up(
        "notices", domain.notice_id("acknowledgement", recorded.stream, "asker", 1), 1
    )
    yield found


async def found(book: Book, **which: str) -> list[tuple[str, str]]:
    rows = await queries.proofs(book.service.database, LedgerFilter(**which))
    return [(row["kind"], row["subject"][-1]) for row in rows]


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        ({}, {("refusal", "1"), ("refusal", "2"), ("acknowledgement", "1")}),
        ({"duty": "same_day_notice"}, {("refusal", "1"), ("refusal", "2")}),
        ({"duty": "triage"}, {("acknowledgement", "1")}),
        ({"unit": "tt-cskh", "duty": "triage"}, {("acknowledgement", "1")}),
        ({"unit": "bhxh-ha-noi"}, set()),
        ({"subject": f"question-{UUID(int=2)}"}, {("refusal", "2")}),
        ({"month": "2026-10"}, {("refusal", "2")}),
        ({"month": "2026-09"}, set()),
    ],
)
async def test_the_ledger_is_asked_by_duty_unit_month_and_subject(
    book: Book, which: dict[str, str], rows: set[tuple[str, str]]
) -> None:
    """A month is one in Vietnam: 23:59:59 on 31 October is October."""
    assert set(await found(book, **which)) == rows


async def test_december_ends_with_the_year(book: Book) -> None:
    bounds = LedgerFilter(month="2026-12").query()["requested_at"]
    assert bounds == {"$gte": local("2026-12-01T00:00"), "$lt": local("2027-01-01T00:00")}


async def test_a_row_of_an_older_build_is_sent_and_shown_all_the_same(book: Book) -> None:
    row = (await queries.proofs(book.service.database, LedgerFilter(month="2026-10")))[0]
    new = ("about", "template", "duty", "unit", "deadline_id", "listed", "bounced_at", "reached_at")
    old = {name: value for name, value in row.items() if name not in new}
    due = DueNotice.of(old)
    assert (due.template, due.deadline_id, due.listed) == ("v1", None, ())
    (shown,) = await ledger_rows(book.service.database, [old], units={}, urls=NO_URLS)
    assert (shown.kind, shown.duty) == ("refusal", "")


async def test_the_page_says_who_was_told_when_and_with_which_proof(
    book: Book, client: httpx2.AsyncClient
) -> None:
    page = await client.get("/desk/ledger?month=2026-11&duty=same_day_notice", headers=as_("oanh"))
    assert page.status_code == 200
    message_id = f"{domain.notice_id('refusal', f'question-{UUID(int=1)}', 'asker', 1)}@bhxh.example.vn"
    for words in (
        "Báo người hỏi ngay trong ngày",
        "Người hỏi",
        "Trung tâm",
        message_id,
        "250 2.0.0 Kept as 7",
        "09:30",
    ):
        assert words in page.text.replace("tt-cskh", "Trung tâm")


async def test_what_came_back_and_how_they_were_told_stands_beside_it(
    book: Book, client: httpx2.AsyncClient
) -> None:
    page = await client.get(f"/desk/ledger?subject=question-{UUID(int=2)}", headers=as_("thao"))
    assert "Đã báo bằng cách khác" in page.text
    assert "bị trả lại 23:59 31/10/2026 (5.1.1)" in page.text
    assert "đã báo qua điện thoại, sổ trực 12" in page.text


async def test_one_subject_is_one_page_a_deadline_each(book: Book, client: httpx2.AsyncClient) -> None:
    page = await client.get(f"/desk/ledger?subject=question-{UUID(int=1)}", headers=as_("oanh"))
    assert page.text.index("Phân loại câu hỏi") < page.text.index("Xác nhận đã nhận câu hỏi")
    assert "Không gắn với một hạn" in page.text  # the refusal, whose clock this register was not told of
    assert "print-only" in page.text


async def test_the_table_has_every_row_and_the_same_facts(book: Book, client: httpx2.AsyncClient) -> None:
    answer = await client.get("/desk/ledger.csv?duty=same_day_notice", headers=as_("oanh"))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["Yêu cầu lúc"] for row in rows] == ["2026-11-23 09:30:00", "2026-10-31 23:59:59"]
    assert rows[0]["Lời đáp"] == "250 2.0.0 Kept as 7"
    assert rows[1]["Kết quả"] == "Đã báo bằng cách khác"


@pytest.mark.parametrize("cell", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", '=HYPERLINK("http://x")'])
def test_what_begins_like_a_formula_is_no_formula(cell: str) -> None:
    (read,) = next(csv.reader(io.StringIO(_line([cell]))))
    assert not read.startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize(
    "path", ["/desk/ledger", "/desk/ledger.csv", "/desk/templates", "/desk/suppressions"]
)
async def test_nobody_without_a_role_reads_it(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=as_("lan"))).status_code == 403


@pytest.mark.parametrize("month", ["2026-13", "11-2026", "2026-1", "x"])
async def test_a_month_that_is_none_is_refused(client: httpx2.AsyncClient, month: str) -> None:
    assert (await client.get(f"/desk/ledger?month={month}", headers=as_("oanh"))).status_code == 422


@pytest.mark.parametrize(
    ("recipient", "called"),
    [("asker", "Người hỏi"), ("unit:u", "Đơn vị U"), ("centre:u", "Đơn vị U"),
     ("head:u", "Thủ trưởng Đơn vị U"), ("leadership", "Lãnh đạo Ngành"),
     ("chat:on-call", "Kênh trực vận hành"),
     ("sms:head:u", "SMS: Thủ trưởng Đơn vị U"), ("unit:gone", "gone")],
)  # fmt: skip
def test_a_recipient_is_called_by_name(recipient: str, called: str) -> None:
    assert recipient_vi(recipient, lambda id: {"u": "Đơn vị U"}.get(id, id)) == called


class TestTemplates:
    @pytest.mark.parametrize("language", ["vi", "en"])
    async def test_each_kind_is_shown_as_it_reads(self, client: httpx2.AsyncClient, language: str) -> None:
        for kind in BY_MAIL:
            page = await client.get(f"/desk/templates?kind={kind}&language={language}", headers=as_("thao"))
            assert page.status_code == 200, kind
            assert f'lang="{language}"' in page.text
            assert 'sandbox title="Thư dạng HTML' in page.text

    async def test_a_real_notice_without_what_is_a_persons(
        self, book: Book, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def letter(_: Any, question: UUID, kind: str, round: int) -> dict[str, Any]:
            return FACTS | {"number": "HD-2026-11-THAT", "agency": "Sở Nông nghiệp"}

        monkeypatch.setattr(Services, "letter", letter)
        id = domain.notice_id("refusal", f"question-{UUID(int=1)}", "asker", 1)
        page = await client.get(f"/desk/templates?kind=refusal&notice={id}", headers=as_("oanh"))
        assert "HD-2026-11-THAT" in page.text
        assert "Sở Nông nghiệp" in page.text
        for secret in (
            "Nguyễn Văn An",
            "an@hopthu",
            "Cấp lại sổ đỏ",
            "Việc về đất đai",
            FACTS["tracking_code"],
        ):
            assert secret not in page.text
        assert "N••• V••• A•••" in page.text

    async def test_a_notice_whose_words_are_not_to_be_had_says_why(
        self, book: Book, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def letter(_: Any, question: UUID, kind: str, round: int) -> dict[str, Any]:
            raise LetterUnavailable("dịch vụ hỏi đáp chưa giao nội dung thư (503)")

        monkeypatch.setattr(Services, "letter", letter)
        id = domain.notice_id("refusal", f"question-{UUID(int=1)}", "asker", 1)
        page = await client.get(f"/desk/templates?kind=refusal&notice={id}", headers=as_("oanh"))
        assert page.status_code == 200
        assert "Dịch vụ hỏi đáp chưa giao nội dung thư (503)." in page.text

    async def test_an_unknown_kind_is_refused(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get("/desk/templates?kind=x", headers=as_("oanh"))).status_code == 422


class TestSuppressions:
    ADDRESS = "bi.mat@example.vn"

    async def send(
        self, client: httpx2.AsyncClient, path: str, body: Any, who: str = "oanh", key: str = ""
    ) -> Any:
        headers = as_(who) | {"Idempotency-Key": key or f"key-{path}-{body}"[:80].encode().hex()}
        return await client.post(path, json=body, headers=headers)

    async def test_an_operator_stops_an_address_and_lets_it_go(
        self, client: httpx2.AsyncClient, service: Service[Policy]
    ) -> None:
        body = {"address": self.ADDRESS, "reason": "Người nhận đề nghị"}
        stopped = await self.send(client, "/v1/suppressions", body)
        assert stopped.status_code == 201
        mark = stopped.json()["mark"]
        assert (stopped.json()["suppressed"], stopped.json()["by"]) == (True, "u-oanh")
        again = await self.send(client, "/v1/suppressions", body)
        assert again.json() == stopped.json()
        page = await client.get("/desk/suppressions", headers=as_("oanh"))
        assert mark[:12] in page.text
        freed = await self.send(client, f"/v1/suppressions/{mark}/release", {"reason": "đã mở lại"})
        assert freed.json()["suppressed"] is False
        for name in await service.database.list_collection_names():
            async for document in service.database[name].find():
                assert "bi.mat" not in str(document), name

    @pytest.mark.parametrize(
        "body",
        [{"address": "a@x.vn, b@x.vn", "reason": "hai địa chỉ"}, {"address": "x", "reason": "không phải"},
         {"address": "a@x.vn", "reason": "vì a@x.vn"}, {"address": "a@x.vn"},
         {"address": "a@x.vn", "reason": "thừa", "more": 1},
         {"address": "a@x.vn\r\nBcc: b@x.vn", "reason": "hai"}],
    )  # fmt: skip
    async def test_what_is_not_one_address_with_a_reason_is_refused(
        self, client: httpx2.AsyncClient, body: Any
    ) -> None:
        refused = await self.send(client, "/v1/suppressions", body)
        assert refused.status_code == 422
        assert refused.headers["content-type"].startswith("application/problem+json")

    async def test_only_an_operator_stops_or_frees(self, client: httpx2.AsyncClient) -> None:
        body = {"address": "ai.do@example.vn", "reason": "Người nhận đề nghị"}
        assert (await self.send(client, "/v1/suppressions", body, "thao")).status_code == 403
        assert (
            await self.send(client, f"/v1/suppressions/{'0' * 64}/release", {"reason": "xin"})
        ).status_code == 404
        page = await client.get("/desk/suppressions", headers=as_("thao"))
        assert 'name="address"' not in page.text
