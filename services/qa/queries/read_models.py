"""Read models: `questions` (one row a question, for lists and look-up) and `answers` (what the public may
search). Rebuilt from the journal; a row never holds the address, the phone or the whole text of an asker."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from services.qa.domain.codes import Codes
from services.qa.domain.words import fold
from services.qa.regulation import Status
from shared.contracts.base import Clock, ClockedEvent, Event, Recorded
from shared.contracts.qa import (
    AnswerPublished,
    AnswerReleased,
    AnswerWithheld,
    AskerDisclosed,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionClockMoved,
    QuestionClosed,
    QuestionForwarded,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Column, Fields, Projection
from shared.web.vietnamese import local

QUESTIONS: Final = "questions"
ANSWERS: Final = "answers"
ATTEMPTS: Final = "attempts"
ERASED: Final = "(đã xóa)"


def short_name(name: str) -> str:
    """Nguyễn T. H.: enough to tell two rows apart."""
    first, *rest = name.split() or [""]
    return " ".join([first, *(f"{word[0].upper()}." for word in rest)])


def mark_of(subject: str) -> str:
    """A staff member's id as a name of a field."""
    return hashlib.sha256(subject.encode()).hexdigest()[:24]


async def read(vault: Vault, ref: str) -> dict[str, Any]:
    """What lies under ``ref``; empty when it was erased."""
    if not ref:
        return {}
    try:
        return await vault.get(ref)
    except NotFound:
        return {}


def running(event: ClockedEvent) -> Fields:
    """The clock that now drives the question: the one that ends first."""
    if not event.opens:
        return {}
    return _driven_by(min(event.opens, key=lambda clock: clock.due_at))


def _driven_by(clock: Clock) -> Fields:
    return {"due_at": clock.due_at, "warn_at": clock.warn_at, "duty": clock.duty}


def _moved(recorded: Recorded[QuestionClockMoved]) -> Fields:
    clock = recorded.event.clock
    fields = _driven_by(clock) if recorded.event.leads else {}
    if clock.received_at is not None:
        fields["counted_from"] = local(clock.started_at).date().isoformat()
    return fields


STILL: Final[Fields] = {"due_at": None, "warn_at": None, "duty": ""}


def _received(codes: Codes) -> Column:
    async def received(recorded: Recorded[QuestionReceived], vault: Vault) -> Fields:
        event = recorded.event
        letter = await read(vault, event.letter_ref)
        subject = str(letter.get("subject", ERASED))
        return {
            "number": event.number, "channel": event.channel, "status": Status.RECEIVED,
            "received_at": event.received_at, "counted_from": event.counted_from.isoformat(),
            "subject": subject, "asker": short_name(str(letter.get("name", ERASED))),
            "province": str(letter.get("province", "")),
            "folded": f"{fold(event.number)} {fold(subject)}",
            "code_mark": codes.mark(codes.tracking_code(event.question_id)),
            "letter_ref": event.letter_ref, "unit": "", "field": "", "rounds": 0, "released": False,
            "decided": False, "sent": False, **running(event),
        }  # fmt: skip

    return received


def _plain(fields: Callable[[Recorded[Any]], Fields]) -> Column:
    async def column(recorded: Recorded[Any], _: Vault) -> Fields:
        return fields(recorded)

    return column


def _notice(recorded: Recorded[NoticeAccepted]) -> Fields:
    event = recorded.event
    told = {f"notices.{event.kind}": {"at": event.accepted_at, "message_id": event.message_id}}
    match event.kind:
        case NoticeKind.ANSWER:
            return told | {"sent": True}
        case NoticeKind.REFUSAL:
            return told | STILL
        case _:
            return told


async def _published(recorded: Recorded[AnswerPublished], vault: Vault) -> Fields:
    event = recorded.event
    text = await read(vault, event.public_ref)
    subject, question, answer = (str(text.get(name, ERASED)) for name in ("subject", "question", "answer"))
    return {
        "subject": subject, "question": question, "answer": answer, "field": event.field,
        "folded": fold(f"{subject} {question} {answer}"), "published_at": recorded.at,
    }  # fmt: skip


def _question_columns(codes: Codes) -> dict[type[Event], Column]:
    return {
        QuestionReceived: _received(codes),
        QuestionForwarded: _plain(
            lambda r: {"status": Status.FORWARDED, "unit": r.event.unit, "field": r.event.field,
                       "forwarded_at": r.at, **running(r.event)}
        ),
        QuestionRefused: _plain(
            lambda r: {"status": Status.REFUSED, "ground": r.event.ground, **running(r.event)}
        ),
        QuestionProgressReported: _plain(
            lambda r: {"rounds": r.event.round, "promised_for": r.event.promised_for.isoformat(),
                       "escalated": r.event.escalated, **running(r.event)}
        ),
        QuestionAnswered: _plain(
            lambda r: {"status": Status.ANSWERED, "answered_by": r.event.answered_by, "answered_at": r.at,
                       "unit": r.event.unit, **running(r.event)}
        ),
        AnswerReleased: _plain(lambda _: {"released": True}),
        NoticeAccepted: _plain(_notice),
        AnswerPublished: _plain(lambda r: {"decided": True, "published_at": r.at}),
        AnswerWithheld: _plain(lambda _: {"decided": True}),
        QuestionClockMoved: _plain(_moved),
        QuestionClosed: _plain(lambda _: {"status": Status.CLOSED, **STILL}),
        AskerDisclosed: _plain(lambda r: {f"shown.{mark_of(r.by)}": r.at}),
    }  # fmt: skip


def projections(codes: Codes) -> tuple[Projection, ...]:
    """``codes`` derives the mark that a tracking code is found by."""
    return (
        Projection(QUESTIONS, "question", _question_columns(codes)),
        Projection(ANSWERS, "question", {AnswerPublished: _published}),
    )


@answered
async def prepare(database: Database) -> None:
    """Indexes; safe to repeat."""
    questions, answers = database[QUESTIONS], database[ANSWERS]
    await questions.create_index([("status", 1), ("due_at", 1), ("_id", 1)], name="by_due")
    await questions.create_index([("unit", 1), ("status", 1), ("due_at", 1), ("_id", 1)], name="of_unit")
    await questions.create_index([("status", 1), ("received_at", -1), ("_id", -1)], name="newest")
    await questions.create_index([("received_at", -1), ("_id", -1)], name="all_newest")
    await questions.create_index("code_mark", name="code_mark")
    only = {"published_at": {"$exists": True}}
    await answers.create_index(
        [("published_at", -1), ("_id", -1)], name="published", partialFilterExpression=only
    )
    await answers.create_index(
        [("field", 1), ("published_at", -1), ("_id", -1)], name="of_field", partialFilterExpression=only
    )
    await answers.create_index([("folded", "text")], default_language="none", name="words")
    await database[ATTEMPTS].create_index("until", expireAfterSeconds=0, name="until")
