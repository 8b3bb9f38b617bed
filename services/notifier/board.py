"""The board of operations (bảng điều hành): one picture of deadlines, mails, consumers, services and portals,
drawn at most once a second, however many look at it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from services.notifier import board_queries, board_signs, board_vitals, queries, views
from services.notifier.board_queries import Punctuality, Tally
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import ON_TIME_TARGET
from services.notifier.views import DeadlineView, NoticeView
from shared.calendar import CALENDAR, ONE_DAY, VIETNAM, end_of
from shared.desk import utc_now
from shared.directory import SERVICES
from shared.web.edge import Edge
from shared.web.vietnamese import vn_day

FRESH: Final = 1.0
SILENT_AFTER: Final = timedelta(seconds=10)
SLOW: Final = 50  # events waiting before one consumer
TOO_SLOW: Final = 500
SHOWN_WORKING_DAYS: Final = 6


@dataclass(frozen=True, slots=True)
class DayRow:
    """One line of the chart of days: a day with its tally, or a day off with its name."""

    label: str
    tally: Tally
    kind: str = ""  # late, today, off
    off: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Consumer:
    service: str
    name: str
    topic: str
    waiting: int
    peak: int
    line: str  # which line of the chart

    @property
    def state(self) -> str:
        return "bad" if self.waiting >= TOO_SLOW else "warn" if self.waiting >= SLOW else "ok"


@dataclass(frozen=True, slots=True)
class DeadGroup:
    service: str
    error: str
    event: str
    topic: str
    reason: str
    count: int
    first_seen: datetime
    last_seen: datetime
    service_id: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    id: str
    name: str
    answers: bool
    heard_at: datetime | None
    alive: int
    gone: int
    relay_waiting: int
    projector_waiting: int
    error: str
    standstill: str = ""  # what a follower cannot get past

    @property
    def state(self) -> str:
        if not self.answers or not self.alive or self.standstill:
            return "bad"
        return "warn" if max(self.relay_waiting, self.projector_waiting) >= SLOW else "ok"


@dataclass(frozen=True, slots=True)
class Board:
    at: datetime
    days: list[DayRow]
    widest: int
    open: int
    overdue_count: int
    overdue: list[DeadlineView]
    due_today: int
    risks: list[DeadlineView]
    punctuality: Punctuality
    target: float
    consumers: list[Consumer]
    chart: Mapping[str, Any]
    dead: list[DeadGroup]
    services: list[ServiceState]
    portals: list[Mapping[str, Any]]
    notices: Mapping[str, int]
    troubled: list[NoticeView]
    signs: list[board_signs.Sign]
    incidents: list[str] = field(default_factory=list)

    @property
    def today(self) -> str:
        return CALENDAR.day_of(self.at).isoformat()

    @property
    def slowest(self) -> Consumer | None:
        return max(self.consumers, key=lambda c: c.waiting, default=None)

    @property
    def dead_count(self) -> int:
        return sum(group.count for group in self.dead)

    @property
    def portals_well(self) -> int:
        return sum(portal["state"] in ("ok", "idle") for portal in self.portals)


class Boards:
    """Shares one drawing among all who look; what takes long to draw is drawn less often."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._fresh_until = float("-inf")
        self._board: Board | None = None

    async def current(self, edge: Edge[Any]) -> Board:
        async with self._lock:
            began = time.monotonic()
            if self._board is None or began > self._fresh_until:
                self._board = await draw(edge, utc_now())
                took = time.monotonic() - began
                self._fresh_until = began + max(FRESH, 10 * took)
            return self._board


async def draw(edge: Edge[Any], now: datetime) -> Board:
    database, urls = edge.database, views.urls_of(edge.look)
    units = await edge.directory.units()
    today = CALENDAR.day_of(now)
    last = CALENDAR.add(today, SHOWN_WORKING_DAYS - 1)
    horizon = end_of(last)
    late = _sum(await board_queries.due_between(database, None, now))
    soon = await board_queries.due_between(database, now, horizon)
    later = _sum(await board_queries.due_between(database, horizon, None))
    rows = day_rows(today, last, late=late, soon=soon, later=later)
    due_now = await queries.deadlines(database, DeadlineFilter(state="breached"), now, limit=6)
    overdue = await views.deadline_views(database, due_now, now, units=units, urls=urls)
    troubled = await board_queries.troubled_notices(database, 50)
    endangered = await board_queries.endangered(database, [n["subject"] for n in troubled if n["statutory"]])
    risks = [
        v for v in await views.deadline_views(database, endangered, now, units=units, urls=urls) if v.risk
    ]
    states = await board_queries.services(database)
    peaks = await board_queries.peaks(database)
    vital = await board_vitals.vitals(database, now)
    drawn = Board(
        at=now, days=rows, widest=max(row.tally.total for row in rows),
        open=late.total + later.total + sum(t.total for t in soon.values()),
        overdue_count=late.total, overdue=overdue, due_today=soon.get(today.isoformat(), Tally()).total,
        risks=risks, punctuality=await board_queries.punctuality(database, now, timedelta(days=30)),
        target=ON_TIME_TARGET, consumers=consumers_of(states, peaks),
        chart=chart_of(await board_queries.backlog(database, now - timedelta(hours=1)), now),
        dead=dead_of(states), services=services_of(states, now),
        portals=portals_of(states), notices=vital.notices, signs=board_signs.signs_of(vital),
        troubled=await views.notice_views(database, troubled[:4], urls=urls),
    )  # fmt: skip
    drawn.incidents.extend(incidents_of(drawn))
    return drawn


def _sum(by_day: Mapping[str, Tally]) -> Tally:
    tallies = list(by_day.values())
    return Tally(sum(t.qa for t in tallies), sum(t.content for t in tallies), sum(t.sync for t in tallies))


def day_rows(
    today: date, last: date, *, late: Tally, soon: Mapping[str, Tally], later: Tally
) -> list[DayRow]:
    """Overdue, then each working day; a day off is named when it is a holiday or something ends on it."""
    rows = [DayRow("Quá hạn", late, "late", url="/desk/deadlines?state=breached")]
    for offset in range((last - today).days + 1):
        day = today + offset * ONE_DAY
        tally = soon.get(day.isoformat(), Tally())
        url = f"/desk/deadlines?state=open&day={day.isoformat()}"
        named = CALENDAR.row(day)
        works = CALENDAR.is_working_day(day)
        if not works and named is None and not tally.total and day != today:
            continue
        off = "" if works else f"Nghỉ {named.vi.removeprefix('nghỉ ')}" if named else "Nghỉ cuối tuần"
        kind = "today" if day == today else "off" if off else ""
        rows.append(DayRow(vn_day(day), tally, kind, off, url))
    rows.append(DayRow(f"Từ {last + ONE_DAY:%d/%m}", later, url="/desk/deadlines?state=owed"))
    return rows


def consumers_of(states: Mapping[str, Any], peaks: Mapping[str, int]) -> list[Consumer]:
    """The slowest first."""
    lines = {name: f"s{at}" for at, name in enumerate(SERVICES, 1)}
    rows = [
        Consumer(name, SERVICES[name], row["topic"], row["waiting"], peaks.get(name, 0), lines[name])
        for name in SERVICES
        for row in states.get(name, {}).get("state", {}).get("lag", ())
    ]
    return sorted(rows, key=lambda c: (-c.waiting, c.service, c.topic))


def chart_of(minutes: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Any]:
    """What waited before each consumer, minute by minute over an hour."""
    first = now.replace(second=0, microsecond=0) - timedelta(minutes=59)
    waiting = {(row["service"], row["at"]): row["waiting"] for row in minutes}
    at = [first + timedelta(minutes=offset) for offset in range(60)]
    return {
        "x": [int(moment.timestamp()) for moment in at],
        "series": [
            {"name": name, "values": [waiting.get((service, moment), 0) for moment in at]}
            for service, name in SERVICES.items()
        ],
        "limit": TOO_SLOW if any(row["waiting"] > SLOW for row in minutes) else None,
        "limit_text": f"ngưỡng cảnh báo {TOO_SLOW}",
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def dead_of(states: Mapping[str, Any]) -> list[DeadGroup]:
    groups = [
        DeadGroup(SERVICES[name], g["error"], g["event"], g["topic"], g["reason"], g["count"],
                  datetime.fromisoformat(g["first_seen"]), datetime.fromisoformat(g["last_seen"]), name)
        for name in SERVICES
        for g in states.get(name, {}).get("state", {}).get("dead_letters", ())
    ]  # fmt: skip
    return sorted(groups, key=lambda g: -g.count)


def services_of(states: Mapping[str, Any], now: datetime) -> list[ServiceState]:
    found = []
    for id, name in SERVICES.items():
        row = states.get(id, {})
        said = row.get("state", {})
        heard_at = row.get("heard_at")
        alive = [replica["alive"] for replica in said.get("replicas", ())]
        behind = said.get("followers", {})
        found.append(ServiceState(
            id=id, name=name, heard_at=heard_at,
            answers=bool(row.get("answers")) and heard_at is not None and now - heard_at < SILENT_AFTER,
            alive=sum(alive), gone=len(alive) - sum(alive),
            relay_waiting=behind.get("relay", {}).get("waiting", 0),
            projector_waiting=behind.get("projector", {}).get("waiting", 0), error=row.get("error", ""),
            standstill=views.standstill_of(behind),
        ))  # fmt: skip
    return found


def portals_of(states: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """As sync tells it, the troubled first."""
    return [
        {**portal, "last_success_at": _instant(portal.get("last_success_at")),
         "failing_since": _instant(portal.get("failing_since"))}
        for portal in states.get("sync", {}).get("portals", ())
    ]  # fmt: skip


def incidents_of(board: Board) -> list[str]:
    """What is broken now, a sentence each."""
    said = []
    for service in board.services:
        if not service.answers:
            since = f" từ {service.heard_at.astimezone(VIETNAM):%H:%M:%S}" if service.heard_at else ""
            said.append(f"Dịch vụ {service.name} không trả lời{since}.")
        if service.standstill:
            said.append(f"{service.name}: {service.standstill}")
    for portal in board.portals:
        if portal["state"] == "down":
            since = portal["failing_since"]
            words = f" từ {since.astimezone(VIETNAM):%H:%M}" if since else ""
            said.append(f"{portal['name']} không phản hồi{words}.")
    slow = board.slowest
    if slow is not None and slow.state == "bad":
        said.append(f"{slow.name} chậm: {slow.waiting} sự kiện {slow.topic} đang chờ.")
    said += [f"{sign.name}: {sign.measure}." for sign in board.signs if sign.state == "bad"]
    if board.risks:
        said.append(f"{len(board.risks)} thư mà Quy chế bắt buộc chưa gửi được.")
    return said
