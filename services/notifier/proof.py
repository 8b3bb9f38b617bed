"""A notice's proof (bằng chứng): each attempt with the mail server's words, what came back, and who did what
about it, as the journal has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.notifier import (
    Delivery,
    NoticeBounced,
    NoticeFailed,
    NoticeReachedOtherwise,
    NoticeRetryAsked,
    NoticeSending,
    NoticeSent,
)
from shared.journal import Commit


@dataclass(slots=True)
class Attempt:
    """One dialogue with a mail server. ``outcome`` is ``accepted``, a Delivery, or empty while it goes on;
    times are UTC."""

    number: int
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""
    words: str = ""
    retry_at: datetime | None = None
    signed_by: str = ""
    relay: str = ""  # the mail server that took it
    bounced_at: datetime | None = None
    bounce: str = ""  # status and words


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person did: ``who`` is their id."""

    at: datetime
    who: str
    event: NoticeRetryAsked | NoticeReachedOtherwise


@dataclass(frozen=True, slots=True)
class Proof:
    attempts: list[Attempt]
    deeds: list[Deed]


def returned_words(event: NoticeBounced) -> str:
    """The server's words, which mostly hold the status."""
    return event.reason if event.status in event.reason else f"{event.status} {event.reason}".strip()


def proof_of(commits: Sequence[Commit], source: str) -> Proof:
    """In order of time."""
    attempts: dict[int, Attempt] = {}
    deeds: list[Deed] = []
    for recorded in (r for commit in commits for r in commit.recorded(source)):
        match event := recorded.event:
            case NoticeSending():
                attempts[event.attempt] = Attempt(event.attempt, recorded.at)
            case NoticeSent() if event.attempt in attempts:
                attempt = attempts[event.attempt]
                attempt.ended_at, attempt.outcome = event.accepted_at, "accepted"
                attempt.words, attempt.retry_at = event.reply, None
                attempt.signed_by, attempt.relay = event.signed_by, event.relay
            case NoticeFailed() if event.attempt in attempts:
                attempt = attempts[event.attempt]
                attempt.ended_at, attempt.outcome = recorded.at, Delivery(event.outcome).value
                attempt.words, attempt.retry_at = event.reason, event.retry_at
            case NoticeBounced() if event.attempt in attempts:
                attempt = attempts[event.attempt]
                attempt.bounced_at, attempt.bounce = event.bounced_at, returned_words(event)
            case NoticeRetryAsked() | NoticeReachedOtherwise():
                deeds.append(Deed(recorded.at, recorded.by, event))
            case _:
                pass
    return Proof(list(attempts.values()), deeds)
