"""A deadline as a reader is told of it: state and overdue derived now, the basis cited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, Field

from services.notifier import queries
from services.notifier.queries import Document
from services.notifier.regulation import DUTIES, TELLING, UNIT_DUTIES, Policy
from services.notifier.regulation_clauses import CITED
from services.notifier.regulation_stages import STAGES_VI
from services.notifier.views.due import Day, days_of
from shared import calendar
from shared.calendars import Calendars
from shared.mongo import Database
from shared.web.look import Look

STATES_VI: Final = {
    "open": "Đang chạy", "met": "Đúng hạn", "late_met": "Trễ hạn", "breached": "Quá hạn", "void": "Không còn",
    "rescinded": "Đã rút báo quá hạn",
}  # fmt: skip
CLASSES_VI: Final = {
    "contact": "Thông tin liên hệ", "news_event": "Tin tức – Sự kiện", "activity": "Hoạt động của đơn vị",
    "document": "Văn bản", "draft_consultation": "Dự thảo xin ý kiến", "guidance": "Hướng dẫn",
}  # fmt: skip
# On which page of hỏi đáp a duty is done.
QA_PLACES: Final = dict.fromkeys(UNIT_DUTIES, "unit") | dict.fromkeys(
    ("send_answer", "publish_answer"), "publishing"
)
State = Literal["open", "met", "late_met", "breached", "void", "rescinded"]


class Reminder(BaseModel):
    """Một lần nhắc hoặc báo đã phát."""

    stage: str
    stage_vi: str
    at: datetime
    planned_at: datetime | None = Field(description="Giờ đã định; phát muộn vẫn ghi giờ này")


class DeadlineView(BaseModel):
    """Một thời hạn trong sổ."""

    id: str
    version: int
    subject: str
    label: str = Field(description="Số tiếp nhận, loại bài hoặc cổng")
    subject_url: str
    duty: str
    duty_vi: str
    duty_known: bool = Field(description="Quy chế có nghĩa vụ này")
    name: str
    basis: str
    basis_vi: str
    basis_url: str
    source: str
    unit: str
    unit_name: str
    unit_known: bool = Field(description="Danh bạ có đơn vị này")
    started_at: datetime
    start_reason: str
    working_days: int | None
    warn_at: datetime | None
    due_at: datetime
    last_day: date
    state: State
    state_vi: str
    overdue: bool
    warned_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    rescinded: bool = Field(description="Đã báo quá hạn, sau đó biết không phải: làm đúng hạn, hoặc lịch đổi")
    rescinded_at: datetime | None = Field(description="Báo quá hạn đã rút vì lịch đổi, lúc nào")
    opened_at: datetime
    changed_at: datetime
    reopened_at: datetime | None = Field(description="Kết quả bị trả lại, hạn chạy tiếp, lúc nào")
    born_overdue: bool = Field(description="Khi vào sổ thì đã quá hạn")
    reminders: list[Reminder] = Field(description="Đã nhắc, đã báo những gì, theo thời gian")
    next_at: datetime | None = Field(description="Lần nhắc, báo kế tiếp")
    escalated: str = Field(description="Cấp cao nhất đã được báo")
    escalated_vi: str
    moved_at: datetime | None
    moved_from: datetime | None = Field(description="Hạn trước khi lịch đổi")
    moved_by: str = Field(description="Văn bản đã đổi lịch")
    risk: str = Field(description="Điều đang đe dọa thời hạn, nếu có")
    calendar_version: str
    provisional: bool
    explanation_vi: str
    explanation_en: str
    days: list[Day]


def urls_of(look: Look) -> Mapping[str, str]:
    """The public addresses of the services."""
    return cast("Mapping[str, str]", look.environment.globals["urls"])


def basis_url(basis: str, notifier: str = "") -> str:
    return f"{notifier}/can-cu#{basis.replace('#', '-')}"


def subject_url(subject: str, urls: Mapping[str, str], duty: str = "") -> str:
    """The page on which people work with this subject; with ``duty``, those who owe that."""
    kind, _, id = subject.partition("-")
    place = QA_PLACES.get(duty, "triage")
    pages = {"question": ("qa", f"/desk/{place}/{id}"), "submission": ("content", f"/desk/review/{id}"),
             "delivery": ("sync", "/desk/portals")}  # fmt: skip
    service, path = pages.get(kind, ("", ""))
    return urls[service] + path if service else ""


def label_of(subject: str, label: str) -> str:
    """«HD-2026-11-7K3QZ»; «Bài 3f2a9c, Văn bản»; «Cổng bo-noi-vu»."""
    kind, _, id = subject.partition("-")
    match kind:
        case "question":
            return label or f"Câu hỏi {id[:6]}"
        case "submission":
            return f"Bài {id[:6]}" + (f", {CLASSES_VI.get(label, label)}" if label else "")
        case "delivery":
            return f"Cổng {label}" if label else f"Lượt chuyển {id[:6]}"
        case _:
            return subject


def risk_of(unsent: Mapping[str, Any] | None) -> str:
    """Why a duty to tell somebody is in danger: the letter has not been accepted yet."""
    if unsent is None:
        return ""
    if unsent["status"] == "failed":
        return f"Thư không gửi được: {unsent['reason']}"
    if unsent["status"] == "sending":
        return "Thư đang được gửi, máy chủ thư chưa xác nhận"
    at = unsent["next_at"].astimezone(calendar.VIETNAM)
    return f"Thư chưa gửi được, thử lại lúc {at:%H:%M:%S}: {unsent['reason']}"


async def deadline_views(
    database: Database, documents: Iterable[Document], now: datetime, *, units: Mapping[str, Any],
    urls: Mapping[str, str], calendars: Calendars | None = None, home: str = "",
    policy: Policy | None = None,
) -> list[DeadlineView]:  # fmt: skip
    """``calendars`` explain each day of a term; without them nobody is shown the days. ``home`` is the
    reader's unit: what it owes is opened at its own desk, all else at the centre's."""
    rows = list(documents)
    called = await queries.labels(database, (d["subject"] for d in rows))
    telling = {d["_id"]: d["subject"] for d in rows if d["status"] == "open" and d["duty"] in TELLING}
    unsent = await queries.unsent(database, telling.values()) if telling else {}
    seen = _Reader(now, units, urls, calendars, home, policy or Policy())
    return [
        _view(d, seen, label=called.get(d["subject"], ""),
              risk=risk_of(unsent.get(telling.get(d["_id"], ""))))
        for d in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reader:
    now: datetime
    units: Mapping[str, Any]
    urls: Mapping[str, str]
    calendars: Calendars | None
    home: str
    policy: Policy


def _view(d: Document, seen: _Reader, *, label: str, risk: str) -> DeadlineView:
    state, units, urls = queries.state_of(d, seen.now), seen.units, seen.urls
    escalated, rescinded_at = d.get("escalated", ""), d.get("rescinded_at")
    owed = seen.policy.page_of(d["duty"], d["unit"]) if d["unit"] == seen.home else ""
    return DeadlineView(
        id=d["_id"], version=d["version"], subject=d["subject"],
        label=label_of(d["subject"], label), subject_url=subject_url(d["subject"], urls, owed),
        duty=d["duty"], duty_vi=DUTIES.get(d["duty"], d["duty"]),
        duty_known=d["duty"] in DUTIES, name=d["name"], basis=d["basis"],
        basis_vi=CITED.get(d["basis"], d["basis"]), basis_url=basis_url(d["basis"], urls["notifier"]),
        source=d["source"], unit=d["unit"], unit_name=str(units.get(d["unit"], {}).get("name", d["unit"])),
        unit_known=d["unit"] in units,
        started_at=d["started_at"], start_reason=d["start_reason"], working_days=d["working_days"],
        warn_at=d["warn_at"], due_at=d["due_at"], last_day=date.fromisoformat(d["due_day"]),
        state=state, state_vi=STATES_VI[state], overdue=state == "breached", warned_at=d["warned_at"],
        breached_at=d["breached_at"], ended_at=d["ended_at"],
        rescinded=rescinded_at is not None or (d["breached_at"] is not None and state == "met"),
        rescinded_at=rescinded_at, opened_at=d["opened_at"], changed_at=d["changed_at"],
        reopened_at=d.get("reopened_at"), born_overdue=d.get("born_overdue", False),
        reminders=_reminders(d), next_at=d["next_at"],
        escalated=escalated, escalated_vi=STAGES_VI.get(escalated, ""), moved_at=d.get("moved_at"),
        moved_from=d.get("moved_from"), moved_by=d.get("moved_by", ""),
        risk=risk,
        calendar_version=d["calendar_version"], provisional=d["provisional"],
        explanation_vi=d["explanation_vi"], explanation_en=d["explanation_en"],
        days=days_of(d, seen.calendars) if seen.calendars else [],
    )  # fmt: skip


def _reminders(d: Document) -> list[Reminder]:
    fired = d.get("fired", {})
    told = sorted(d.get("told", {}).items(), key=lambda each: each[1])
    return [
        Reminder(stage=stage, stage_vi=STAGES_VI.get(stage, stage), at=at, planned_at=fired.get(stage))
        for stage, at in told
    ]


def standstill_of(followers: Mapping[str, Any]) -> str:
    """Which record, and which column of a list, stop the projector or the relay."""
    said = []
    for name, what in (("projector", "Danh sách"), ("relay", "Việc phát hành")):
        if trouble := followers.get(name, {}).get("trouble"):
            where = f" ở {trouble['commit']}" if trouble["commit"] else ""
            column = f", cột {trouble['column']}" if trouble["column"] else ""
            why = "" if where else f" ({trouble['reason']})"
            said.append(f"{what} đứng lại{where}{column}: {trouble['error']}{why}.")
    return " ".join(said)
