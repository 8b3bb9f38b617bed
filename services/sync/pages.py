"""The staff pages of sync: how each linked portal is doing, what went there, the order to try it again."""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.sync import handlers, health, queries
from services.sync.domain import RetryPortal
from services.sync.health import PortalHealth
from services.sync.regulation import Role, Status
from shared.desk import utc_now
from shared.web.edge import Staff, edge_of, form_desk, page, see_other

router = APIRouter(include_in_schema=False)

SHOWN: Final = 25
STATES: Final = (
    ("", "Tất cả"),
    (Status.FAILED, "Chưa chuyển được"),
    (Status.PENDING, "Chờ chuyển"),
    (Status.DONE, "Đã đồng bộ"),
    (Status.SUPERSEDED, "Không còn phải chuyển"),
)
KINDS: Final = {"government": "Cổng Chính phủ", "ministry": "Bộ, ngành", "province": "BHXH tỉnh, thành phố"}


@router.get("/")
async def home() -> RedirectResponse:
    return see_other("/desk/portals")


@router.get("/desk/portals")
async def board(
    request: Request,
    who: Staff,
    *,
    partner: Annotated[str, Query(max_length=64)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    cursor: Annotated[str, Query(max_length=300)] = "",
) -> HTMLResponse:
    edge = edge_of(request)
    database, now = edge.database, utc_now()
    wanted = Status(state) if state in set(Status) else None
    found = await health.portals(database, now, edge.policy.warn_after)
    shown = await queries.deliveries(database, partner=partner, state=wanted, cursor=cursor, limit=SHOWN)
    return await page(
        request, "portals.html", nav_current="portals", portals=found, sums=_sums(found), kinds=KINDS,
        deliveries=shown, last=await queries.last_attempts(database, shown.items),
        counts=await queries.counts(database, partner), states=STATES, partner=partner,
        state=wanted.value if wanted else "", cursor=cursor, may_retry=Role.OPERATOR in who.roles,
        names={one.id: one.name for one in found},
    )  # fmt: skip


@router.post("/desk/portals/{id}/retry")
async def retry(id: str, request: Request, who: Staff) -> RedirectResponse:
    _, desk = await form_desk(request, who)
    portal = await desk.run(handlers.retry_portal, RetryPortal(id))
    await edge_of(request).caught_up("portals", id, desk.version(portal))
    return see_other("/desk/portals")


@router.get("/desk/portals/deliveries/{id}")
async def delivery(id: UUID, request: Request, _: Staff) -> HTMLResponse:
    edge = edge_of(request)
    row = await queries.delivery(edge.database, str(id))
    known = await health.partner(edge.database, row["partner"])
    return await page(
        request,
        "delivery.html",
        nav_current="portals",
        row=row,
        portal=known,
        title=_title(row),
        last_day=row["due_at"] - timedelta(microseconds=1),
    )


def _title(row: dict[str, Any]) -> str:
    return str(row["title"] or f"Gỡ bài {row['item_id'][:8]}")


def _sums(found: list[PortalHealth]) -> dict[str, Any]:
    linked = [one for one in found if one.linked]
    tries = sum(one.tries_24h for one in linked)
    good = sum(one.successes_24h for one in linked)
    return {
        "linked": len(linked),
        "working": sum(one.state in ("ok", "idle") for one in linked),
        "down": [one for one in linked if one.state == "down"],
        "slow": sum(one.state == "slow" for one in linked),
        "backlog": sum(one.backlog for one in linked),
        "escalated": sum(one.escalated for one in linked),
        "tries": tries,
        "rate": 100 * good / tries if tries else None,
        "oldest": min((one.oldest_waiting_at for one in linked if one.oldest_waiting_at), default=None),
    }
