"""Who hands out the message for a notice: askers' words come from qa, words for staff from the register and
the directory. All of it at the moment of sending, none of it kept."""

from datetime import datetime
from uuid import UUID

from services.notifier import letters
from services.notifier.gateways import Letters, LetterUnavailable, Mail, NotSent
from services.notifier.queries import DueNotice
from services.notifier.regulation import Policy
from shared.contracts.notifier import Delivery
from shared.web.edge import Edge


class Withheld(Exception):
    """This notice is not to go out this way; ``reason`` is Vietnamese and goes on record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def letter_for(edge: Edge[Policy], owner: Letters, due: DueNotice, *, at: datetime) -> Mail:
    """The message as it goes out at ``at``. Raises NotSent when the words cannot be had now (TEMPORARY) or
    ever (DEFINITE), Withheld when they must not go out."""
    try:
        question = UUID(due.subject.partition("-")[2])
        facts = await owner.letter(question, due.kind, due.round)
    except LetterUnavailable as error:
        outcome = Delivery.DEFINITE if error.gone else Delivery.TEMPORARY
        raise NotSent(outcome, str(error)) from error
    try:
        return letters.mail_for(edge.look, due.kind, facts, message_id=due.message_id, at=at)
    except Exception as error:  # a letter that our templates cannot take: seen by a person, tried again
        raise NotSent(Delivery.TEMPORARY, f"không soạn được thư ({type(error).__name__})") from error
