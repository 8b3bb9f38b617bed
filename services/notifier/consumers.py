"""What the register listens to: every event that opens, stops or cancels a clock, and every event that a
person must be told of."""

from collections.abc import Mapping
from typing import Final

from services.notifier import handlers
from shared.contracts import content, notifier, qa, sync
from shared.contracts.base import TOPICS, ClockedEvent, Event
from shared.messaging.inbox import Handler, Table


def _clocked(topic: str) -> Mapping[type[Event], Handler]:
    """All classes of a topic that can carry clocks: they differ by class alone."""
    return {kind: handlers.keep_clocks for kind in TOPICS[topic] if issubclass(kind, ClockedEvent)}


TABLE: Final[Table] = {
    content.SUBMISSION: _clocked(content.SUBMISSION),
    sync.TOPIC: _clocked(sync.TOPIC),
    qa.TOPIC: {
        **_clocked(qa.TOPIC),
        qa.QuestionReceived: handlers.acknowledge_question,
        qa.QuestionRefused: handlers.notify_refusal,
        qa.QuestionProgressReported: handlers.notify_progress,
        qa.AnswerReleased: handlers.send_answer,
        qa.QuestionMerged: handlers.tell_of_merge,
        qa.QuestionWithdrawn: handlers.drop_courtesies,
        qa.AskerErased: handlers.drop_letters,
    },
    # Our own: what the register has found out is told to those who answer for it.
    notifier.DEADLINE: {
        notifier.DeadlineWarned: handlers.remind_at_once,
        notifier.DeadlineBreached: handlers.tell_of_breach,
        notifier.DeadlineEscalated: handlers.tell_of_escalation,
        notifier.DeadlineRescinded: handlers.tell_of_rescission,
        notifier.DeadlineMet: handlers.tell_of_deed,
    },
}
