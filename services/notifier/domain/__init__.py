"""The register's aggregates. Pure: no clock, no database, no Kafka."""

from services.notifier.domain.deadlines import (
    NAMESPACE,
    Deadline,
    Ending,
    deadline_id,
    end_deadline,
    open_deadline,
)
from services.notifier.domain.firing import Armed, Firing, fire, next_firing, next_look
from services.notifier.domain.moving import Touched, recount, touched
from services.notifier.domain.notices import (
    Notice,
    accept,
    claim,
    fail,
    in_hours,
    is_lost,
    lane_of,
    notice_id,
    request_notice,
    withhold,
)

__all__ = [
    "NAMESPACE",
    "Armed",
    "Deadline",
    "Ending",
    "Firing",
    "Notice",
    "Touched",
    "accept",
    "claim",
    "deadline_id",
    "end_deadline",
    "fail",
    "fire",
    "in_hours",
    "is_lost",
    "lane_of",
    "next_firing",
    "next_look",
    "notice_id",
    "open_deadline",
    "recount",
    "request_notice",
    "touched",
    "withhold",
]
