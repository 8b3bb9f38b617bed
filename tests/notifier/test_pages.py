"""The pages of the register: whole without a script, and the board alive with one."""

import asyncio
import re
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest

from services.notifier import handlers, queries
from services.notifier.domain import deadline_id, notice_id
from services.notifier.pages import operations
from services.notifier.regulation import Policy
from services.notifier.regulation_clauses import CLAUSES
from shared.desk import utc_now
from shared.service import Service
from tests.notifier.rig import as_, client, hears, opened, service
from tests.notifier.world import QUESTION, received, refused, triage_clock

__all__ = ["client", "service"]  # fixtures


async def page(client: httpx2.AsyncClient, path: str) -> str:
    answer = await client.get(path, headers=as_("oanh") | {"Accept": "text/html"})
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    return answer.text


@pytest.mark.parametrize(
    "path",
    ["/desk/operations", "/desk/deadlines", "/desk/deadlines?state=met", "/desk/deadlines?state=",
     "/desk/deadlines?unit=tt-cskh&duty=triage&day=2026-12-01", "/desk/notices", "/desk/notices?state=failed",
     "/can-cu", "/lich", "/lich?year=2025"],
)  # fmt: skip
async def test_every_page_is_whole_and_keeps_the_strict_policy(client: httpx2.AsyncClient, path: str) -> None:
    html = await page(client, path)
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "http://" not in re.sub(r"http://127\.0\.0\.1:\d+", "", html)


async def test_a_deadline_explains_itself_day_by_day(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    _, id = await opened(service)
    html = await page(client, f"/desk/deadlines/{id}")
    assert "Ngày 5 · đến hạn" in html
    assert "Bắt đầu tính hạn" in html
    assert "/can-cu#dieu-11-hoi-dap-1" in html


async def test_wherever_a_provisional_day_is_listed_it_says_so(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    clock = triage_clock(utc_now() - timedelta(days=60)).model_copy(update={"provisional": True})
    subject = await hears(service, handlers.acknowledge_question, received(opens=(clock,)), uuid4())
    id = deadline_id(subject, "triage")
    await service.edge.caught_up("deadlines", id, 1)
    operations.boards._fresh_until = float("-inf")
    row = rf'tạm tính</span></div>\s*<a class="ttl"( data-item)? href="/desk/deadlines/{id}"'
    for path in ("/desk/deadlines?state=breached", "/desk/deadlines/board", "/desk/operations"):
        assert re.search(row, await page(client, path)), path
    for path in (f"/desk/deadlines/{id}", f"/desk/ledger?subject={subject}"):
        assert "tạm tính</span>" in await page(client, path), path
    _, decided = await opened(service)
    assert "tạm tính</span>" not in await page(client, f"/desk/deadlines/{decided}")


async def test_a_notice_shows_its_course(client: httpx2.AsyncClient, service: Service[Policy]) -> None:
    subject = await hears(service, handlers.notify_refusal, refused(), QUESTION, 2)
    id = notice_id("refusal", subject, "asker", 1)
    await service.edge.caught_up("notices", id, 1)
    html = await page(client, f"/desk/notices/{id}")
    assert f"&lt;{id}@bhxh.example.vn&gt;" in html
    assert "Bắt buộc theo Quy chế" in html


async def test_every_clause_has_its_anchor(client: httpx2.AsyncClient) -> None:
    html = await page(client, "/can-cu")
    assert [c.anchor for c in CLAUSES if f'id="{c.anchor.replace("#", "-")}"' not in html] == []


async def test_the_calendar_names_each_day_off_and_the_document(client: httpx2.AsyncClient) -> None:
    html = await page(client, "/lich?year=2026")
    assert "Ngày Văn hóa Việt Nam" in html
    assert "Nghị quyết 28/2026/QH16" in html


async def test_the_live_board_sends_only_what_has_changed(service: Service[Policy]) -> None:
    shown: dict[str, str] = {}
    first = operations._changes(service.edge, await operations.boards.current(service.edge), shown)
    assert all(f'hx-target="#b-{block}"' in first for block in operations.BLOCKS)
    again = operations._changes(service.edge, await operations.boards.current(service.edge), shown)
    assert again == ""


async def test_many_who_look_share_one_drawing(service: Service[Policy]) -> None:
    drawn = await asyncio.gather(*(operations.boards.current(service.edge) for _ in range(50)))
    assert len({id(board) for board in drawn}) == 1


async def test_the_board_leads_to_what_is_buried_and_names_what_a_list_can_t_get_past(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    at = utc_now().isoformat()
    buried = {"error": "UnknownEvent", "event": "content.item.published", "topic": "content.submission",
              "reason": "bản 2", "count": 3, "first_seen": at, "last_seen": at}  # fmt: skip
    trouble = {"at": at, "error": "KeyError", "reason": "'unit'", "commit": "question-1:7",
               "column": "questions: qa.question.forwarded → _forwarded"}  # fmt: skip
    state = {"replicas": [{"name": "r1", "alive": True}], "lag": [], "dead_letters": [buried],
             "followers": {"projector": {"waiting": 9, "trouble": trouble}}}  # fmt: skip
    said = {"answers": True, "heard_at": utc_now(), "state": state, "error": ""}
    await queries.note_service(service.database, "qa", said)
    operations.boards._fresh_until = float("-inf")
    html = await page(client, "/desk/operations")
    link = (
        "/desk/dead-letters?error=UnknownEvent&amp;event=content.item.published&amp;topic=content.submission"
    )
    assert f'href="{service.settings.urls["qa"]}{link}"' in html
    assert (
        "Danh sách đứng lại ở question-1:7, cột questions: qa.question.forwarded → _forwarded: KeyError."
        in html
    )
    assert "Đứng lại" in html
    await service.database.service_states.delete_one({"_id": "qa"})
    operations.boards._fresh_until = float("-inf")


async def test_the_dead_letters_page_is_for_operators(client: httpx2.AsyncClient) -> None:
    assert "Không có thư chết" in await page(client, "/desk/dead-letters")
    refused = await client.get("/desk/dead-letters", headers=as_("lan") | {"Accept": "text/html"})
    assert refused.status_code == 403
