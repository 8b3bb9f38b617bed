"""From facts to a message in plain words: what, why, by when, by which clause, and what to do next."""

from services.notifier.letters import samples
from services.notifier.letters.askers import LetterIncomplete, mail_for
from services.notifier.letters.staff import (
    Digest,
    Line,
    Memo,
    alarm_signal,
    digest_mail,
    memo_mail,
    signal_for,
)
from services.notifier.letters.wording import LANGUAGES, VERSIONS, Language

__all__ = [
    "LANGUAGES",
    "VERSIONS",
    "Digest",
    "Language",
    "LetterIncomplete",
    "Line",
    "Memo",
    "alarm_signal",
    "digest_mail",
    "mail_for",
    "memo_mail",
    "samples",
    "signal_for",
]
