"""A question that its asker mails: the receipt is in the acknowledgement, and an answer to that letter adds
to the question."""

import re
from datetime import datetime
from typing import Any, Final

from deploy.demo.edges import Answer, DayStopped, Edges, eventually
from deploy.demo.script import Question
from shared.calendar import VIETNAM

MAILBOX: Final = "hoi@bhxh.example.vn"
NUMBER: Final = re.compile(r"HD-\d{4}-\d{2}-[0-9A-Z]{7}\b")
CODE: Final = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}-[0-9A-Z]{6}\b")


def ask(edges: Edges, question: Question, today: datetime, sorts: str) -> dict[str, Any]:
    """``id``, ``number``, ``tracking_code``. ``sorts``: who sees the queue."""
    once = f"{today:%Y%m%d}"
    _send(edges, question, MAILBOX, question.subject, question.text, once=once)

    def acknowledged() -> dict[str, Any] | None:
        mails = edges.get("mail", "/mails.json", to=question.asker.email).body
        todays = [each for each in mails if _day(each["received_at"]) == _day(today.isoformat())]
        return next((each for each in todays if CODE.search(each["text"])), None)

    letter = eventually(f"thư xác nhận cho {question.asker.email}", acknowledged)
    number, code = NUMBER.search(letter["text"]), CODE.search(letter["text"])
    if number is None or code is None:
        raise DayStopped(f"thư xác nhận cho {question.asker.email} không có số tiếp nhận")

    def listed() -> dict[str, Any] | None:
        found = edges.get("qa", "/v1/questions", sorts, q=number[0]).body.get("items", [])
        return next((each for each in found if each["number"] == number[0]), None)

    id = eventually(f"câu {number[0]} trong hàng chờ", listed)["id"]
    if question.adds:
        subject, where = f"Re: {letter['subject']}", letter["headers"]["Reply-To"]
        _send(edges, question, where, subject, question.adds, once=once, answers=letter["message_id"])
    return {"id": id, "number": number[0], "tracking_code": code[0]}


def _send(
    edges: Edges, question: Question, to: str, subject: str, text: str, *, once: str, answers: str = ""
) -> None:
    asker = question.asker
    body = {"name": asker.name, "sender": asker.email, "to": to, "subject": subject, "text": text}
    body |= {"answers": answers, "once": once}
    sent: Answer = edges.post("mail", "/outgoing", body, f"thu-{question.key}")
    if sent.status != 200:
        raise DayStopped(f"thư của {asker.name}: {sent.status} {sent.body}")


def _day(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(VIETNAM).date().isoformat()
