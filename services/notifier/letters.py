"""From what the owner of the words hands out to a mail in plain Vietnamese: what, why, by when, by which
clause, and what to do next."""

from datetime import datetime
from typing import Any, Final

from services.notifier.gateways import Mail
from services.notifier.regulation import CITED, NOTICE_KINDS
from shared.web.look import Look

VERSION: Final = "v1"
SUBJECTS: Final = {
    "acknowledgement": "Đã nhận câu hỏi {number}",
    "refusal": "Về câu hỏi {number}: thông báo không thụ lý",
    "progress": "Câu hỏi {number}: quá trình xử lý và thời hạn trả lời",
    "answer": "Trả lời câu hỏi {number}",
}


def mail_for(
    look: Look, kind: str, letter: dict[str, Any], *, message_id: str, number: int, at: datetime
) -> Mail:
    """``number`` counts the tries: a repetition says that it may have come before."""
    context = {"letter": letter, "kind": NOTICE_KINDS.get(kind, kind), "cited": CITED, "again": number > 1}
    return Mail(
        to=str(letter["email"]),
        subject=SUBJECTS[kind].format(number=letter["number"]),
        text=look.render(f"mail/{kind}.{VERSION}.txt", **context),
        html=look.render(f"mail/{kind}.{VERSION}.html", **context),
        message_id=message_id,
        at=at,
    )
