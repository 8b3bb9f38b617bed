"""Every read of the notifier database."""

from services.notifier.queries.ledger import LANE_ORDER, DueNotice, due_notices, notice, notices, unsent
from services.notifier.queries.neighbours import note_backlog, note_service
from services.notifier.queries.read_models import prepare, projections
from services.notifier.queries.register import (
    ENDED,
    DeadlineFilter,
    count_deadlines,
    deadline,
    deadlines,
    due_deadlines,
    labels,
    state_of,
)
from services.notifier.queries.terms import MOMENT, Document, due

__all__ = [
    "ENDED",
    "LANE_ORDER",
    "MOMENT",
    "DeadlineFilter",
    "Document",
    "DueNotice",
    "count_deadlines",
    "deadline",
    "deadlines",
    "due",
    "due_deadlines",
    "due_notices",
    "labels",
    "note_backlog",
    "note_service",
    "notice",
    "notices",
    "prepare",
    "projections",
    "state_of",
    "unsent",
]
