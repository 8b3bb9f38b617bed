"""The verdict on a rush of questions: right evidence passes, and each way of bending it is found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oracle.evidence import Evidence
from oracle.points import ALL
from oracle.spike_judge import (
    Asked,
    accepted_at,
    clocks,
    figures,
    first_day,
    is_slow,
    letters,
    refusal_waits,
    walked,
)
from services.notifier.domain import deadline_id, notice_id
from services.qa import domain
from services.qa.domain import Question
from services.qa.regulation import Policy
from shared.calendar import CALENDAR
from shared.contracts.base import Event
from shared.contracts.notifier import Delivery, NoticeFailed, NoticeRequested
from shared.contracts.qa import QuestionReceived
from shared.journal import Commit, Head, Stored
from shared.testing import local
from tests.qa.world import LETTER, Rules

AT = local("2026-11-22T23:50")  # a Sunday evening: counts as Monday; Tuesday is a holiday
DECIDED = local("2026-11-23T09:00")


@dataclass
class Seen:
    """What the client and the mail server have, beside what the servers left."""

    asked: list[Asked]
    found: Evidence
    accepted: dict[str, list[float]] = field(default_factory=dict)

    def findings(self) -> set[str]:
        findings = [*letters(self.asked, self.found), *clocks(self.asked, self.found)]
        return {f"{finding.kind} {finding.check}" for finding in findings}

    def change(self, name: str, **facts: Any) -> None:
        """Bends the first event of this name on qa's record."""
        for place, commit in enumerate(self.found.journals["qa"]):
            for stored in commit.events:
                if stored.name == name:
                    (recorded,) = commit.recorded("qa")
                    bent = recorded.event.model_copy(update=facts)
                    self.found.journals["qa"][place] = commit._replace(events=(Stored.of(bent),))
                    return


def commits(stream: str, *events: tuple[Event, datetime]) -> list[Commit]:
    found, head = [], Head()
    for n, (event, at) in enumerate(events):
        made = Commit(f"{stream}:{n}", stream, 0, (Stored.of(event),), at, "x", "life", "").sealed(head)
        found.append(made)
        head = made.head
    return found


def letter(kind: str, stream: str) -> list[Commit]:
    id = notice_id(kind, stream, "asker", 1)
    asked = NoticeRequested(
        notice_id=id, kind=kind, subject=stream, source="qa", recipient="asker", statutory=True,
        message_id=f"<{kind}@x>",
    )  # fmt: skip
    return commits(f"notice-{id}", (asked, AT))


@pytest.fixture
def seen() -> Seen:
    """One question, acknowledged on a Sunday and refused on the Monday."""
    id, rules = domain.codes.question_id_of("one", date(2026, 11, 22)), Rules()
    cmd = domain.ReceiveQuestion("one", LETTER)
    question, received = domain.receive(
        id, cmd, "ref", "hash", at=AT, calendar=CALENDAR, policy=Policy()
    )  # fmt: skip
    _, refused = rules.refuse(question, "2026-11-23T09:00")
    stream, found = Question.stream_of(id), Evidence(journals={name: [] for name in ALL})
    found.journals["qa"] = commits(stream, *((e, AT) for e in received), *((e, DECIDED) for e in refused))
    found.journals["notifier"] = [*letter("acknowledgement", stream), *letter("refusal", stream)]
    found.mails = ["<acknowledgement@x>", "<refusal@x>"]
    for event in (*received, *refused):
        for clock in getattr(event, "opens", ()):
            found.deadlines[str(deadline_id(stream, clock.name))] = {"due_at": clock.due_at}
    asked = Asked(0, AT.timestamp() - 0.1, AT.timestamp() + 0.1, str(id))
    accepted = {"<refusal@x>": [DECIDED.timestamp() + 0.25]}
    return Seen([asked], found, accepted)


def test_what_is_right_passes(seen: Seen) -> None:
    assert seen.findings() == set()


def test_the_days_are_walked_one_by_one() -> None:
    """A Sunday counts as the Monday; Tuesday 24 is a holiday: five working days end on 1 December."""
    assert first_day(AT) == date(2026, 11, 23)
    assert walked(AT, 5) == local("2026-12-01T00:00") + timedelta(days=1)
    assert walked(local("2025-04-25T09:00"), 1) == local("2025-04-27T00:00")  # a worked Saturday
    assert walked(DECIDED, 0) == local("2026-11-24T00:00")


def unlike(clock: Any, **facts: Any) -> tuple[Any, ...]:
    return (clock.model_copy(update=facts),)


def triage(seen: Seen) -> Any:
    (recorded,) = seen.found.journals["qa"][0].recorded("qa")
    assert isinstance(recorded.event, QuestionReceived)
    return recorded.event.opens[0]


def a_day_late(seen: Seen) -> None:
    clock = triage(seen)
    seen.change("qa.question.received", opens=unlike(clock, due_at=clock.due_at + timedelta(days=1)))


def warned_late(seen: Seen) -> None:
    clock = triage(seen)
    seen.change("qa.question.received", opens=unlike(clock, warn_at=clock.due_at))


def moved_in_the_register(seen: Seen) -> None:
    for row in seen.found.deadlines.values():
        row["due_at"] += timedelta(hours=1)


BENT: dict[str, tuple[Callable[[Seen], object], str]] = {
    "never acknowledged": (lambda s: setattr(s.asked[0], "id", ""), "stuck questions"),
    "acknowledged and not on record": (lambda s: s.found.journals["qa"].clear(), "lost questions"),
    "two questions under one id": (lambda s: s.asked.append(s.asked[0]), "doubled questions"),
    "no letter came": (lambda s: s.found.mails.clear(), "lost letters"),
    "nobody asked for its letter": (lambda s: s.found.journals["notifier"].clear(), "lost letters"),
    "its letter came twice": (lambda s: s.found.mails.append("<acknowledgement@x>"), "doubled letters"),
    "a term that is a day too long": (a_day_late, "wrong clocks"),
    "a warning on the last day": (warned_late, "wrong clocks"),
    "no clock at all": (lambda s: s.change("qa.question.received", opens=()), "wrong clocks"),
    "counted from the Sunday": (
        lambda s: s.change("qa.question.received", counted_from=date(2026, 11, 22)), "wrong clocks",
    ),
    "received an hour before it was sent": (
        lambda s: setattr(s.asked[0], "sent_at", AT.timestamp() + 3600), "wrong clocks",
    ),
    "another term in the register": (moved_in_the_register, "wrong clocks"),
    "no term in the register": (lambda s: s.found.deadlines.clear(), "wrong clocks"),
    "refused without the same day's clock": (
        lambda s: s.change("qa.question.refused", opens=()), "wrong clocks",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BENT)
def test_each_way_of_bending_it_is_found(what: str, seen: Seen) -> None:
    bend, kind = BENT[what]
    bend(seen)
    assert kind in seen.findings()


def test_a_letter_in_doubt_may_come_twice(seen: Seen) -> None:
    id = notice_id("acknowledgement", seen.found.journals["qa"][0].stream, "asker", 1)
    doubt = NoticeFailed(
        notice_id=id, kind="acknowledgement", subject="", attempt=1, outcome=Delivery.UNCERTAIN, reason="?"
    )
    seen.found.journals["notifier"] += commits(f"notice-{id}-doubt", (doubt, AT))
    seen.found.mails.append("<acknowledgement@x>")
    assert seen.findings() == set()


def test_a_refusal_is_timed_from_its_record_to_the_first_acceptance_of_its_letter(seen: Seen) -> None:
    stream = seen.found.journals["qa"][0].stream
    seen.accepted["<refusal@x>"].append(DECIDED.timestamp() + 9)
    assert refusal_waits(seen.found, seen.accepted, {stream}) == [pytest.approx(0.25)]
    assert refusal_waits(seen.found, seen.accepted, set()) == []


@pytest.mark.parametrize(
    ("slowest", "pace", "found"),
    [
        pytest.param(1.0, 2000, set(), id="within a second"),
        pytest.param(1.2, 2000, {"refusals"}, id="two in a hundred are later"),
        pytest.param(1.0, 1500, {"pace"}, id="fewer were asked than promised"),
    ],
)
def test_the_large_run_is_judged_by_its_pace_and_by_its_slowest_refusals(
    slowest: float, pace: int, found: set[str]
) -> None:
    asked = [Asked(n, n * 60 / pace, n * 60 / pace + 0.01, "id") for n in range(100)]
    told = figures(asked, ["qa-2"], [], [], [0.1] * 98 + [slowest] * 2)
    assert {finding.check for finding in is_slow(told, 2000)} == found
    assert (told["refusal_p50_ms"], told["answer_p99_ms"], told["kills"]) == (100, 10, 1)


def test_mails_are_timed_by_the_server_that_took_them(tmp_path: Path) -> None:
    head = b"X-Envelope-To: a@x\r\nX-Received-At: 2026-11-23T02:00:00.250000+00:00\r\n"
    (tmp_path / "1.eml").write_bytes(head + b"Message-ID: <1@x>\r\n\r\nwords")
    (tmp_path / "2.eml").write_bytes(head + b"message-id: <1@x>\r\n\r\nwords")
    at = datetime(2026, 11, 23, 2, 0, 0, 250_000, tzinfo=UTC).timestamp()
    assert accepted_at(tmp_path) == {"<1@x>": [at, at]}
