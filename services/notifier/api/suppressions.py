"""Addresses that are not written to, over HTTP. Whoever types one gives it to a keyed hash alone."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from services.notifier import domain, handlers, queries
from services.notifier.api import Reader
from services.notifier.domain import Suppression
from services.notifier.handlers import ReleaseAddress, SuppressAddress
from shared.desk import Desk, fingerprint
from shared.web.edge import Edge, StaffDesk, edge_of, tagged
from shared.web.forms import Body, Email, Line

router = APIRouter()
Mark = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


class AddressToSuppress(Body):
    address: Email = Field(description="Không được lưu: chỉ giữ mã băm có khóa")
    reason: Line = Field(description="Vì sao, 3 đến 300 ký tự, không ghi địa chỉ")


class Reason(Body):
    reason: Line


class SuppressionView(BaseModel):
    """Một địa chỉ ngừng gửi; địa chỉ không được lưu."""

    mark: str = Field(description="Mã băm có khóa")
    suppressed: bool
    reason: str
    by: str
    by_name: str
    at: datetime


async def suppression_views(edge: Edge[Any]) -> list[SuppressionView]:
    return [
        SuppressionView(
            mark=row["_id"], suppressed=row["status"] == "suppressed", reason=row["reason"], by=row["by"],
            by_name=await edge.directory.person_name(row["by"]), at=row["at"],
        )
        for row in await queries.suppressions(edge.database)
    ]  # fmt: skip


async def suppress(edge: Edge[Any], desk: Desk[Any], body: AddressToSuppress) -> Suppression:
    """The request's own fingerprint would let addresses be tried; that of the mark does not."""
    mark = domain.mark_of(body.address, edge.policy.suppression_key)
    desk.fingerprint = fingerprint("suppress", mark, body.reason)
    return await desk.run(handlers.suppress_address, SuppressAddress(mark, body.reason))


@router.get("/v1/suppressions", tags=["notices"], summary="Địa chỉ ngừng gửi, mới nhất trước")
async def list_suppressions(request: Request, _: Reader) -> list[SuppressionView]:
    return await suppression_views(edge_of(request))


@router.post("/v1/suppressions", tags=["notices"], summary="Ngừng gửi tới một địa chỉ", status_code=201)
async def suppress_address(
    body: AddressToSuppress, request: Request, response: Response, desk: StaffDesk
) -> SuppressionView:
    """For operators. The address itself is not kept."""
    edge = edge_of(request)
    done = await suppress(edge, desk, body)
    return await _shown(edge, desk, done, response)


@router.post("/v1/suppressions/{mark}/release", tags=["notices"], summary="Cho gửi lại")
async def release_address(
    mark: Mark, body: Reason, request: Request, response: Response, desk: StaffDesk
) -> SuppressionView:
    """For operators."""
    done = await desk.run(handlers.release_address, ReleaseAddress(mark, body.reason))
    return await _shown(edge_of(request), desk, done, response)


async def _shown(edge: Edge[Any], desk: Desk[Any], done: Suppression, response: Response) -> SuppressionView:
    tagged(response, desk.version(done))
    await edge.caught_up("suppressions", done.id, desk.version(done))
    return next(view for view in await suppression_views(edge) if view.mark == done.id)
