"""What sync's tests share: portals and content as real servers, and a desk in memory."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import SecretStr

from services.sync.domain import Delivery, Portal, plan
from services.sync.regulation import LinkedPortal, Policy, PortalKind
from services.sync.settings import Partner
from shared.calendar import CALENDAR
from shared.contracts.base import Decision, Event, Recorded
from shared.contracts.content import ContentClass, SubmissionPublished, SubmissionWithdrawn
from shared.contracts.sync import Action
from shared.desk import Desk
from shared.testing import MemoryJournal, MemoryVault
from shared.workflow import SYSTEM, Actor

SECRET = "whsec_" + b64encode(b"one portal's secret, 32 bytes ...").decode()
HA_NOI = LinkedPortal("bhxh-ha-noi", "Cổng TTĐT BHXH thành phố Hà Nội", PortalKind.PROVINCE)
QUANG_NGAI = LinkedPortal("bhxh-quang-ngai", "Cổng TTĐT BHXH tỉnh Quảng Ngãi", PortalKind.PROVINCE)
NOI_VU = LinkedPortal("bo-noi-vu", "Cổng TTĐT Bộ Nội vụ", PortalKind.MINISTRY)
CHINH_PHU = LinkedPortal("chinh-phu", "Cổng TTĐT Chính phủ", PortalKind.GOVERNMENT)
LINKED = (HA_NOI, QUANG_NGAI, NOI_VU)
POLICY = Policy(linked=LINKED)
OPERATOR = Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"}))
AUTHOR = Actor("u-lan", "Nguyễn Thị Lan", "bhxh-quang-ngai", frozenset({"author"}))
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 09:00 in Vietnam


def partner(portal: LinkedPortal, url: str) -> Partner:
    return Partner(id=portal.id, name=portal.name, kind=portal.kind, url=url, secret=SecretStr(SECRET))


def planned(
    *, action: Action = Action.PUBLISH, portal: LinkedPortal = HA_NOI, since: datetime = MONDAY
) -> Decision[Delivery]:
    return plan(uuid4(), 3, 2, action, portal, since=since, calendar=CALENDAR, policy=POLICY, title="Tin")


def desk(
    journal: MemoryJournal,
    *,
    by: Actor = SYSTEM,
    now: datetime = MONDAY,
    policy: Policy = POLICY,
    **facts: Any,
) -> Desk[Policy]:
    kinds = {"delivery": Delivery, "portal": Portal}
    return Desk(journal, MemoryVault(), CALENDAR, policy, kinds, "sync", by, now, **facts)


def recorded(event: Event, item: UUID, version: int, at: datetime) -> Recorded[Any]:
    return Recorded(event, f"submission-{item}", version, 0, at, "u-phuong", "c-12345678", "content")


def published(
    item: UUID, *, version: int = 3, text_version: int = 2, at: datetime = MONDAY
) -> Recorded[SubmissionPublished]:
    event = SubmissionPublished(
        submission_id=item, content_class=ContentClass.GUIDANCE, unit="bhxh-quang-ngai",
        text_version=text_version, title="Hướng dẫn hưởng chế độ thai sản", body_ref="r", body_hash="h",
        published_at=at,
    )  # fmt: skip
    return recorded(event, item, version, at)


def withdrawn(item: UUID, *, version: int = 4, at: datetime = MONDAY) -> Recorded[SubmissionWithdrawn]:
    event = SubmissionWithdrawn(submission_id=item, text_version=2, reason="sai số liệu")
    return recorded(event, item, version, at)


@dataclass
class Content:
    """The content service's public edge."""

    articles: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def show(
        self, item: UUID, *, text_version: int = 2, title: str = "Hướng dẫn hưởng chế độ thai sản"
    ) -> None:
        self.articles[str(item)] = {
            "id": str(item), "version": 3, "text_version": text_version, "content_class": "guidance",
            "unit": "bhxh-quang-ngai", "unit_name": "Bảo hiểm xã hội tỉnh Quảng Ngãi", "title": title,
            "summary": "Những điều cần biết", "html": "<p>Đóng đủ 06 tháng.</p>", "author": "Nguyễn Thị Lan",
            "source": None, "published_at": "2026-11-23T02:00:00Z", "url": f"http://127.0.0.1/articles/{item}",
        }  # fmt: skip

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/articles/{id}")
        async def article(id: str) -> JSONResponse:
            if id in self.gone:
                return JSONResponse({"code": "withdrawn"}, 410)
            known = self.articles.get(id)
            return JSONResponse(known or {"code": "not_found"}, 200 if known else 404)

        return app
