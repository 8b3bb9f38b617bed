"""Bàn làm việc: the three working pages of hỏi đáp, what each lists, and the acts that its forms do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, Final

from services.qa import bodies, handlers
from services.qa.queries.lists import Wanted
from services.qa.regulation import Role, Status
from shared.calendar import VIETNAM


@dataclass(frozen=True, slots=True)
class FormAct:
    """One form of a page: what it carries, which handler does it, what is said afterwards; ``ids`` names
    those fields whose id on the page is not their name."""

    body: type[bodies.CommandBody]
    handler: Callable[..., Awaitable[Any]]
    done: str
    ids: Mapping[str, str] = field(default_factory=dict)


ACTS: Final[Mapping[str, FormAct]] = {
    "forwarding": FormAct(bodies.Forward, handlers.forward_question, "Đã chuyển đơn vị trả lời."),
    "refusal": FormAct(
        bodies.Refuse, handlers.refuse_question, "Đã ghi nhận; thư báo người hỏi được gửi ngay."
    ),
    "answer": FormAct(
        bodies.Answer, handlers.answer_question, "Đã nhận câu trả lời, chuyển bước gửi và đăng."
    ),
    "progress": FormAct(
        bodies.Progress, handlers.report_progress, "Đã báo quá trình xử lý; thư được gửi người hỏi."
    ),
    "release": FormAct(bodies.Release, handlers.release_answer, "Đã cho gửi; thư đang được chuyển đi."),
    "publication": FormAct(bodies.Publish, handlers.publish_answer, "Đã đăng công khai."),
    "withholding": FormAct(
        bodies.Withhold, handlers.withhold_answer, "Đã ghi nhận không đăng.", {"reason": "withhold-reason"}
    ),
    "identity": FormAct(
        bodies.Disclose,
        handlers.disclose_asker,
        "Danh tính hiện trong 15 phút; việc xem đã được ghi lại.",
        {"reason": "identity-reason", "words": "identity-words"},
    ),
}


@dataclass(frozen=True, slots=True)
class View:
    """One tab: ``wanted`` is its filter, ``state`` paints its count."""

    key: str
    text: str
    wanted: Wanted
    state: str = ""
    due_today: bool = False

    def at(self, now: datetime, unit: str) -> Wanted:
        wanted = replace(self.wanted, unit=unit)
        if not self.due_today:
            return wanted
        tomorrow = now.astimezone(VIETNAM).date() + timedelta(days=1)
        return replace(wanted, due_before=datetime.combine(tomorrow, time.min, VIETNAM))


@dataclass(frozen=True, slots=True)
class Place:
    """``own_unit``: the page shows the questions of one's own unit alone."""

    key: str
    name: str
    template: str
    roles: frozenset[Role]
    views: tuple[View, ...]
    acts: frozenset[str]
    own_unit: bool = False

    def view(self, key: str) -> View:
        return next((view for view in self.views if view.key == key), self.views[0])


NEW: Final = Wanted(status=Status.RECEIVED)
WITH_UNIT: Final = Wanted(status=Status.FORWARDED)
TO_SEND: Final = Wanted(status=Status.ANSWERED)

PLACES: Final[Mapping[str, Place]] = {
    "triage": Place(
        "triage", "Chờ phân loại", "desk_triage.html",
        frozenset({Role.TRIAGE, Role.PUBLISHER, Role.AUDITOR}),
        (
            View("new", "Chưa phân loại", NEW),
            View("today", "Đến hạn hôm nay", NEW, "warn", due_today=True),
            View("forwarded", "Đã chuyển đơn vị", WITH_UNIT),
            View("late", "Đơn vị đến hạn hôm nay", WITH_UNIT, "warn", due_today=True),
            View("refused", "Không thuộc diện trả lời", Wanted(status=Status.REFUSED)),
        ),
        frozenset({"forwarding", "refusal", "answer", "identity"}),
    ),
    "unit": Place(
        "unit", "Câu hỏi của đơn vị", "desk_unit.html", frozenset({Role.ANSWERER, Role.UNIT_HEAD}),
        (
            View("open", "Chờ trả lời", WITH_UNIT),
            View("today", "Đến hạn hôm nay", WITH_UNIT, "warn", due_today=True),
            View("answered", "Đã trả lời, chờ gửi", TO_SEND),
            View("closed", "Đã xong", Wanted(status=Status.CLOSED)),
        ),
        frozenset({"answer", "progress", "identity"}),
        own_unit=True,
    ),
    "publishing": Place(
        "publishing", "Duyệt đăng trả lời", "desk_publishing.html",
        frozenset({Role.PUBLISHER, Role.AUDITOR}),
        (
            View("open", "Chờ gửi, chờ đăng", TO_SEND),
            View("undecided", "Chưa quyết định đăng", replace(TO_SEND, decided=False)),
            View("today", "Đến hạn hôm nay", TO_SEND, "warn", due_today=True),
            View("closed", "Đã xong", Wanted(status=Status.CLOSED)),
        ),
        frozenset({"release", "publication", "withholding", "identity"}),
    ),
}  # fmt: skip
