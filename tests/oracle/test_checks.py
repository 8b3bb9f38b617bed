"""Every check of the oracle can fail: evidence that is right passes, and each way of bending it is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from oracle import checks, effects, effects_staff
from oracle.client import Command
from oracle.evidence import Evidence, Holders, Seen, on_topic
from oracle.findings import Finding
from oracle.plan import small
from oracle.points import ALL, POINTS, Passer, arm, disarm_all
from services.notifier.domain import deadline_id, notice_id
from shared.chain import Report
from shared.contracts.base import Clock, Event
from shared.contracts.notifier import (
    DeadlineOpened,
    Delivery,
    NoticeFailed,
    NoticeRequested,
    NoticeSending,
    NoticeSent,
)
from shared.contracts.qa import (
    AnswerReleased,
    AnswerSentBack,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
)
from shared.journal import Commit, Head, Stored

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
QUESTION = UUID(int=1)
STREAM = f"question-{QUESTION}"
NOTICE = notice_id("acknowledgement", STREAM, "asker", 1)
MAIL = f"<{NOTICE}@x>"
CLOCK = Clock(
    name="triage", duty="triage", basis="dieu-11#hoi-dap-1", owner_unit="tt", started_at=NOW, start_reason="",
    due_at=NOW + timedelta(days=3650), calendar_version="1", explanation_vi="", explanation_en="",
)  # fmt: skip


def commits(stream: str, *events: Event, key: str = "", by: str = "system") -> list[Commit]:
    found, head = [], Head()
    for n, event in enumerate(events):
        made = Commit(
            key if key and not n else f"{stream}:{n}", stream, 0, (Stored.of(event),), NOW, by, "life0001", ""
        ).sealed(head)  # fmt: skip
        found.append(made)
        head = made.head
    return found


def evidence() -> Evidence:
    received = QuestionReceived(
        question_id=QUESTION, number="HD-1", channel="portal", letter_ref="letter", letter_hash="h",
        received_at=NOW, counted_from=date(2026, 11, 23), opens=(CLOCK,),
    )  # fmt: skip
    accepted = NoticeAccepted(
        question_id=QUESTION,
        kind=NoticeKind.ACKNOWLEDGEMENT,
        notice_id=NOTICE,
        message_id=MAIL,
        accepted_at=NOW,
    )
    asked = NoticeRequested(
        notice_id=NOTICE, kind="acknowledgement", subject=STREAM, source="qa", recipient="asker",
        statutory=False, message_id=MAIL,
    )  # fmt: skip
    begun = NoticeSending(notice_id=NOTICE, attempt=1)
    sent = NoticeSent(
        notice_id=NOTICE, kind="acknowledgement", subject=STREAM, recipient="asker", attempt=1,
        message_id=MAIL, accepted_at=NOW, reply="250",
    )  # fmt: skip
    id = deadline_id(STREAM, "triage")
    opened = DeadlineOpened(deadline_id=id, subject=STREAM, source="qa", clock=CLOCK)
    found = Evidence(
        journals={name: [] for name in ALL}, words={name: {} for name in ALL},
        graves={name: [] for name in ALL}, chains={name: Report() for name in ALL}, mails=[MAIL],
        deadlines={str(id): {"status": "open", "late": False}},
        holders=Holders({name: [(NOW - timedelta(minutes=1), 1)] for name in ALL}),
        shelves={name: {} for name in ("bhxh-ha-noi", "bhxh-quang-ngai", "bo-noi-vu")},
    )  # fmt: skip
    found.words["qa"] = {"letter": "h"}
    found.journals["qa"] = commits(STREAM, received, accepted, key="anonymous:k1", by="anonymous")
    found.journals["qa"][1] = found.journals["qa"][1]._replace(by="system")
    found.journals["notifier"] = [
        *commits(f"notice-{NOTICE}", asked, begun, sent), *commits(f"deadline-{id}", opened)
    ]  # fmt: skip
    for name in ALL:
        for commit in found.journals[name]:
            for event_id, topic, event, index, data in on_topic(commit, name):
                found.topics.append(
                    Seen(topic, 0, len(found.topics), commit.stream, event_id, event, commit.version, index,
                         data.encode(), 0.0)
                )  # fmt: skip
    return found


def ledger() -> list[Command]:
    return [
        Command("k1", "life0001", "ask", "qa", "POST", "/v1/questions", {}, status=201, tag='"1"'),
    ]


def judged(found: Evidence, said: list[Command]) -> list[Finding]:
    return [
        *checks.commands(said, found), *checks.journals(found), *checks.topics(found),
        *checks.read_models(found), *effects.notices(found), *effects.deadlines(found),
        *effects.portals(found), *effects.dead_letters([], found),
    ]  # fmt: skip


def test_what_is_right_passes() -> None:
    assert judged(evidence(), ledger()) == []


def in_doubt(found: Evidence) -> None:
    """A second copy is allowed when an attempt was in doubt, and not before."""
    found.mails.append(MAIL)


def swap(found: Evidence) -> None:
    one, two = found.topics[0], found.topics[1]
    found.topics[:2] = [replace(two, offset=one.offset), replace(one, offset=two.offset)]


def forget(found: Evidence, name: str) -> None:
    found.journals["notifier"] = [c for c in found.journals["notifier"] if c.events[0].name != name]


BENT: dict[str, tuple[str, str, Callable[[Evidence], object]]] = {
    "an acknowledged command without a commit": ("lost", "commands", lambda f: f.journals["qa"].clear()),
    "an event that is on no topic": ("lost", "topics", lambda f: f.topics.pop()),
    "other bytes than the journal's": (
        "lost", "topics", lambda f: f.topics.append(replace(f.topics.pop(), value=b"{}")),
    ),
    "an event that nobody decided": (
        "doubled", "topics", lambda f: f.topics.append(replace(f.topics[0], id="qa:x:1:0", offset=99)),
    ),
    "two relays at once": ("doubled", "topics", lambda f: f.topics.append(replace(f.topics[0], offset=99))),
    "a key whose second event comes first": ("reordered", "topics", swap),
    "a stream without its first commit": ("lost", "journal", lambda f: f.journals["notifier"].pop(0)),
    "a broken chain": ("lost", "chain", lambda f: f.chains["qa"].add(STREAM, 1, "edited", "")),
    "words that are not there": ("lost", "words", lambda f: f.words["qa"].clear()),
    "a write without the majority": ("lost", "majority", lambda f: f.concerns.append("{w: 1}")),
    "a read model unlike its rebuild": (
        "lost", "read models", lambda f: f.differing.update({"qa.questions": ["x: status"]}),
    ),
    "a question whose asker was never to be told": (
        "lost", "notices", lambda f: forget(f, "notifier.notice.requested"),
    ),
    "a mail that never arrived": ("lost", "mails", lambda f: f.mails.clear()),
    "a second copy without a doubt": ("doubled", "mails", in_doubt),
    "a mail of nobody's": ("doubled", "mails", lambda f: f.mails.append("<other@x>")),
    "a notice that was never accepted": ("stuck", "mails", lambda f: forget(f, "notifier.notice.sent")),
    "a mail that went out without a record of it": (
        "lost", "mails", lambda f: forget(f, "notifier.notice.sending"),
    ),
    "a deadline that was never opened": ("lost", "deadlines", lambda f: f.deadlines.clear()),
    "a deadline met by nobody": (
        "lost", "deadlines", lambda f: next(iter(f.deadlines.values())).update(status="met"),
    ),
    "an event of ours among the dead letters": (
        "stuck", "dead letters",
        lambda f: f.graves["qa"].append(
            {"_id": "1", "topic": "t", "partition": 0, "offset": 1, "error": "ValueError", "event": "e",
             "key": "k", "reason": ""}
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BENT)
def test_each_way_of_bending_it_is_found(name: str) -> None:
    kind, check, bend = BENT[name]
    found = evidence()
    bend(found)
    assert (kind, check) in {(f.kind, f.check) for f in judged(found, ledger())}


def test_a_second_copy_is_allowed_where_an_attempt_was_in_doubt() -> None:
    found = evidence()
    found.mails.append(MAIL)
    doubt = NoticeFailed(
        notice_id=NOTICE,
        kind="acknowledgement",
        subject=STREAM,
        attempt=1,
        outcome=Delivery.UNCERTAIN,
        reason="",
    )
    found.journals["notifier"] += commits(f"notice-{uuid4()}", doubt)
    assert not [f for f in judged(found, ledger()) if f.check == "mails"]


def asked_of(found: Evidence, *events: Event) -> Evidence:
    """These come after what is on the question's record already."""
    known = [recorded.event for c in found.journals["qa"] for recorded in c.recorded("qa")]
    found.journals["qa"] = commits(STREAM, *known, *events, key="anonymous:k1", by="anonymous")
    return found


ANSWERED = QuestionAnswered(
    question_id=QUESTION, unit="tt", answer_ref="letter", answer_hash="h", closes=("triage",)
)
SENT_BACK = AnswerSentBack(
    question_id=QUESTION, unit="tt", reason_ref="letter", reason_hash="h", reopens=(CLOCK,)
)


@pytest.mark.parametrize(
    ("events", "right", "wrong"),
    [((ANSWERED,), "met", "open"), ((ANSWERED, SENT_BACK), "open", "met"),
     ((ANSWERED, SENT_BACK, ANSWERED), "met", "open")],
)  # fmt: skip
def test_what_was_sent_back_is_owed_again_and_a_register_that_missed_it_is_found(
    events: tuple[Event, ...], right: str, wrong: str
) -> None:
    found = asked_of(evidence(), *events)
    (row,) = found.deadlines.values()
    row.update(status=right)
    assert list(effects.deadlines(found)) == []
    row.update(status=wrong)
    assert [f.kind for f in effects.deadlines(found)] == ["lost"]


def test_each_letter_that_a_question_gives_cause_for_is_expected_and_a_parts_acknowledgement_is_not() -> None:
    received = QuestionReceived(
        question_id=QUESTION, number="HD-1-1", channel="split", letter_ref="letter", letter_hash="h",
        received_at=NOW, counted_from=date(2026, 11, 23), part_of=UUID(int=9),
    )  # fmt: skip
    released = [
        AnswerReleased(question_id=QUESTION, answer_ref="a"),
        AnswerReleased(question_id=QUESTION, answer_ref="b", correction=1),
        AnswerReleased(question_id=QUESTION, answer_ref="c"),  # opened again in between
        QuestionMerged(question_id=QUESTION, into=UUID(int=9), into_number="HD-9"),
    ]
    found = evidence()
    found.journals["qa"] = commits(STREAM, received, *released)
    told = [(kind, round) for kind, _, round in effects._letters(found.events("qa"))]
    assert told == [("answer", 1), ("correction", 1), ("answer", 2), ("merged", 1)]


def put_off(*recipients: str) -> Evidence:
    """The third progress notice, and who was told of it above."""
    third = QuestionProgressReported(
        question_id=QUESTION, round=3, words_ref="letter", words_hash="h", promised_for=date(2026, 12, 4),
        escalated=True,
    )  # fmt: skip
    found = asked_of(evidence(), third)
    (cause,) = [r.id for r in found.events("qa") if isinstance(r.event, QuestionProgressReported)]
    for number, recipient in enumerate(recipients):
        asked = NoticeRequested(
            notice_id=UUID(int=100 + number), kind="postponement", subject=STREAM, source="qa",
            recipient=recipient, statutory=False, message_id=f"<{number}@x>", about=cause,
        )  # fmt: skip
        found.journals["notifier"] += commits(f"notice-{asked.notice_id}", asked)
    return found


@pytest.mark.parametrize(
    ("recipients", "kinds"),
    [(("head:tt", "leadership"), []), ((), ["lost"]), (("leadership", "leadership"), ["doubled", "doubled"])],
)
def test_what_is_put_off_too_often_is_told_above_once(recipients: tuple[str, ...], kinds: list[str]) -> None:
    assert [f.kind for f in effects_staff.staff_notices(put_off(*recipients))] == kinds


def test_a_command_that_nobody_answered_is_stuck_and_two_answers_are_one_too_many() -> None:
    said = ledger()
    said[0].status = 0
    said.append(Command("k2", "life0002", "ask", "qa", "POST", "/", {}, status=409, disagreed="1 and then 2"))
    kinds = {(f.kind, f.about) for f in checks.commands(said, evidence())}
    assert {("stuck", "life0001"), ("doubled", "life0002"), ("lost", "life0002")} <= kinds


def test_a_person_on_record_without_a_command_is_found() -> None:
    assert [f.kind for f in checks.commands([], evidence())] == ["doubled"]


def test_the_same_seed_is_the_same_plan_and_every_point_is_in_it() -> None:
    assert small(7) == small(7)
    assert small(7) != small(8)
    assert {f.what for f in small(7).faults if f.kind == "die"} == set(POINTS)


def test_an_armed_point_hits_once_at_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path
    signals: list[int] = []
    monkeypatch.setattr("os.kill", lambda _, number: signals.append(number))
    passer = Passer(folder, folder / "notes", "qa", "qa-2")
    arm(folder, "qa", "journal.after", nth=2)
    for _ in range(3):
        passer("journal.after")
    assert len(signals) == 1
    assert (folder / "notes").read_text().split()[1:] == ["die", "qa-2", "journal.after"]
    arm(folder, "qa", "offset.after")
    assert disarm_all(folder) == ["qa.offset.after"]
