"""Điều 12, liên kết, tích hợp thông tin: what goes to which linked portal, and by when.

The article sets no number of days. «Kịp thời» is given one here, as a named choice, so that it can be judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.calendar import Due, WorkingCalendar
from shared.contracts.clocks import counted_receipt
from shared.contracts.sync import Action
from shared.workflow import Step, Workflow


class PortalKind(StrEnum):
    """Loại cổng liên kết."""

    GOVERNMENT = "government"  # Cổng Thông tin điện tử Chính phủ
    MINISTRY = "ministry"  # cổng của bộ, ngành liên quan
    PROVINCE = "province"  # cổng của Bảo hiểm xã hội tỉnh


# «Cổng Thông tin điện tử liên kết, tích hợp thông tin với Cổng Thông tin điện tử Chính phủ và Cổng Thông tin
#  điện tử của các Bộ, ngành liên quan»
TO_GOVERNMENT_AND_MINISTRIES: Final = "dieu-12#khoan-1"
# «liên kết thông tin với Cổng Thông tin điện tử của Bảo hiểm xã hội tỉnh bảo đảm các thông tin, tiện ích,
#  dịch vụ được cung cấp cho người sử dụng được thống nhất, kịp thời»
TO_PROVINCES: Final = "dieu-12#khoan-2"

BASIS: Final[Mapping[PortalKind, str]] = {
    PortalKind.GOVERNMENT: TO_GOVERNMENT_AND_MINISTRIES,
    PortalKind.MINISTRY: TO_GOVERNMENT_AND_MINISTRIES,
    PortalKind.PROVINCE: TO_PROVINCES,
}
DUTY: Final = "linking"


class Status(StrEnum):
    """Trạng thái một lượt chuyển."""

    PENDING = "pending"  # chờ chuyển
    FAILED = "failed"  # chưa chuyển được, sẽ thử lại
    DONE = "done"  # cổng đã xác nhận
    SUPERSEDED = "superseded"  # không còn phải chuyển

    @property
    def open(self) -> bool:
        return self in (Status.PENDING, Status.FAILED)


class Link(StrEnum):
    """Quan hệ với một cổng."""

    LINKED = "linked"
    UNLINKED = "unlinked"


class Role(StrEnum):
    SYSTEM = "system"
    OPERATOR = "operator"  # trực vận hành


WORKFLOW: Final = Workflow(
    # đang ở            việc         ai           thành              căn cứ
    Step(Status.PENDING, "confirm", Role.SYSTEM, Status.DONE, "dieu-12#khoan-2"),
    Step(Status.PENDING, "fail", Role.SYSTEM, Status.FAILED, "dieu-12#khoan-2"),
    Step(Status.PENDING, "supersede", Role.SYSTEM, Status.SUPERSEDED, "dieu-12#khoan-2"),
    Step(Status.FAILED, "confirm", Role.SYSTEM, Status.DONE, "dieu-12#khoan-2"),
    Step(Status.FAILED, "fail", Role.SYSTEM, Status.FAILED, "dieu-12#khoan-2"),
    Step(Status.FAILED, "supersede", Role.SYSTEM, Status.SUPERSEDED, "dieu-12#khoan-2"),
    what_vi="lượt chuyển",
    acts_vi={
        "confirm": "ghi nhận cổng đã xác nhận", "fail": "ghi nhận chưa chuyển được",
        "supersede": "thôi chuyển",
    },
    states_vi={
        Status.PENDING: "Chờ chuyển", Status.FAILED: "Chưa chuyển được", Status.DONE: "Cổng đã xác nhận",
        Status.SUPERSEDED: "Không còn phải chuyển",
    },
)  # fmt: skip
PORTAL_WORKFLOW: Final = Workflow(
    Step(Link.LINKED, "retry", Role.OPERATOR, Link.LINKED, "dieu-12#khoan-2"),
    what_vi="cổng",
    acts_vi={"retry": "yêu cầu chuyển lại"},
    states_vi={Link.LINKED: "Đang liên kết", Link.UNLINKED: "Ngừng liên kết"},
)


@dataclass(frozen=True, slots=True)
class LinkedPortal:
    """Một cổng liên kết. Which portals are linked is data: provinces merge, ministries change."""

    id: str
    name: str
    kind: PortalKind


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices that Article 12 leaves open."""

    linked: tuple[LinkedPortal, ...] = ()
    """Khoản 1: which ministries and sectors are «liên quan»; khoản 2: the provincial portals of the day."""

    link_within: int = 0
    """Khoản 2, «kịp thời»: working days from publication; 0 is the end of the same working day."""

    warn_after: timedelta = timedelta(minutes=30)
    """Khoản 2, «kịp thời»: a portal that has not confirmed after this long is worth a look."""

    owner_unit: str = "tt-truyen-thong"
    """Who answers for the links: the centre that publishes."""

    first_retry: timedelta = timedelta(seconds=2)
    longest_retry: timedelta = timedelta(minutes=30)
    escalate_after: timedelta = timedelta(days=3)
    """A portal under this article is never given up: after this long a person is called, and it goes on."""

    def find(self, portal: str) -> LinkedPortal | None:
        return next((one for one in self.linked if one.id == portal), None)

    def retry_in(self, failures: int, draw: float, asked: timedelta | None = None) -> timedelta:
        """The wait before the next try: full jitter under a bound that doubles, so that portals which fell
        together are not all tried together. ``draw`` is random, from 0 to 1; ``asked`` is Retry-After."""
        bound = min(self.longest_retry, self.first_retry * 2.0 ** min(max(failures, 1) - 1, 30))
        wait = max(bound * draw, self.first_retry / 10)
        return max(wait, min(asked, self.longest_retry)) if asked else wait


def link_by(action: Action, at: datetime, calendar: WorkingCalendar, policy: Policy) -> Due:
    """«Kịp thời»: what was published on a day off counts from the next working day. A withdrawal is due at
    once: the end of the very day, be it a day off."""
    if starts_on_a_working_day(action, policy):
        return calendar.same_day(counted_receipt(at, calendar))
    if action is Action.WITHDRAW:
        return calendar.same_day(at)
    return calendar.due(at, policy.link_within)


def starts_on_a_working_day(action: Action, policy: Policy) -> bool:
    """Whether the calendar says on which day the term starts, so that another calendar may say another."""
    return action is Action.PUBLISH and policy.link_within == 0


START_REASON: Final[Mapping[Action, str]] = {
    Action.PUBLISH: "ngày đăng trên Cổng Thông tin điện tử Bảo hiểm xã hội Việt Nam",
    Action.WITHDRAW: "ngày gỡ khỏi Cổng Thông tin điện tử Bảo hiểm xã hội Việt Nam",
}
