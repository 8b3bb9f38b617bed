"""From what the owner of the words hands out to a mail to the asker: what, why, by when, by which clause, and
what to do next. Read at the moment of sending, kept nowhere."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from services.notifier.gateways import Mail
from services.notifier.letters.wording import SUBJECTS, Language, spoken
from shared.web.look import Look
from shared.web.vietnamese import local

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class LetterIncomplete(Exception):
    """What was handed out would leave a hole in the letter. Names the fields, never what they hold."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(f"thiếu hoặc sai: {', '.join(sorted(set(fields)))}")
        self.fields = fields


class Letter(BaseModel):
    """What the qa service hands out for one letter; each kind adds its own part."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    email: str
    name: Said
    number: Said
    subject: Said
    tracking_url: Said
    received_at: AwareDatetime
    language: Language = "vi"
    reply_to: str = ""  # where an answer to this letter reaches its question; empty: nowhere
    # Of a part of a question that was split: which one, and the number and code by which its asker knows it.
    part: int = 0
    parts: int = 0
    whole_number: str = ""
    tracking_code: str = ""

    @model_validator(mode="after")
    def _of_a_part_names_the_whole(self) -> Self:
        if self.part and not (self.parts and self.whole_number and self.tracking_code):
            raise ValueError("whole_number")
        return self


class Acknowledgement(Letter):
    tracking_code: Said
    counted_from: date
    triage_due: AwareDatetime
    triage_provisional: bool = False

    @property
    def triage_last_day(self) -> datetime:
        return self.triage_due - timedelta(microseconds=1)


class Refusal(Letter):
    ground: Said
    explanation: Said
    referral: str | None = None
    agency: str = ""
    reference: str = ""
    transferred_on: date | None = None
    notice_due: date | None = None
    notice_provisional: bool = False
    ask_url: Said

    @model_validator(mode="after")
    def _says_where_the_question_went(self) -> Self:
        if self.referral == "transferred_by_centre" and not self.agency.strip():
            raise ValueError("agency")
        return self


class Progress(Letter):
    words: Said
    promised_for: date
    promised_provisional: bool = False
    unit_name: Said


class Answer(Letter):
    answer: Said
    unit_name: Said


class Correction(Answer):
    reason: Said  # what was wrong
    round: int = 1  # đính chính lần thứ mấy


class Merged(Letter):
    into_number: Said


KINDS: Final[Mapping[str, type[Letter]]] = {
    "acknowledgement": Acknowledgement, "refusal": Refusal, "progress": Progress, "answer": Answer,
    "correction": Correction, "merged": Merged,
}  # fmt: skip


def read(kind: str, facts: Mapping[str, Any]) -> Letter:
    """Raises LetterIncomplete."""
    try:
        return KINDS[kind].model_validate(facts)
    except KeyError:
        raise LetterIncomplete(["kind"]) from None
    except ValidationError as error:
        named = [str(each["loc"][0] if each["loc"] else each["ctx"]["error"]) for each in error.errors()]
        raise LetterIncomplete(named) from None  # its own words repeat what the fields hold


def mail_for(
    look: Look, kind: str, facts: Mapping[str, Any], *, message_id: str, at: datetime, version: str = "v1",
    language: Language | None = None,
) -> Mail:  # fmt: skip
    """``at``: the moment of sending, by which a late notice says that it is late. Raises LetterIncomplete."""
    letter = read(kind, facts)
    tongue = language or letter.language
    due, promised = getattr(letter, "notice_due", None), getattr(letter, "promised_for", None)
    late = due is not None and local(at).date() > due
    context = {"letter": letter, "late": late, **spoken(tongue)}
    return Mail(
        to=letter.email,
        subject=SUBJECTS[tongue][kind].format(
            number=letter.number,
            promised=f"{promised:%d/%m/%Y}" if promised else "",
            into=getattr(letter, "into_number", ""),
        ),
        text=look.render(f"mail/{version}/{tongue}/{kind}.txt", **context).strip() + "\n",
        html=look.render(f"mail/{version}/{tongue}/{kind}.html", **context),
        message_id=message_id,
        at=at,
        language=tongue,
        reply_to=letter.reply_to,
    )
