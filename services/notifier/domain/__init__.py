"""The register's aggregates. Pure: no clock, no database, no Kafka."""

from services.notifier.domain.deadlines import (
    NAMESPACE,
    Deadline,
    Ending,
    deadline_id,
    end_deadline,
    fire,
    open_deadline,
)
from services.notifier.domain.moving import Touched, recount, touched
from services.notifier.domain.notices import (
    Notice,
    accept,
    claim,
    fail,
    is_lost,
    lane_of,
    notice_id,
    request_notice,
    withhold,
)

__all__ = [
    "NAMESPACE",
    "Deadline",
    "Ending",
    "Notice",
    "Touched",
    "accept",
    "claim",
    "deadline_id",
    "end_deadline",
    "fail",
    "fire",
    "is_lost",
    "lane_of",
    "notice_id",
    "open_deadline",
    "recount",
    "request_notice",
    "touched",
    "withhold",
]
