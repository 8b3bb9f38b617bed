"""From what the owner of the words hands out to a mail in plain Vietnamese: what, why, by when, by which
clause, and what to do next. Read at the moment of sending, kept nowhere."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.notifier.gateways import Mail
from services.notifier.regulation_clauses import CITED
from shared.web.look import Look
from shared.web.vietnamese import local

VERSION: Final = "v1"
SUBJECTS: Final = {
    "acknowledgement": "Đã nhận câu hỏi {number}",
    "refusal": "Thông báo về câu hỏi {number}",
    "progress": "Câu hỏi {number}: đang xử lý, hẹn trả lời {promised}",
    "answer": "Trả lời câu hỏi {number}",
}


class Letter(BaseModel):
    """What the qa service hands out for one letter; each kind fills its own part."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    email: str
    name: str
    number: str
    subject: str
    tracking_code: str
    tracking_url: str
    received_at: AwareDatetime
    counted_from: date
    triage_due: AwareDatetime
    # refusal
    ground: str = ""
    ground_vi: str = ""
    explanation: str = ""
    referral: str | None = None
    agency: str = ""
    reference: str = ""
    transferred_on: date | None = None
    notice_due: date | None = None
    ask_url: str = ""
    # progress
    words: str = ""
    promised_for: date | None = None
    unit_name: str = ""
    # answer
    answer: str = ""

    @property
    def triage_last_day(self) -> datetime:
        return self.triage_due - timedelta(microseconds=1)


def mail_for(look: Look, kind: str, facts: dict[str, Any], *, message_id: str, at: datetime) -> Mail:
    letter = Letter.model_validate(facts)
    late = letter.notice_due is not None and local(at).date() > letter.notice_due
    promised = f"{letter.promised_for:%d/%m/%Y}" if letter.promised_for else ""
    return Mail(
        to=letter.email,
        subject=SUBJECTS[kind].format(number=letter.number, promised=promised),
        text=look.render(f"mail/{kind}.{VERSION}.txt", letter=letter, late=late, cited=CITED).strip() + "\n",
        html=look.render(f"mail/{kind}.{VERSION}.html", letter=letter, late=late, cited=CITED),
        message_id=message_id,
        at=at,
    )
