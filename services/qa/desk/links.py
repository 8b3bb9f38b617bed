"""Câu hỏi liên quan và lời nội bộ: the questions that this one is a part of, goes on from or was merged with,
and what staff have written beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.qa.queries import rows
from services.qa.queries.file import File
from services.qa.queries.history import FINDING_VI
from services.qa.regulation import Policy, Status
from shared.contracts.base import Event
from shared.contracts.qa import (
    AdviceGiven,
    AnswerCorrected,
    AnswerSentBack,
    DuplicateTaken,
    InformationAdded,
    NoteTaken,
    QuestionMadeComplex,
    QuestionReceived,
    QuestionReopened,
    QuestionReturned,
    QuestionSetAside,
)
from shared.web.edge import Edge
from shared.workflow import Actor

OUT_OF_REACH: Final = "Câu hỏi ngoài phạm vi của bạn, hoặc đang được lập"


@dataclass(frozen=True, slots=True)
class Link:
    """Another question, and what it is to this one; without ``id`` its page is not for this reader."""

    how: str
    id: str
    number: str
    subject: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote of the question; the asker sees what ``asker`` says and no other."""

    title: str
    who: str
    at: datetime
    words: str
    asker: bool = False


async def links(edge: Edge[Policy], file: File, by: Actor) -> list[Link]:
    question = file.question
    hows: dict[str, str] = {}
    numbers: dict[str, str] = {}
    whole = str(question.part_of) if question.part_of else ""
    if whole:
        hows[whole] = "Là một phần của"
        row = (await rows.some(edge.database, [whole], by)).get(whole, {})
        hows |= {id: "Phần khác" for id in row.get("parts", ()) if id != str(question.id)}
    hows |= {str(id): "Phần đã xong" if over else "Phần" for id, over in question.parts.items()}
    for recorded in file.events:
        match recorded.event:
            case QuestionReceived(resubmits=earlier) if earlier:
                hows[str(earlier)] = "Gửi lại đầy đủ cho"
            case QuestionReceived(follows=earlier) if earlier:
                hows[str(earlier)] = "Hỏi tiếp sau"
            case DuplicateTaken() as taken:
                hows[str(taken.duplicate)] = "Câu trùng đã gộp vào"
                numbers[str(taken.duplicate)] = taken.duplicate_number
    if question.merged_into:
        hows[str(question.merged_into)] = "Đã gộp vào"
    if question.continued:
        resubmitted = question.continued.resubmitted
        hows[str(question.continued.by)] = "Đã gửi lại đầy đủ" if resubmitted else "Người hỏi hỏi tiếp"
        numbers[str(question.continued.by)] = question.continued.by_number
    found = await rows.some(edge.database, list(hows), by)
    return [_link(how, id, found.get(id), numbers.get(id, "")) for id, how in hows.items()]


def _link(how: str, id: str, row: Mapping[str, Any] | None, number: str) -> Link:
    if row is None:
        return Link(how, "", number or OUT_OF_REACH)
    return Link(how, id, row["number"], row["subject"], Status(row["status"]).vi)


def said(file: File, people: Mapping[str, str], units: Mapping[str, str]) -> list[Said]:
    """Newest first."""
    found = []
    for recorded in file.events:
        event = recorded.event
        title = _title(event, units)
        ref = getattr(event, "words_ref", "") or getattr(event, "reason_ref", "")
        words = file.words.get(ref, "")
        if title and words:
            asker = isinstance(event, InformationAdded)
            who = "Người hỏi" if asker else people.get(recorded.by, "")
            found.append(Said(title, who, recorded.at, words, asker))
    return found[::-1]


def _title(event: Event, units: Mapping[str, str]) -> str:  # noqa: PLR0911 (an arm for each event)
    match event:
        case NoteTaken():
            return "Ghi chú nội bộ"
        case InformationAdded():
            return "Người hỏi bổ sung"
        case QuestionReturned():
            return f"{units.get(event.unit, event.unit)} trả lại: {FINDING_VI[event.finding]}"
        case AdviceGiven():
            return f"Ý kiến của {units.get(event.unit, event.unit)}"
        case QuestionMadeComplex():
            return "Vì sao là câu hỏi phức tạp"
        case AnswerSentBack():
            return "Câu trả lời bị trả lại vì"
        case AnswerCorrected():
            return "Đính chính vì"
        case QuestionSetAside():
            return "Vì sao gạt ra"
        case QuestionReopened():
            return "Vì sao mở lại"
        case _:
            return ""
