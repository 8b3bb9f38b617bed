"""How the register is told to a reader."""

from services.notifier.views.deadlines import (
    CLASSES_VI,
    STATES_VI,
    DeadlineView,
    Reminder,
    State,
    basis_url,
    deadline_views,
    label_of,
    risk_of,
    standstill_of,
    subject_url,
    urls_of,
)
from services.notifier.views.due import Day, DueView, days_of
from services.notifier.views.notices import NOTICE_STATES_VI, NoticeView, notice_tabs, notice_views

__all__ = [
    "CLASSES_VI",
    "NOTICE_STATES_VI",
    "STATES_VI",
    "Day",
    "DeadlineView",
    "DueView",
    "NoticeView",
    "Reminder",
    "State",
    "basis_url",
    "days_of",
    "deadline_views",
    "label_of",
    "notice_tabs",
    "notice_views",
    "risk_of",
    "standstill_of",
    "subject_url",
    "urls_of",
]
