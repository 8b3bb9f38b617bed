"""What is done to a service's own record by the people on call and by its guards. Each service keeps these
in its own journal; none is published."""

from typing import Final

from pydantic import AwareDatetime

from shared.contracts.base import Event
from shared.contracts.notifier import CalendarYear

CALENDAR: Final = "operations.calendar"
DEAD_LETTER: Final = "operations.dead_letter"
JOURNAL: Final = "operations.journal"


class DeadLetterReplayed(
    Event, topic=DEAD_LETTER, name="operations.dead_letter.replayed", version=1, published=False
):
    """Thư chết đã được xử lý lại. ``handled`` is False when no handler of this build wants the event."""

    dead_letter_id: str
    run_id: str
    reason: str
    handled: bool
    edited: bool


class DeadLetterReplayFailed(
    Event, topic=DEAD_LETTER, name="operations.dead_letter.replay_failed", version=1, published=False
):
    """Xử lý lại không thành; nó vẫn nằm trong thư chết."""

    dead_letter_id: str
    run_id: str
    reason: str
    error: str
    edited: bool


class DeadLetterEdited(
    Event, topic=DEAD_LETTER, name="operations.dead_letter.edited", version=1, published=False
):
    """Có bản sửa để xử lý lại; the original stays as it came. ``edit`` is the SHA-256 of the edited bytes."""

    dead_letter_id: str
    edit: str
    reason: str


class DeadLetterDiscarded(
    Event, topic=DEAD_LETTER, name="operations.dead_letter.discarded", version=1, published=False
):
    """Bỏ qua, có lý do: it will not be handled, and what waited behind it goes on."""

    dead_letter_id: str
    reason: str


class JournalAnchored(Event, topic=JOURNAL, name="operations.journal.anchored", version=1, published=False):
    """Mốc niêm phong sổ: ``root`` is over the heads of all streams that moved since the anchor before."""

    number: int
    root: str
    count: int


class CalendarAdopted(Event, topic=CALENDAR, name="operations.calendar.adopted", version=1, published=False):
    """Từ đây dịch vụ tính hạn theo lịch này: what the notifier applied, word by word."""

    calendar: str  # its version
    base: str
    document: str  # số, ngày của văn bản quyết định
    documents: dict[str, str]
    years: tuple[CalendarYear, ...]
    applied_at: AwareDatetime
