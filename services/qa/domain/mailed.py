"""Thư trả lời một lá thư của hệ thống: what an asker's reply does to the question that it is about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.qa.domain.asker import ASKER, check_continuation
from services.qa.domain.permits import permit
from services.qa.domain.question import Question
from services.qa.domain.receiving import ReceiveQuestion
from services.qa.regulation import Policy
from shared.errors import PortalError


@dataclass(frozen=True, slots=True)
class TakeMail:
    """``question``: what it would be as a question of its own; ``about``: the question whose letter it
    answers."""

    question: ReceiveQuestion
    about: UUID | None = None


def reply_act(question: Question, *, at: datetime, policy: Policy) -> str:
    """``add_information`` to what is open, ``resubmit`` of what was unclear, ``follow_up`` to an answer
    within its window; empty when a reply is a question of its own."""
    try:
        permit(question, "add_information", ASKER)
    except PortalError:
        pass
    else:
        return "add_information"
    for act in ("resubmit", "follow_up"):
        try:
            check_continuation(question, act, by=ASKER, at=at, policy=policy)
        except PortalError:
            continue
        return act
    return ""
