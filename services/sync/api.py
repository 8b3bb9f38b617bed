"""REST: linked portals, deliveries, and the operator's order to try a portal again now."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.sync import handlers, health, queries
from services.sync.domain import RetryPortal
from services.sync.health import PortalHealth
from services.sync.regulation import Status
from shared.desk import utc_now
from shared.web.edge import Staff, StaffDesk, edge_of, tagged
from shared.web.forms import Body

router = APIRouter(prefix="/v1", tags=["sync"])


class Nothing(Body):
    """A command without particulars."""


class LastFailure(BaseModel):
    at: datetime
    reason: str
    http_status: int | None = None


class PortalOut(BaseModel):
    id: str
    name: str
    kind: str = Field(description="government, ministry hoặc province")
    state: str = Field(description="down (ngừng), slow (chậm), ok, idle (chưa có bài), unlinked")
    backlog: int = Field(description="Số lượt chuyển đang chờ")
    escalated: int = Field(description="Số lượt cần người trực can thiệp")
    oldest_waiting_at: datetime | None
    lag_seconds: float = Field(description="Bài cũ nhất đã chờ bao lâu")
    last_success_at: datetime | None
    failing_since: datetime | None
    failures_in_a_row: int
    next_try_at: datetime | None
    last_failure: LastFailure | None
    tries_24h: int
    success_rate_24h: float | None
    hours: list[str] = Field(description="24 giờ qua, mới nhất ở cuối: rỗng, ok, warn, bad")
    retry_requested_at: datetime | None

    @classmethod
    def of(cls, one: PortalHealth) -> "PortalOut":
        facts = {name: getattr(one, name) for name in cls.model_fields if hasattr(one, name)}
        return cls(**facts, lag_seconds=one.lag.total_seconds(), success_rate_24h=one.success_rate)


class PortalsOut(BaseModel):
    items: list[PortalOut]
    next: None = None


class AttemptOut(BaseModel):
    number: int
    at: datetime
    ok: bool
    reason: str
    http_status: int | None
    verdict: str
    milliseconds: int
    size: int
    webhook_id: str


class DeliveryOut(BaseModel):
    id: UUID
    version: int
    item_id: UUID
    item_version: int
    text_version: int
    title: str
    partner: str
    action: str
    state: Status
    attempts: int
    reason: str = Field(description="Lý do của lần không thành gần nhất")
    http_status: int | None
    escalated: bool
    since: datetime = Field(description="Lúc đăng (hoặc gỡ) trên cổng nguồn")
    due_at: datetime
    basis: str
    explanation: str
    moved: str = Field("", description="Lịch làm việc thay đổi: hạn chuyển từ ngày nào sang ngày nào")
    next_at: datetime | None
    done_at: datetime | None
    content_hash: str
    tries: list[AttemptOut] | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "DeliveryOut":
        open_ = Status(row["state"]).open
        tries = [AttemptOut.model_validate(one) for one in row["tries"]] if "tries" in row else None
        known = {name: value for name, value in row.items() if name in cls.model_fields and name != "tries"}
        return cls(**(known | {
            "id": row["_id"], "next_at": row["next_at"] if open_ else None, "tries": tries,
        }))  # fmt: skip


class DeliveriesOut(BaseModel):
    items: list[DeliveryOut]
    next: str | None


@router.get("/portals", summary="Các cổng liên kết và tình trạng đồng bộ, cổng có vấn đề trước")
async def list_portals(request: Request, _: Staff) -> PortalsOut:
    edge = edge_of(request)
    found = await health.portals(edge.database, utc_now(), edge.policy.warn_after)
    return PortalsOut(items=[PortalOut.of(one) for one in found])


@router.post("/portals/{id}/retry", summary="Chuyển lại ngay mọi bài đang chờ của một cổng")
async def retry_portal(
    id: str, request: Request, response: Response, desk: StaffDesk, _: Nothing | None = None
) -> PortalOut:
    edge = edge_of(request)
    portal = await desk.run(handlers.retry_portal, RetryPortal(id))
    tagged(response, desk.version(portal))
    await edge.caught_up("portals", id, desk.version(portal))
    return PortalOut.of(await health.portal(edge.database, id, utc_now(), edge.policy.warn_after))


@router.get("/deliveries", summary="Các lượt chuyển, mới nhất trước")
async def list_deliveries(
    request: Request,
    _: Staff,
    *,
    item_id: UUID | None = None,
    partner: Annotated[str, Query(max_length=64)] = "",
    state: Status | None = None,
    cursor: Annotated[str, Query(max_length=300)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveriesOut:
    found = await queries.deliveries(
        edge_of(request).database, item_id=str(item_id or ""), partner=partner, state=state,
        cursor=cursor, limit=limit,
    )  # fmt: skip
    return DeliveriesOut(items=[DeliveryOut.of(row) for row in found.items], next=found.next)


@router.get("/deliveries/{id}", summary="Một lượt chuyển, với từng lần gửi")
async def show_delivery(id: UUID, request: Request, response: Response, _: Staff) -> DeliveryOut:
    row = await queries.delivery(edge_of(request).database, str(id))
    tagged(response, row["version"])
    return DeliveryOut.of(row)
