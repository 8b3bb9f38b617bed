"""Everything due at one instant while everything falls: the small storm on real parts, and its verdict shown
to fail on bent evidence."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local.kafka import REPO
from oracle import effects_staff, storm
from oracle.evidence import Evidence
from oracle.points import ALL
from oracle.storm_judge import judge, message_ids, stages_due, unfallen
from services.notifier.domain import deadline_id, notice_id
from shared.contracts.base import Event
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMoved,
    DeadlineOpened,
    Delivery,
    Level,
    NoticeFailed,
    NoticeRequested,
    NoticeSent,
)
from shared.journal import Commit, Head, Stored

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
CLOCK = storm.term(NOW)
SUBJECT = "question-1"
DEADLINE = deadline_id(SUBJECT, CLOCK.name)
STREAM = f"deadline-{DEADLINE}"


def commits(stream: str, *events: Event) -> list[Commit]:
    found, head = [], Head()
    for n, event in enumerate(events):
        made = Commit(
            f"{stream}:{n}", stream, 0, (Stored.of(event),), NOW, "system", "life", ""
        ).sealed(head)  # fmt: skip
        found.append(made)
        head = made.head
    return found


FACTS = {"deadline_id": DEADLINE, "subject": SUBJECT, "duty": "same_day_notice", "due_at": NOW, "unit": "tt"}
OPENED = DeadlineOpened(deadline_id=DEADLINE, subject=SUBJECT, source="qa", clock=CLOCK)
BREACHED = DeadlineBreached(**FACTS)
ESCALATED = DeadlineEscalated(**FACTS, level=Level.CENTRE, planned_at=NOW)


def notice(kind: str, about: str, recipient: str) -> tuple[UUID, list[Event]]:
    id = notice_id(kind, about, recipient, 1)
    asked = NoticeRequested(
        notice_id=id, kind=kind, subject=SUBJECT, source="notifier", recipient=recipient, statutory=False,
        message_id=f"<{id}@x>", about=about,
    )  # fmt: skip
    sent = NoticeSent(
        notice_id=id, kind=kind, subject=SUBJECT, recipient=recipient, attempt=1, message_id=f"<{id}@x>",
        accepted_at=NOW, reply="250",
    )  # fmt: skip
    return id, [asked, sent]


def evidence(*fired: Event, mails: int = 1) -> Evidence:
    """One deadline, its two stages, a notice for each, a mail for each."""
    stages = fired or (BREACHED, ESCALATED)
    found = Evidence(journals={name: [] for name in ALL}, graves={name: [] for name in ALL})
    found.journals["notifier"] = commits(STREAM, OPENED, *stages)
    for version, (event, recipient) in enumerate(zip(stages, ("unit:tt", "centre:tt"), strict=False), 2):
        kind = "breach" if isinstance(event, DeadlineBreached) else "escalation"
        id, events = notice(kind, f"notifier:{STREAM}:{version}:0", recipient)
        found.journals["notifier"] += commits(f"notice-{id}", *events)
        found.mails += mails * [f"<{id}@x>"]
    return found


def kinds(found: Evidence) -> set[str]:
    return {f"{finding.kind} {finding.check}" for finding in judge(found, ["breached", "centre"], 1)[0]}


def test_a_term_of_the_same_day_has_two_stages_at_its_due_instant_and_no_reminder_before() -> None:
    assert stages_due(CLOCK) == ["breached", "centre"]


def test_what_is_right_passes_with_its_figures() -> None:
    findings, figures = judge(evidence(), ["breached", "centre"], 1)
    assert findings == []
    assert figures == {"firings": 2, "notices": 2, "mails": 2, "uncertain": 0, "twice": 0}


def unfired(found: Evidence) -> None:
    found.journals["notifier"] = [
        c for c in found.journals["notifier"] if "escalated" not in c.events[0].name
    ]


def fired_again(found: Evidence) -> None:
    found.journals["notifier"] += commits(f"{STREAM}", BREACHED)


def untold(found: Evidence) -> None:
    kept = [c for c in found.journals["notifier"] if not c.stream.startswith("notice-")]
    found.journals["notifier"], found.mails = kept, []


def unsent(found: Evidence) -> None:
    found.journals["notifier"] = [
        c for c in found.journals["notifier"] if "notice.sent" not in c.events[0].name
    ]


BENT: dict[str, tuple[Callable[[Evidence], None], str]] = {
    "a stage that did not fire": (unfired, "lost firings"),
    "a stage that fired twice": (fired_again, "doubled firings"),
    "a firing that nobody is told of": (untold, "lost notices"),
    "a mail that no server has accepted": (unsent, "stuck mails"),
    "a mail that never arrived": (lambda e: e.mails.clear(), "lost mails"),
    "a mail that came twice without a doubt": (lambda e: e.mails.append(e.mails[0]), "doubled mails"),
    "a mail of nobody": (lambda e: e.mails.append("<x@x>"), "doubled mails"),
    "a dead letter": (lambda e: e.graves["qa"].append({"event": "e", "reason": "r"}), "stuck dead letters"),
}  # fmt: skip


@pytest.mark.parametrize("what", BENT)
def test_each_way_of_bending_it_is_found(what: str) -> None:
    bend, kind = BENT[what]
    found = evidence()
    bend(found)
    assert kind in kinds(found)


def test_a_mail_in_doubt_may_come_twice_and_is_listed() -> None:
    found = evidence()
    id = UUID(found.mails[0].strip("<>").partition("@")[0])
    doubt = NoticeFailed(
        notice_id=id, kind="breach", subject=SUBJECT, attempt=1, outcome=Delivery.UNCERTAIN, reason="?"
    )
    found.journals["notifier"] += commits(f"notice-{id}-doubt", doubt)
    found.mails.append(found.mails[0])
    findings, figures = judge(found, ["breached", "centre"], 1)
    assert (findings, figures["uncertain"], figures["twice"]) == ([], 1, 1)


def test_the_oracle_finds_a_stage_that_fires_again_unless_a_move_has_armed_it() -> None:
    again = [f.check for f in effects_staff.stages(evidence(BREACHED, BREACHED))]
    assert again == ["stages"]
    later = CLOCK.model_copy(update={"due_at": NOW + timedelta(days=1), "calendar_version": "2026-12-01"})
    moved = DeadlineMoved(
        deadline_id=DEADLINE, subject=SUBJECT, source="qa", duty="same_day_notice", from_due_at=NOW,
        from_calendar=CLOCK.calendar_version, clock=later, document="CV 1",
    )  # fmt: skip
    assert list(effects_staff.stages(evidence(BREACHED, moved, BREACHED))) == []
    assert [f.check for f in effects_staff.stages(evidence(moved, moved))] == ["moves"]


def test_the_oracle_finds_a_notice_without_a_reason_and_a_reason_without_a_notice() -> None:
    assert list(effects_staff.staff_notices(evidence())) == []
    found = evidence()
    untold(found)
    assert {f.kind for f in effects_staff.staff_notices(found)} == {"lost"}
    id, events = notice("breach", "notifier:deadline-x:2:0", "unit:tt")
    odd = evidence()
    odd.journals["notifier"] += commits(f"notice-{id}", *events)
    assert [f.kind for f in effects_staff.staff_notices(odd)] == ["doubled"]


def test_mails_are_known_by_their_message_ids_wherever_the_header_stands(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(b"X-Envelope-To: a@x\r\nmessage-id: <1@x>\r\n\r\nMessage-ID: <no@x>")
    (tmp_path / "2.eml").write_bytes(b"Subject: none\r\n\r\nwords")
    assert sorted(message_ids(tmp_path)) == ["2.eml without a Message-ID", "<1@x>"]


class Calm:
    """Nobody passes an armed point, and all the mail is out before anything could fall."""

    def __init__(self, folder: Path, *, accepted: int) -> None:
        self.armed, self.told, self._accepted = folder, list[str](), accepted
        self.databases = {"notifier": self}
        self.journal = self

    def tell(self, what: str) -> None:
        self.told.append(what)

    def kill(self, who: str, seconds: float) -> None:
        """It falls."""

    async def accepted(self) -> int:
        return self._accepted

    async def estimated_document_count(self) -> int:
        return 0


async def test_what_did_not_fall_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm, "PATIENCE", 0.9)
    falls = (
        storm.Fall(-1.0, "notifier", "fire.sent"), storm.Fall(0.1, "mongod", "kill"),
        storm.Fall(0.6, "kafka", "kill"),
    )  # fmt: skip
    monkeypatch.setattr(storm, "FALLS", falls)
    calm: Any = Calm(tmp_path, accepted=5)
    missed = await storm._falls(calm, calm, CLOCK, 10)
    assert calm.told == ["mongod.kill"]
    assert missed == ["kafka.kill", "notifier.fire.sent"]
    assert [f.what for f in unfallen(missed)] == ["kafka.kill never fell"]


@pytest.mark.connected
@pytest.mark.timeout(360)
def test_hundreds_of_deadlines_fall_due_at_once_while_everything_falls(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "oracle.storm", "--deadlines", "300", "--data", str(tmp_path)],
        cwd=REPO, capture_output=True, text=True, timeout=330, check=False,
    )  # fmt: skip
    told = run.stdout[-6000:] + run.stderr[-2000:]
    assert run.returncode == 0, told
    figures = dict(pair.split("=") for pair in run.stdout.strip().splitlines()[-1].split()[1:])
    assert (figures["firings"], figures["notices"], figures["mails"]) == ("600", "600", "600"), told
    assert int(figures["falls"]) >= len(storm.FALLS) - 2, told
