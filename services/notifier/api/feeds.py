"""A unit's due dates as a calendar that people subscribe to: a signed address, which can be revoked."""

from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from icalendar import Calendar, Event
from pydantic import BaseModel, Field

from services.notifier import handlers, queries, views
from services.notifier.api import HeadReader, unit_seen
from services.notifier.domain.feeds import FIRST, Feed
from services.notifier.feed_addresses import FeedAddresses
from services.notifier.handlers.feeds import RevokeFeed
from services.notifier.queries import DeadlineFilter
from services.notifier.views import DeadlineView
from shared.desk import utc_now
from shared.errors import NotFound
from shared.web.edge import Edge, StaffDesk, edge_of
from shared.web.forms import Body, Line

router = APIRouter()

MOST: Final = 2000
Unit = Annotated[str, Path(max_length=100)]


class FeedOut(BaseModel):
    unit: str
    url: str = Field(description="Ai có địa chỉ này đều đọc được; rỗng: chưa đặt khóa bí mật")
    generation: int = Field(description="Thu hồi thì tăng một")


class RevokeIn(Body):
    reason: Line


def addresses_of(request: Request) -> FeedAddresses:
    return FeedAddresses(request.app.state.service.settings.feed_key)


async def generation_of(edge: Edge[Any], unit: str) -> int:
    """Of the address that counts now, by the record: what is revoked is revoked at once."""
    feed = await edge.desk().find(Feed, unit)
    return feed.generation if feed else FIRST


async def feed_out(request: Request, unit: str) -> FeedOut:
    edge = edge_of(request)
    number = await generation_of(edge, unit)
    path = addresses_of(request).path(unit, number)
    base = views.urls_of(edge.look)["notifier"]
    return FeedOut(unit=unit, url=base + path if path else "", generation=number)


async def known_unit(edge: Edge[Any], unit: str) -> str:
    """Raises NotFound for a unit that the directory does not have."""
    if unit not in await edge.directory.units():
        raise NotFound("Không có đơn vị mang mã này.")
    return unit


@router.get("/v1/units/{unit}/feed", tags=["deadlines"], summary="Địa chỉ lịch hạn của đơn vị (iCalendar)")
async def feed(request: Request, actor: HeadReader, unit: Unit) -> FeedOut:
    return await feed_out(request, await known_unit(edge_of(request), unit_seen(actor, unit)))


@router.post("/v1/units/{unit}/feed/revoke", tags=["deadlines"], summary="Thu hồi, cấp địa chỉ mới")
async def revoke(request: Request, actor: HeadReader, desk: StaffDesk, unit: Unit, body: RevokeIn) -> FeedOut:
    """Địa chỉ cũ không mở được nữa."""
    mine = await known_unit(edge_of(request), unit_seen(actor, unit))
    await desk.run(handlers.revoke_feed, RevokeFeed(mine, body.reason))
    return await feed_out(request, mine)


@router.get("/lich-han/{unit}/{token}.ics", include_in_schema=False)
async def calendar(request: Request, unit: Unit, token: Annotated[str, Path(max_length=64)]) -> Response:
    """The same answer for a unit that does not exist, a wrong token and a revoked one."""
    edge = edge_of(request)
    generation = await generation_of(edge, unit)
    if not addresses_of(request).opens(token, unit, generation):
        raise NotFound("Địa chỉ này không mở được; có thể nó đã bị thu hồi.")
    now, units, urls = utc_now(), await edge.directory.units(), views.urls_of(edge.look)
    rows = await queries.deadlines(edge.database, DeadlineFilter(unit=unit, state="owed"), now, limit=MOST)
    shown = await views.deadline_views(
        edge.database, rows, now, units=units, urls=urls, home=unit, policy=edge.policy
    )
    name = str(units.get(unit, {}).get("name", unit))
    headers = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"}
    return Response(
        as_calendar(shown, name, urls["notifier"]), media_type="text/calendar; charset=utf-8", headers=headers
    )


def as_calendar(shown: list[DeadlineView], unit_name: str, base: str) -> bytes:
    """An all-day event on each last day; its UID is the deadline's and stays when the date moves."""
    feed = Calendar()
    feed.add("prodid", "-//BHXH Viet Nam//So thoi han//VI")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", f"Hạn của {unit_name}")
    for d in shown:
        event = Event()
        event.add("uid", f"{d.id}@thoi-han")
        event.add("dtstamp", d.changed_at)
        event.add("sequence", d.version)
        day: date = d.last_day
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
        overdue = "Quá hạn: " if d.overdue else ""
        event.add("summary", f"{overdue}{d.duty_vi} ({d.label})")
        event.add("description", f"{d.explanation_vi}\n{d.basis_vi}")
        event.add("url", f"{base}/desk/deadlines/{d.id}")
        event.add("transp", "TRANSPARENT")
        feed.add_component(event)
    return bytes(feed.to_ical())
