"""Which question a mail belongs to, by the Message-IDs that went between asker and portal: kept as keyed
marks in `mail_threads`, a document a question."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from services.qa.domain.codes import Codes
from services.qa.queries.read_models import read
from shared.contracts.base import Recorded
from shared.contracts.qa import AskerErased, NoticeAccepted, QuestionReceived
from shared.desk import Vault
from shared.mongo import Database, answered
from shared.projections import Fields, Projection

THREADS: Final = "mail_threads"
CHANNEL: Final = "mail"


def threads(codes: Codes) -> Projection:
    """The marks are names of fields, so that one index finds each and a new one rewrites none."""

    async def received(recorded: Recorded[QuestionReceived], vault: Vault) -> Fields:
        if recorded.event.channel != CHANNEL:
            return {}
        message_id = str((await read(vault, recorded.event.letter_ref)).get("message_id", ""))
        return _marked(message_id)

    async def told(recorded: Recorded[NoticeAccepted], _: Vault) -> Fields:
        return _marked(recorded.event.message_id)

    async def erased(_: Recorded[AskerErased], __: Vault) -> Fields:
        return {"marks": {}}

    def _marked(message_id: str) -> Fields:
        return {f"marks.{codes.mail(message_id)}": True} if message_id else {}

    return Projection(
        THREADS, "question", {QuestionReceived: received, NoticeAccepted: told, AskerErased: erased}
    )


@answered
async def question_of(database: Database, codes: Codes, message_ids: Sequence[str]) -> UUID | None:
    """The question of the first of these mails that is known."""
    for mark in map(codes.mail, message_ids):
        row: dict[str, Any] | None = await database[THREADS].find_one({f"marks.{mark}": True}, {"_id": 1})
        if row is not None:
            return UUID(row["_id"])
    return None
