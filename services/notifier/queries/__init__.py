"""Every read of the notifier database."""

from services.notifier.queries.ledger import LANE_ORDER, DueNotice, due_notices, notice, notices, unsent
from services.notifier.queries.morning import (
    PARTS,
    Morning,
    morning_counts,
    morning_of,
    still_open,
    told_by_digest,
    units_at_work,
)
from services.notifier.queries.neighbours import note_backlog, note_service
from services.notifier.queries.proofs import LedgerFilter, every_proof, proofs
from services.notifier.queries.read_models import prepare, projections
from services.notifier.queries.register import (
    ENDED,
    DeadlineFilter,
    count_deadlines,
    deadline,
    deadline_batches,
    deadlines,
    has_duty,
    labels,
    state_of,
    subject_called,
)
from services.notifier.queries.suppressions import suppressed, suppressions
from services.notifier.queries.sweeps import (
    ALL_SHARES,
    DueDeadline,
    UnitQueue,
    due_deadlines,
    living,
    oldest_due,
    rearm,
    shown_up_to,
    units_due,
)
from services.notifier.queries.terms import Document, due

__all__ = [
    "ALL_SHARES",
    "ENDED",
    "LANE_ORDER",
    "PARTS",
    "DeadlineFilter",
    "Document",
    "DueDeadline",
    "DueNotice",
    "LedgerFilter",
    "Morning",
    "UnitQueue",
    "count_deadlines",
    "deadline",
    "deadline_batches",
    "deadlines",
    "due",
    "due_deadlines",
    "due_notices",
    "every_proof",
    "has_duty",
    "labels",
    "living",
    "morning_counts",
    "morning_of",
    "note_backlog",
    "note_service",
    "notice",
    "notices",
    "oldest_due",
    "prepare",
    "projections",
    "proofs",
    "rearm",
    "shown_up_to",
    "state_of",
    "still_open",
    "subject_called",
    "suppressed",
    "suppressions",
    "told_by_digest",
    "units_at_work",
    "units_due",
    "unsent",
]
