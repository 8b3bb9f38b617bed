"""From the register to a mail, or to a line of chat or SMS, for our own people: numbers, duties, dates and
links, and no word of a citizen."""

from datetime import date, datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from services.notifier.gateways import Mail, Signal
from services.notifier.letters.wording import SUBJECTS, Language, duty_name, spoken
from shared.web.look import Look

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
SHORTEST: Final = 160  # characters of an SMS that most telephones show whole


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Memo(_Facts):
    """One deadline, told to one of our own: reminded of, late, carried up, put off again, or taken back."""

    to: str
    addressee: Said
    language: Language = "vi"
    label: Said  # how people call the subject
    duty: Said
    unit_name: Said  # who owes it
    last_day: date
    explanation: Said  # how the day was counted, in the memo's language
    calendar_version: Said
    basis: Said  # anchor of the clause
    late_days: int = 0  # working days since the last day
    promises: int = 0  # of a promise: how many progress notices there are with it
    subject_url: Said
    deadline_url: Said
    document: str = ""  # of a rescission: what decided the new calendar
    told_last_day: date | None = None  # of a rescission: the day that was told as missed
    done_at: AwareDatetime | None = None  # of a rescission: in time, although the news came late


class Line(_Facts):
    """One deadline in a morning mail."""

    label: Said
    duty: Said
    last_day: date
    provisional: bool = False
    url: Said


class Digest(_Facts):
    """A unit's morning mail. The counts are of all there is; the lists may be shorter."""

    to: str
    addressee: Said
    language: Language = "vi"
    day: date
    overdue: tuple[Line, ...] = ()
    today: tuple[Line, ...] = ()
    soon: tuple[Line, ...] = ()
    overdue_count: int = 0
    today_count: int = 0
    soon_count: int = 0
    url: Said

    @property
    def empty(self) -> bool:
        return not (self.overdue_count or self.today_count or self.soon_count)


def memo_mail(
    look: Look, kind: str, memo: Memo, *, message_id: str, at: AwareDatetime, version: str = "v1"
) -> Mail:
    context = {"memo": memo, "kind": kind, **spoken(memo.language)}
    folder = f"mail/{version}/{memo.language}"
    return Mail(
        to=memo.to,
        subject=_subject(kind, memo),
        text=look.render(f"{folder}/{kind}.txt", **context).strip() + "\n",
        html=look.render(f"{folder}/{kind}.html", **context),
        message_id=message_id,
        at=at,
        language=memo.language,
    )


def digest_mail(look: Look, digest: Digest, *, message_id: str, at: datetime, version: str = "v1") -> Mail:
    context = {"digest": digest, **spoken(digest.language)}
    folder = f"mail/{version}/{digest.language}"
    return Mail(
        to=digest.to,
        subject=SUBJECTS[digest.language]["digest"].format(
            unit=digest.addressee, day=f"{digest.day:%d/%m/%Y}", counts=_counts(digest)
        ),
        text=look.render(f"{folder}/digest.txt", **context).strip() + "\n",
        html=look.render(f"{folder}/digest.html", **context),
        message_id=message_id,
        at=at,
        language=digest.language,
    )


def signal_for(kind: str, memo: Memo, *, message_id: str, at: datetime) -> Signal:
    """One line of chat or SMS: what, and where to look. The link goes whole or not at all."""
    words = _subject(kind, memo)
    link = memo.deadline_url if urlsplit(memo.deadline_url).scheme else ""
    room = SHORTEST - len(link) - 1
    short = words if len(words) <= room else f"{words[: room - 1]}…"
    return Signal(to=memo.to, text=f"{words}\n{link}".strip(), short=f"{short} {link}".strip(),
                  message_id=message_id, at=at)  # fmt: skip


def alarm_signal(words: str, *, to: str, message_id: str, at: datetime) -> Signal:
    """What is broken, as the watch over the system says it."""
    line = f"Báo động: {words}"
    return Signal(to=to, text=line, short=line[:SHORTEST], message_id=message_id, at=at)


def _subject(kind: str, memo: Memo) -> str:
    return SUBJECTS[memo.language][kind].format(
        duty=duty_name(memo.duty, memo.language), label=memo.label, promises=memo.promises
    )


def _counts(digest: Digest) -> str:
    words = ("quá hạn", "đến hạn hôm nay", "sắp đến hạn")
    if digest.language == "en":
        words = ("overdue", "due today", "due soon")
    numbers = (digest.overdue_count, digest.today_count, digest.soon_count)
    return ", ".join(f"{number} {word}" for number, word in zip(numbers, words, strict=True) if number)
