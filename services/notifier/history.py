"""A stream's own journal as a reader sees it: what happened, when, and the proof."""

from collections.abc import Sequence
from typing import Any

from services.notifier.proof import returned_words
from services.notifier.regulation import WAYS_VI
from services.notifier.views.deadline_history import deadline_words
from shared.calendar import VIETNAM
from shared.contracts.base import Event
from shared.contracts.notifier import (
    Delivery,
    NoticeBounced,
    NoticeFailed,
    NoticeReachedOtherwise,
    NoticeRequested,
    NoticeRetryAsked,
    NoticeSending,
    NoticeSent,
    NoticeWithheld,
)
from shared.journal import Commit

OUTCOMES = {
    Delivery.TEMPORARY: "chưa gửi được",
    Delivery.DEFINITE: "bị từ chối hẳn",
    Delivery.UNCERTAIN: "không rõ kết quả",
}


def told(commits: Sequence[Commit], source: str) -> list[dict[str, Any]]:
    """The newest first, for the macro ``timeline``."""
    happenings = []
    for commit in commits:
        for recorded in commit.recorded(source):
            title, text = _words(recorded.event)
            happenings.append({"at": recorded.at, "title": title, "text": text})
    happenings.reverse()
    if happenings:
        happenings[0]["current"] = True
    return happenings


def _words(event: Event) -> tuple[str, str]:
    return deadline_words(event) or _of_notices(event)


def _of_notices(event: Event) -> tuple[str, str]:
    match event:
        case NoticeRequested():
            words = (
                "Phải báo",
                "Bắt buộc theo Quy chế." if event.statutory else f"Quy chế không bắt buộc.{_waits(event)}",
            )
        case NoticeSending():
            words = f"Lần gửi {event.attempt}: bắt đầu", "Ghi trước khi nói chuyện với máy chủ thư."
        case NoticeSent():
            words = f"Lần gửi {event.attempt}: máy chủ thư đã nhận", event.reply
        case NoticeFailed():
            again = f" Gửi lại lúc {event.retry_at.astimezone(VIETNAM):%H:%M:%S}." if event.retry_at else ""
            words = f"Lần gửi {event.attempt}: {OUTCOMES[event.outcome]}", f"{event.reason}.{again}"
        case NoticeBounced():
            words = f"Lần gửi {event.attempt}: thư bị trả lại", returned_words(event)
        case NoticeRetryAsked():
            words = "Yêu cầu gửi lại, cùng Message-ID", event.reason
        case NoticeReachedOtherwise():
            reached = f"{event.reached_at.astimezone(VIETNAM):%H:%M, %d/%m/%Y}"
            words = "Đã báo bằng cách khác", f"{WAYS_VI[event.way]}, lúc {reached}. Bằng chứng: {event.proof}"
        case NoticeWithheld():
            words = "Không gửi qua kênh này", event.reason
        case _:
            words = event.name, ""
    return words


def _waits(event: NoticeRequested) -> str:
    if event.not_before is None:
        return ""
    return f" Chờ giờ làm việc: {event.not_before.astimezone(VIETNAM):%H:%M, %d/%m/%Y}."
