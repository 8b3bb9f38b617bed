"""Read models: `questions` (one row a question, for lists and look-up) and `answers` (what the public may
search). Rebuilt from the journal; a row never holds the address, the phone or the whole text of an asker."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.qa.domain.codes import Codes, number_letters
from services.qa.domain.question import leading
from services.qa.domain.terms import searched, terms_of
from services.qa.domain.words import fold
from services.qa.regulation import WRITING, Duty, Status
from shared.contracts.base import Clock, ClockedEvent, Event, Recorded
from shared.contracts.qa import (
    AdviceGiven,
    AnswerCorrected,
    AnswerPublished,
    AnswerRated,
    AnswerReleased,
    AnswerSentBack,
    AnswerWithheld,
    AskerDisclosed,
    AskerErased,
    InformationAdded,
    Leading,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionAssigned,
    QuestionClockMoved,
    QuestionClosed,
    QuestionForwarded,
    QuestionMadeComplex,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
    QuestionReopened,
    QuestionRestored,
    QuestionReturned,
    QuestionSetAside,
    QuestionSplit,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.projections import Column, Fields, Projection
from shared.web.vietnamese import local

QUESTIONS: Final = "questions"
ANSWERS: Final = "answers"
ATTEMPTS: Final = "attempts"
MONTHS: Final = "months"  # the figures are counted from this index alone
COUNTED: Final = (
    "month", "unit", "status", "outcome", "ground", "answered_on", "answered_at", "reply_due_at", "sorted_on",
)  # fmt: skip
ERASED: Final = "(đã xóa)"
# When the scanner is next asked about a question's files, and how often it could not say.
SCAN_HINTS: Final = frozenset({"scan_at", "scan_tries", "scan_errors"})


def short_name(name: str) -> str:
    """Nguyễn T. H.: enough to tell two rows apart."""
    first, *rest = name.split() or [""]
    return " ".join([first, *(f"{word[0].upper()}." for word in rest)])


def mark_of(subject: str) -> str:
    """A staff member's id as a name of a field."""
    return hashlib.sha256(subject.encode()).hexdigest()[:24]


def arrival(at: datetime, id: UUID | None = None) -> int:
    """When a question came, in milliseconds, and sixteen bits of its id to tell those of one moment apart:
    lists by what came last go by this number. Without an id, the first of that moment."""
    return (int(at.timestamp() * 1000) << 16) | (id.int & 0xFFFF if id else 0)


async def read(vault: Vault, ref: str) -> dict[str, Any]:
    """What lies under ``ref``; empty when it was erased."""
    if not ref:
        return {}
    try:
        return await vault.get(ref)
    except NotFound:
        return {}


def running(event: ClockedEvent | QuestionClockMoved) -> Fields:
    """The clock that drives the question from this event on. A record from before that was told names what
    the event itself starts."""
    told: Leading | None = getattr(event, "leading", None)
    if told is not None:
        return {"due_at": told.due_at, "warn_at": told.warn_at, "duty": told.duty}
    if isinstance(event, QuestionClockMoved):
        return _driven_by(event.clock) if event.leads else {}
    leads = leading((*event.reopens, *event.opens))
    return _driven_by(leads) if leads else {}


def owing(event: ClockedEvent) -> Fields:
    """The same, and by when the answer is owed: what its punctuality is judged by."""
    owed = leading(clock for clock in (*event.reopens, *event.opens) if clock.duty in OWING)
    return running(event) | ({"reply_due_at": owed.due_at} if owed else {})


def _driven_by(clock: Clock) -> Fields:
    return {"due_at": clock.due_at, "warn_at": clock.warn_at, "duty": clock.duty}


def _moved(recorded: Recorded[QuestionClockMoved]) -> Fields:
    clock = recorded.event.clock
    fields = running(recorded.event)
    if recorded.event.leads and clock.duty in OWING:
        fields["reply_due_at"] = clock.due_at
    if clock.received_at is not None:
        fields["counted_from"] = local(clock.started_at).date().isoformat()
    return fields


# Whoever writes the answer is punctual by these; the centre, when it answers itself, by the day of sorting.
OWING: Final = (Duty.TRIAGE, *WRITING)
# A correction that is not to be published leaves what it corrects nowhere to be read.
TEXTS: Final = ("subject", "question", "answer")
TAKEN_DOWN: Final = dict.fromkeys(("published_at", "year", "field", "unit", "folded", *TEXTS)) | {"terms": []}
STILL: Final[Fields] = {"due_at": None, "warn_at": None, "duty": ""}


def _received(codes: Codes) -> Column:
    async def received(recorded: Recorded[QuestionReceived], vault: Vault) -> Fields:
        event = recorded.event
        letter = await read(vault, event.letter_ref)
        subject = str(letter.get("subject", ERASED))
        return {
            "number": event.number, "status": Status.RECEIVED,
            "received_at": event.received_at, "counted_from": event.counted_from.isoformat(),
            "subject": subject, "asker": short_name(str(letter.get("name", ERASED))),
            "province": str(letter.get("province", "")),
            "terms": codes.words(
                [*searched(event.number), *terms_of(subject, str(letter.get("text", "")))]
            ),
            "asker_mark": codes.asker(str(letter.get("email", ""))),
            "arrival": arrival(event.received_at, event.question_id),
            "code_mark": codes.mark(codes.tracking_code(event.question_id)), "released": False,
            "letter_ref": event.letter_ref, "unit": "", "reader": "", "field": "", "rounds": 0,
            "decided": False, "sent": False, "channel": event.channel, "entered_by": event.entered_by,
            "part_of": str(event.part_of) if event.part_of else None, "files": len(event.files),
            "month": f"{event.counted_from:%Y-%m}", "sorted_on": event.counted_from.isoformat(),
            "holder": "", "assignee": "", "consulted": [], "correction": 0, "erased": False,
            **owing(event), **_to_scan(recorded),
        }  # fmt: skip

    return received


def _day(recorded: Recorded[Any]) -> str:
    return local(recorded.at).date().isoformat()


def _to_scan(recorded: Recorded[QuestionReceived] | Recorded[InformationAdded]) -> Fields:
    return {"scan_at": recorded.at} if recorded.event.files else {}


def _plain(fields: Callable[[Recorded[Any]], Fields]) -> Column:
    async def column(recorded: Recorded[Any], _: Vault) -> Fields:
        return fields(recorded)

    return column


def _notice(recorded: Recorded[NoticeAccepted]) -> Fields:
    event = recorded.event
    told = {f"notices.{event.kind}": {"at": event.accepted_at, "message_id": event.message_id}}
    match event.kind:
        case NoticeKind.ANSWER | NoticeKind.CORRECTION:
            return told | {"sent": True, "sent_at": event.accepted_at, **running(event)}
        case NoticeKind.REFUSAL:
            return told | STILL | {"told_refusal_at": event.accepted_at, **running(event)}
        case _:
            return told


async def _published(recorded: Recorded[AnswerPublished], vault: Vault) -> Fields:
    event = recorded.event
    text = await read(vault, event.public_ref)
    subject, question, answer = (str(text.get(name, ERASED)) for name in TEXTS)
    return {
        "subject": subject, "question": question, "answer": answer, "field": event.field,
        "folded": fold(f"{subject} {question} {answer}"), "terms": terms_of(subject, question, answer),
        "published_at": recorded.at, "year": local(recorded.at).year,
        "correction": event.correction,
    }  # fmt: skip


def _reopened(recorded: Recorded[QuestionReopened]) -> Fields:
    """Sorted anew: what was settled before is open again."""
    anew: Fields = dict.fromkeys(
        ("answered_at", "answered_on", "outcome", "closed_at", "ground", "merged_into")
    )
    anew |= dict.fromkeys(("complex", "released", "decided", "sent"), False)
    return {
        "status": Status.RECEIVED, "unit": "", "reader": "", "holder": "", "assignee": "", "consulted": [],
        "reopened_at": recorded.at, **anew, **owing(recorded.event),
    }  # fmt: skip


def _sent_back(recorded: Recorded[AnswerSentBack]) -> Fields:
    """Back to the unit that wrote it; the centre's own answer goes back to those who sort."""
    event = recorded.event
    unsorted = any(clock.duty == Duty.TRIAGE for clock in event.reopens)
    desk = Status.RECEIVED if unsorted else Status.RETURNED
    back = {"status": desk} if event.to_centre else {"status": Status.FORWARDED, "holder": event.unit}
    anew: Fields = {"answered_at": None, "answered_on": None, "answered_by": ""}
    return anew | back | owing(event)


def _restored(recorded: Recorded[QuestionRestored]) -> Fields:
    again = dict.fromkeys(("suspicion", "merged_into", "outcome", "closed_at"))
    return {"status": Status(recorded.event.back_to), **again, **owing(recorded.event)}


def _question_columns(codes: Codes) -> dict[type[Event], Column]:
    return {
        QuestionReceived: _received(codes),
        QuestionForwarded: _plain(
            lambda r: {"status": Status.FORWARDED, "unit": r.event.unit, "holder": r.event.unit,
                       "reader": r.event.unit,
                       "field": r.event.field, "forwarded_at": r.at, "assignee": "", "sorted_on": _day(r),
                       **owing(r.event)}
        ),
        QuestionReturned: _plain(
            lambda r: {"status": Status.RETURNED, "holder": "", "returned_at": r.at, "assignee": "",
                       "finding": r.event.finding, "late_triage": r.event.late_triage, **running(r.event)}
        ),
        QuestionRefused: _plain(
            lambda r: {"status": Status.REFUSED, "ground": r.event.ground, "refused_at": r.at,
                       "told_refusal_at": None, "late_triage": r.event.late_triage, "holder": "",
                       **running(r.event)}
        ),
        QuestionMadeComplex: _plain(
            lambda r: {"complex": True, "consulted": [each.unit for each in r.event.consulted],
                       "advised": {}, **owing(r.event)}
        ),
        AdviceGiven: _plain(lambda r: {f"advised.{r.event.unit}": r.at}),
        QuestionSetAside: _plain(
            lambda r: {"status": Status.SET_ASIDE, "suspicion": r.event.suspicion,
                       "set_aside_by": r.event.set_aside_by}
        ),
        QuestionRestored: _plain(_restored),
        QuestionSplit: _plain(
            lambda r: {"status": Status.SPLIT, "parts": [str(p.question_id) for p in r.event.parts], **STILL}
        ),
        QuestionMerged: _plain(lambda r: {"merged_into": str(r.event.into)}),
        QuestionProgressReported: _plain(
            lambda r: {"rounds": r.event.round, "promised_for": r.event.promised_for.isoformat(),
                       "escalated": r.event.escalated, **owing(r.event)}
        ),
        QuestionAnswered: _plain(
            lambda r: {"status": Status.ANSWERED, "answered_by": r.event.answered_by, "answered_at": r.at,
                       "answered_on": _day(r), "unit": r.event.unit, "holder": "", **running(r.event)}
        ),
        AnswerSentBack: _plain(_sent_back),
        AnswerCorrected: _plain(
            lambda r: {"status": Status.ANSWERED, "answered_by": r.event.answered_by, "outcome": None,
                       "correction": r.event.correction, "released": False, "decided": False,
                       "sent": False, "closed_at": None, **running(r.event)}
        ),
        AnswerReleased: _plain(lambda r: {"released": True, "released_at": r.at}),
        NoticeAccepted: _plain(_notice),
        AnswerPublished: _plain(lambda r: {"decided": True, "published_at": r.at, **running(r.event)}),
        AnswerWithheld: _plain(lambda r: {"decided": True, **running(r.event)}),
        InformationAdded: _plain(_to_scan),
        AnswerRated: _plain(lambda r: {"rating": r.event.score}),
        QuestionAssigned: _plain(lambda r: {"assignee": r.event.to}),
        QuestionReopened: _plain(_reopened),
        QuestionClockMoved: _plain(_moved),
        QuestionClosed: _plain(
            lambda r: {"status": Status.CLOSED, "outcome": r.event.outcome, "closed_at": r.at, **STILL}
        ),
        AskerDisclosed: _plain(lambda r: {f"shown.{mark_of(r.by)}": r.at}),
        AskerErased: _plain(
            lambda r: {"subject": ERASED, "asker": ERASED, "province": "", "code_mark": "", "asker_mark": "",
                       "terms": codes.words([number_letters(r.event.question_id).lower()]), "erased": True,
                       "forgotten": False}
        ),
    }  # fmt: skip


def projections(codes: Codes) -> tuple[Projection, ...]:
    """``codes`` derives the marks that a tracking code, a word and an address are found by."""
    unit = _plain(lambda r: {"unit": r.event.unit})
    return (
        Projection(QUESTIONS, "question", _question_columns(codes), hints=SCAN_HINTS | {"forgotten"}),
        Projection(
            ANSWERS, "question",
            {AnswerPublished: _published, QuestionAnswered: unit, AnswerCorrected: unit,
             AnswerWithheld: _plain(lambda _: TAKEN_DOWN)},
        ),
    )  # fmt: skip
