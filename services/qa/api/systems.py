"""REST for the systems of units: what they are told of, and where the messages to them stand."""

import base64
import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

import httpx2
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from services.qa.domain.codes import NAMESPACE
from services.qa.domain.subscriptions import CloseSubscription, OpenSubscription, check_subscriber
from services.qa.handlers import subscriptions as handlers
from services.qa.queries import subscriptions as queries
from shared.web.edge import Staff, StaffDesk, edge_of
from shared.web.forms import Body, Line

router = APIRouter()


def _web_address(text: str) -> str:
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, TypeError) as error:
        raise ValueError("Không phải một địa chỉ web.") from error
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.fragment:
        raise ValueError("Địa chỉ web bắt đầu bằng https://, không có tên đăng nhập và dấu #.")
    return text


class Subscribe(Body):
    """Đăng ký nhận tin về câu hỏi của đơn vị mình."""

    url: Annotated[Line, AfterValidator(_web_address)] = Field(
        description="Nơi nhận, https. Mỗi tin là một CloudEvents 1.0 JSON, ký theo Standard Webhooks.",
        examples=["https://hethong.bhxhhanoi.example.vn/nhan-tin/hoi-dap"],
    )


class SubscriptionOut(BaseModel):
    id: str
    unit: str
    url: str
    open: bool
    opened_at: datetime | None = None
    waiting: int = Field(0, description="Tin chưa được nhận.")
    failures: int = Field(0, description="Số lần liền nhau không được nhận.")
    trouble: str = Field("", description="Lần gần nhất vì sao.")
    next_at: datetime | None = None
    told_at: datetime | None = None


class SubscribedOut(SubscriptionOut):
    """``secret`` is told here and nowhere else."""

    secret: str = Field(description="Khóa để kiểm chữ ký; chỉ hiện một lần này.")


class Subscriptions(BaseModel):
    items: list[SubscriptionOut]


@router.post("/v1/subscriptions", status_code=201, tags=["hệ thống"], summary="Đăng ký nhận tin")
async def subscribe(body: Subscribe, desk: StaffDesk, response: Response) -> SubscribedOut:
    """Tin đến theo thứ tự, ít nhất một lần, đến khi được nhận (2xx); tin gửi lại mang cùng `webhook-id`."""
    id = uuid5(NAMESPACE, f"subscription:{desk.once}")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    known = await desk.run(handlers.open_subscription, OpenSubscription(id, body.url, secret))
    kept = await desk.vault.get(known.secret_ref)
    response.headers["Cache-Control"] = "no-store"
    return SubscribedOut(
        id=str(known.id), unit=known.unit, url=known.url, open=True, secret=str(kept["secret"])
    )


@router.get("/v1/subscriptions", tags=["hệ thống"], summary="Các đăng ký của đơn vị mình")
async def subscriptions(request: Request, by: Staff) -> Subscriptions:
    check_subscriber(by)
    database = edge_of(request).database
    rows = await queries.of_unit(database, by.unit)
    return Subscriptions(items=[await _out(database, row) for row in rows])


@router.post("/v1/subscriptions/{subscription_id}/closing", tags=["hệ thống"], summary="Thôi nhận tin")
async def close(subscription_id: UUID, desk: StaffDesk) -> SubscriptionOut:
    known = await desk.run(handlers.close_subscription, CloseSubscription(subscription_id))
    return SubscriptionOut(id=str(known.id), unit=known.unit, url=known.url, open=known.open)


async def _out(database: Any, row: dict[str, Any]) -> SubscriptionOut:
    names = ("unit", "url", "open", "opened_at", "failures", "trouble", "next_at", "told_at")
    waiting = await queries.count_waiting(database, row["_id"]) if row["open"] else 0
    shown = {name: row[name] for name in names if row.get(name) is not None}
    return SubscriptionOut(id=row["_id"], waiting=waiting, **shown)
