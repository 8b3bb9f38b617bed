"""What happened to a deadline, in the words of its page."""

from datetime import datetime

from services.notifier.regulation_stages import STAGES_VI
from shared.calendar import VIETNAM
from shared.contracts.base import Event
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMoved,
    DeadlineOpened,
    DeadlineReminderDropped,
    DeadlineReopened,
    DeadlineRescinded,
    DeadlineVoided,
    DeadlineWarned,
)


def _at(instant: datetime) -> str:
    return f"{instant.astimezone(VIETNAM):%H:%M, %d/%m/%Y}"


def deadline_words(event: Event) -> tuple[str, str] | None:  # noqa: PLR0911 (an arm for each event)
    """Title and text; None for what is no event of a deadline."""
    match event:
        case DeadlineOpened():
            return "Bắt đầu tính hạn", f"Từ {event.clock.start_reason}. {event.clock.explanation_vi}"
        case DeadlineWarned():
            planned = f"Giờ đã định: {_at(event.planned_at)}." if event.planned_at else ""
            return STAGES_VI.get(event.stage, "Nhắc: sắp đến hạn"), planned
        case DeadlineReminderDropped():
            stage = STAGES_VI.get(event.stage, event.stage).lower()
            planned = f"Giờ đã định: {_at(event.planned_at)}. {event.reason}"
            return f"Bỏ lời nhắc đã lỡ: {stage}", planned
        case DeadlineBreached():
            return "Quá hạn mà chưa thực hiện", f"Hết hạn lúc {_at(event.due_at)}."
        case DeadlineEscalated():
            return STAGES_VI[event.level.value], f"Giờ đã định: {_at(event.planned_at)}."
        case DeadlineMoved():
            text = f"Hạn cũ {_at(event.from_due_at)}; hạn mới {_at(event.clock.due_at)}. {event.document}."
            return "Lịch đổi, hạn được tính lại", text
        case DeadlineRescinded():
            text = f"Hạn đã báo {_at(event.breached_due_at)}; hạn đúng {_at(event.due_at)}. {event.document}."
            return "Rút lại báo quá hạn", text
        case DeadlineMet():
            happened = f"{event.met_at.astimezone(VIETNAM):%H:%M:%S, %d/%m/%Y}"
            title = "Đã thực hiện, muộn" if event.late else "Đã thực hiện đúng hạn"
            return title, f"Việc xảy ra lúc {happened}."
        case DeadlineReopened():
            return "Mở lại, việc coi như chưa xong", "Hạn không đổi và vẫn chạy như chưa từng dừng."
        case DeadlineVoided():
            return "Không còn phải thực hiện", ""
        case DeadlineDischargedEarly():
            return "Việc đã xong được báo trước khi hạn được mở", ""
        case _:
            return None
