"""The storm's verdict, reckoned from what was due: each stage fired once, each firing told once, each mail
accepted, and a mail that came twice is one whose outcome is on record as uncertain."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from oracle.evidence import Evidence
from oracle.findings import DOUBLED, LOST, STUCK, Finding
from oracle.points import ALL
from services.notifier.regulation_stages import schedule
from shared.calendar import CALENDAR
from shared.contracts.base import Clock
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineOpened,
    DeadlineWarned,
    Delivery,
    NoticeFailed,
    NoticeRequested,
    NoticeSent,
)

MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
HEAD: Final = 16 * 1024


def message_ids(folder: Path) -> list[str]:
    """As often as they came."""
    found = []
    for file in folder.glob("*.eml"):
        with file.open("rb") as mail:
            named = MESSAGE_ID.search(mail.read(HEAD))
        found.append(named[1].decode() if named else f"{file.name} without a Message-ID")
    return found


def stages_due(clock: Clock) -> list[str]:
    """The stages that such a clock fires at its due instant."""
    return [planned.stage.name for planned in schedule(clock, CALENDAR) if planned.at == clock.due_at]


def judge(found: Evidence, expected: Sequence[str], deadlines: int) -> tuple[list[Finding], dict[str, int]]:
    """Findings, and the figures: firings, notices, mails accepted (each counted once), uncertain, twice."""
    ours = found.events("notifier")
    opened = [r.event.deadline_id for r in ours if isinstance(r.event, DeadlineOpened)]
    findings = []
    if len(opened) != deadlines:
        findings.append(Finding(LOST, "storm", f"{len(opened)} of {deadlines} deadlines are on record"))
    fired: dict[str, tuple[Any, str]] = {}
    times: Counter[tuple[Any, str]] = Counter()
    for recorded in ours:
        if stage := _stage(recorded.event):
            fired[recorded.id] = (recorded.event.deadline_id, stage)  # type: ignore[attr-defined]
            times[fired[recorded.id]] += 1
    wanted = {(id, stage) for id in opened for stage in expected}
    findings += [
        Finding(LOST, "firings", f"{stage} of {id} did not fire") for id, stage in wanted - set(times)
    ]
    findings += [Finding(DOUBLED, "firings", f"{one} fired {n} times") for one, n in times.items() if n > 1]
    findings += [Finding(DOUBLED, "firings", f"{one} was not due") for one in set(times) - wanted]
    requested = [r.event for r in ours if isinstance(r.event, NoticeRequested)]
    findings += _told(fired, requested)
    sent = Counter(r.event.notice_id for r in ours if isinstance(r.event, NoticeSent))
    doubts = Counter(
        r.event.notice_id for r in ours
        if isinstance(r.event, NoticeFailed) and r.event.outcome is Delivery.UNCERTAIN
    )  # fmt: skip
    copies = Counter(found.mails)
    for notice in requested:
        came, name = (
            copies.pop(notice.message_id, 0),
            f"{notice.kind} {notice.notice_id} to {notice.recipient}",
        )
        if sent[notice.notice_id] != 1:
            kind = DOUBLED if sent[notice.notice_id] else STUCK
            findings.append(Finding(kind, "mails", f"{name}: {sent[notice.notice_id]} acceptances on record"))
        if not came:
            findings.append(Finding(LOST, "mails", f"{name} never arrived"))
        if came > 1 + doubts[notice.notice_id]:
            findings.append(Finding(DOUBLED, "mails", f"{name} came {came} times without a doubt on record"))
    findings += [Finding(DOUBLED, "mails", f"{one} belongs to no notice") for one in copies]
    for service in ALL:
        findings += [
            Finding(STUCK, "dead letters", f"{service} buried {grave['event']}: {grave['reason']}")
            for grave in found.graves.get(service, ())
        ]
    twice = sum(n > 1 for n in Counter(found.mails).values())
    return findings, {
        "firings": sum(times.values()), "notices": len(requested), "mails": len(set(found.mails)),
        "uncertain": len(doubts), "twice": twice,
    }  # fmt: skip


def unfallen(missed: Sequence[str]) -> list[Finding]:
    """A storm in which a part did not fall has shown nothing about it. An armed point is another matter: its
    replica may not come by it again, and the last line counts it."""
    parts = [what for what in missed if what.count(".") == 1]
    return [Finding(STUCK, "falls", f"{what} never fell") for what in parts]


def _stage(event: Any) -> str:
    match event:
        case DeadlineBreached():
            return "breached"
        case DeadlineEscalated():
            return str(event.level.value)
        case DeadlineWarned():
            return str(event.stage)
        case _:
            return ""


def _told(fired: dict[str, tuple[Any, str]], requested: Sequence[NoticeRequested]) -> list[Finding]:
    """A firing's event is the reason of its notice: each has one."""
    told = Counter(notice.about for notice in requested)
    missing = [Finding(LOST, "notices", f"nobody is told of {fired[id]}") for id in set(fired) - set(told)]
    odd = [Finding(DOUBLED, "notices", f"{about} is told {n} times") for about, n in told.items() if n > 1]
    return (
        missing + odd + [Finding(DOUBLED, "notices", f"{id} is no firing") for id in set(told) - set(fired)]
    )
