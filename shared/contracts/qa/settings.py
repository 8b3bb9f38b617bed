"""Thiết lập của bàn hỏi đáp: templates, routing, leave. On our own record alone, so that it is known who set
what, and when."""

from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.base import Event
from shared.contracts.qa.life import Referral, RefusalGround

SETTING: Final = "qa.setting"


class TemplateUse(StrEnum):
    """Mẫu dùng để làm gì."""

    ANSWER = "answer"  # mẫu trả lời
    REFUSAL = "refusal"  # mẫu báo không thuộc diện trả lời, có căn cứ
    PROGRESS = "progress"  # mẫu báo quá trình xử lý


class TemplateWritten(Event, topic=SETTING, name="qa.setting.template_written", published=False):
    """Một mẫu được soạn hoặc sửa; ``unit`` empty: everybody may use it."""

    template_id: UUID
    use: TemplateUse
    unit: str
    called: str  # tên mẫu
    wording: str  # lời của mẫu, with blanks
    ground: RefusalGround | None = None
    referral: Referral | None = None
    agency: str = ""


class TemplateRetired(Event, topic=SETTING, name="qa.setting.template_retired", published=False):
    """Thôi dùng một mẫu."""

    template_id: UUID


class RouteSet(Event, topic=SETTING, name="qa.setting.route_set", published=False):
    """Câu hỏi của một lĩnh vực (ở một tỉnh, nếu nêu) được gợi ý chuyển cho đơn vị này."""

    route_id: UUID
    field: str
    province: str
    unit: str


class RouteCleared(Event, topic=SETTING, name="qa.setting.route_cleared", published=False):
    """Thôi gợi ý."""

    route_id: UUID


class LeaveTaken(Event, topic=SETTING, name="qa.setting.leave_taken", published=False):
    """Một cán bộ vắng mặt; what is assigned to them goes to their deputy (người làm thay)."""

    leave_id: UUID
    person: str
    deputy: str
    since: date
    until: date  # ngày cuối vắng mặt


class LeaveEnded(Event, topic=SETTING, name="qa.setting.leave_ended", published=False):
    """Trở lại sớm, hoặc ghi nhầm."""

    leave_id: UUID
