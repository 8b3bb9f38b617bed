"""Hai người cùng một câu hỏi: what has happened to it since one opened it, and whether that stands in one's
way."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.qa import domain
from services.qa.queries.file import File
from services.qa.queries.history import staff_history
from services.qa.regulation import Policy
from shared.contracts.base import Event, Recorded
from shared.contracts.qa import (
    AnswerRated,
    AskerDisclosed,
    DuplicateTaken,
    FileChecked,
    NoticeAccepted,
    PartOver,
    QuestionAssigned,
    QuestionContinued,
)
from shared.desk import Desk
from shared.web.edge import Edge

# What bears on no decision: nobody's act is refused for it.
QUIET: Final = (
    NoticeAccepted, FileChecked, AskerDisclosed, QuestionAssigned, DuplicateTaken, PartOver, AnswerRated,
    QuestionContinued,
)  # fmt: skip


def loud(recorded: Recorded[Event], by: str) -> bool:
    """What somebody else did and one should know before one acts oneself."""
    return recorded.by != by and not isinstance(recorded.event, QUIET)


async def forgiving(desk: Desk[Policy], question_id: UUID, *, free: bool) -> Desk[Policy]:
    """The desk of a form: it insists on the version that was seen only when something loud came after."""
    seen = desk.expected
    if seen is None or free:
        return replace(desk, expected=None)
    commits = await desk.journal.read(domain.Question.stream_of(question_id))
    later = [r for commit in commits if commit.version > seen for r in commit.recorded(desk.source)]
    if any(loud(recorded, desk.by.subject) for recorded in later):
        return desk
    return replace(desk, expected=commits[-1].version if commits else None)


async def changed_since(edge: Edge[Policy], file: File, seen: int, by: str) -> list[dict[str, Any]]:
    """History lines, newest first, of what others did after the version ``seen``."""
    later = [recorded for recorded in file.events if recorded.version > seen and loud(recorded, by)]
    people = {r.by: await edge.directory.person_name(r.by) for r in later}
    units = {id: str(unit.get("name", id)) for id, unit in (await edge.directory.units()).items()}
    return staff_history(later, units, {**units, **people}, file.letter.email)
