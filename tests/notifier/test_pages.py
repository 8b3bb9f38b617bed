"""The pages of the register: whole without a script, and the board alive with one."""

import asyncio
import re

import httpx2
import pytest

from services.notifier import handlers, pages
from services.notifier.domain import notice_id
from services.notifier.regulation import CLAUSES, Policy
from shared.service import Service
from tests.notifier.rig import as_, client, hears, opened, service
from tests.notifier.world import QUESTION, refused

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
    first = pages._changes(service.edge, await pages.boards.current(service.edge), shown)
    assert all(f'hx-target="#b-{block}"' in first for block in pages.BLOCKS)
    again = pages._changes(service.edge, await pages.boards.current(service.edge), shown)
    assert again == ""


async def test_many_who_look_share_one_drawing(service: Service[Policy]) -> None:
    drawn = await asyncio.gather(*(pages.boards.current(service.edge) for _ in range(50)))
    assert len({id(board) for board in drawn}) == 1
