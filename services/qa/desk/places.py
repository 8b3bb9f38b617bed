"""Bàn làm việc: the three working pages of hỏi đáp, and what each of their views lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from services.qa.queries.lists import Wanted
from services.qa.regulation import Role, Status
from shared.calendar import VIETNAM
from shared.workflow import Actor


@dataclass(frozen=True, slots=True)
class View:
    """One tab: ``wanted`` is its filter, ``state`` paints its count; ``mine``: what is assigned to oneself;
    ``advice``: what one's own unit is asked about, rather than what it holds."""

    key: str
    text: str
    wanted: Wanted
    state: str = ""
    due_today: bool = False
    mine: bool = False
    advice: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """``own_unit``: the page shows the questions of one's own unit alone. ``primary`` is the act that the
    letter A does."""

    key: str
    name: str
    roles: frozenset[Role]
    primary: str
    views: tuple[View, ...]
    own_unit: bool = False

    def view(self, key: str) -> View:
        return next((view for view in self.views if view.key == key), self.views[0])

    def wanted(self, view: View, by: Actor, now: datetime, absent: Sequence[str] = ()) -> Wanted:
        """What a view lists for this person now, who does the work of those ``absent`` too."""
        wanted = replace(view.wanted, unit=by.unit if self.own_unit else "")
        if view.advice:
            wanted = replace(view.wanted, consulted=by.unit)
        if view.mine:
            wanted = replace(wanted, assignees=(by.subject, *absent))
        if not view.due_today:
            return wanted
        tomorrow = now.astimezone(VIETNAM).date() + timedelta(days=1)
        return replace(wanted, due_before=datetime.combine(tomorrow, time.min, VIETNAM))

    def found(self, words: Sequence[int], by: Actor) -> Wanted:
        """What a search for these words looks through."""
        return Wanted(unit=by.unit if self.own_unit else "", words=tuple(words))


NEW: Final = Wanted(status=Status.RECEIVED)
WITH_UNIT: Final = Wanted(status=Status.FORWARDED)
TO_SEND: Final = Wanted(status=Status.ANSWERED)
OVER: Final = Wanted(status=Status.CLOSED)
MINE: Final = View("mine", "Của tôi", Wanted(open=True), mine=True)

PLACES: Final[Mapping[str, Place]] = {
    "triage": Place(
        "triage", "Chờ phân loại",
        frozenset({Role.TRIAGE, Role.PUBLISHER, Role.CENTRE_HEAD, Role.AUDITOR}), "forwarding",
        (
            View("new", "Chưa phân loại", NEW),
            View("today", "Đến hạn hôm nay", NEW, "warn", due_today=True),
            View("returned", "Đơn vị trả lại", Wanted(status=Status.RETURNED), "warn"),
            MINE,
            View("aside", "Nghi thư rác", Wanted(status=Status.SET_ASIDE)),
            View("forwarded", "Đã chuyển đơn vị", WITH_UNIT),
            View("late", "Đơn vị đến hạn hôm nay", WITH_UNIT, "warn", due_today=True),
            View("split", "Đã tách", Wanted(status=Status.SPLIT)),
            View("refused", "Không thuộc diện trả lời", Wanted(status=Status.REFUSED)),
            View("closed", "Đã xong", OVER),
        ),
    ),
    "unit": Place(
        "unit", "Câu hỏi của đơn vị", frozenset({Role.ANSWERER, Role.UNIT_HEAD}), "answer",
        (
            View("open", "Chờ trả lời", WITH_UNIT),
            View("today", "Đến hạn hôm nay", WITH_UNIT, "warn", due_today=True),
            View("advice", "Lấy ý kiến", WITH_UNIT, "warn", advice=True),
            MINE,
            View("answered", "Đã trả lời, chờ gửi", TO_SEND),
            View("closed", "Đã xong", OVER),
        ),
        own_unit=True,
    ),
    "publishing": Place(
        "publishing", "Duyệt đăng trả lời",
        frozenset({Role.PUBLISHER, Role.CENTRE_HEAD, Role.AUDITOR}), "release",
        (
            View("open", "Chờ gửi, chờ đăng", TO_SEND),
            View("undecided", "Chưa quyết định đăng", replace(TO_SEND, decided=False)),
            View("corrected", "Đính chính", replace(TO_SEND, corrected=True)),
            View("today", "Đến hạn hôm nay", TO_SEND, "warn", due_today=True),
            MINE,
            View("closed", "Đã xong", OVER),
        ),
    ),
}  # fmt: skip
