"""What the register does with what it hears and when time has come. Each bears being run again."""

from services.notifier.handlers.clocks import C, E, Register, keep_clocks, label_of
from services.notifier.handlers.firing import fire_deadline
from services.notifier.handlers.sending import (
    Accepted,
    ClaimNotice,
    Failed,
    claim_notice,
    presume_lost,
    record_acceptance,
    record_failure,
)
from services.notifier.handlers.telling import (
    WithholdNotice,
    acknowledge_question,
    notify_progress,
    notify_refusal,
    send_answer,
    withhold_notice,
)

__all__ = [
    "Accepted",
    "C",
    "ClaimNotice",
    "E",
    "Failed",
    "Register",
    "WithholdNotice",
    "acknowledge_question",
    "claim_notice",
    "fire_deadline",
    "keep_clocks",
    "label_of",
    "notify_progress",
    "notify_refusal",
    "presume_lost",
    "record_acceptance",
    "record_failure",
    "send_answer",
    "withhold_notice",
]
