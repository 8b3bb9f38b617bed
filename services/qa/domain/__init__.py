"""Câu hỏi, from receipt to closing. Pure: no clock, no database, no Kafka."""

from services.qa.domain.answering import (
    AnswerQuestion,
    RecordNotice,
    ReleaseAnswer,
    ReportProgress,
    answer,
    progress,
    record_notice,
    release,
)
from services.qa.domain.publishing import (
    DiscloseAsker,
    PublishAnswer,
    WithholdAnswer,
    check_clean,
    disclose,
    publish,
    withhold,
)
from services.qa.domain.question import Question, acts, concerns, move_clock, permit
from services.qa.domain.receiving import (
    ForwardQuestion,
    Letter,
    ReceiveQuestion,
    RefuseQuestion,
    forward,
    receive,
    refuse,
)

__all__ = [
    "AnswerQuestion",
    "DiscloseAsker",
    "ForwardQuestion",
    "Letter",
    "PublishAnswer",
    "Question",
    "ReceiveQuestion",
    "RecordNotice",
    "RefuseQuestion",
    "ReleaseAnswer",
    "ReportProgress",
    "WithholdAnswer",
    "acts",
    "answer",
    "check_clean",
    "concerns",
    "disclose",
    "forward",
    "move_clock",
    "permit",
    "progress",
    "publish",
    "receive",
    "record_notice",
    "refuse",
    "release",
    "withhold",
]
