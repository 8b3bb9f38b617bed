"""A notice as a reader is told of it, with its proof."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, Field

from services.notifier import queries
from services.notifier.domain import UNREACHED
from services.notifier.queries import Document
from services.notifier.regulation import NOTICE_KINDS
from services.notifier.views.deadlines import label_of, subject_url
from shared.mongo import Database

NOTICE_STATES_VI: Final = {
    "requested": "Chờ gửi", "sending": "Đang gửi", "retrying": "Chờ gửi lại", "sent": "Đã gửi",
    "failed": "Không gửi được", "uncertain": "Không rõ", "bounced": "Bị trả lại",
    "reached": "Đã báo bằng cách khác", "withheld": "Không gửi",
}  # fmt: skip
PLACES: Final = (
    # nơi        tên
    ("notices", "Thư báo"),
    ("ledger", "Sổ báo"),
    ("templates", "Mẫu thư"),
    ("suppressions", "Địa chỉ ngừng gửi"),
)


def notice_tabs(current: str) -> list[dict[str, object]]:
    """The pages about notices, for the macro ``tabs``."""
    return [{"text": text, "url": f"/desk/{key}", "current": key == current} for key, text in PLACES]


class NoticeView(BaseModel):
    """Một thư báo và bằng chứng đã gửi. Địa chỉ và lời thư không được lưu ở đây."""

    id: str
    version: int
    kind: str
    kind_vi: str
    subject: str
    label: str
    subject_url: str
    recipient: str
    round: int
    statutory: bool
    state: str
    state_vi: str
    message_id: str
    requested_at: datetime
    attempts: int
    sent_at: datetime | None
    reply: str = Field(description="Lời đáp của máy chủ thư")
    retry_at: datetime | None
    reason: str = Field(description="Vì sao lần gửi trước không thành")
    possibly_twice: bool = Field(description="Có lần gửi không rõ kết quả: người nhận có thể nhận hai thư")
    needs_person: bool = Field(description="Bắt buộc theo Quy chế mà thư không tới: cần báo bằng cách khác")
    bounced_at: datetime | None = Field(None, description="Máy chủ thư đã nhận rồi trả lại lúc")
    bounce_status: str = Field("", description="RFC 3463, ví dụ 5.1.1")
    reached_at: datetime | None = Field(None, description="Đã báo bằng cách khác lúc")
    reached_way: str = Field("", description="phone, post, in_person, other")
    reached_proof: str = Field("", description="Số công văn, mã bưu gửi …")


def _called(subject: str, labels: Mapping[str, str]) -> str:
    kind, _, id = subject.partition("-")
    return f"Đơn vị {id}" if kind == "unit" else label_of(subject, labels.get(subject, ""))


async def notice_views(
    database: Database, documents: Iterable[Document], *, urls: Mapping[str, str]
) -> list[NoticeView]:
    rows = list(documents)
    called = await queries.labels(database, (d["subject"] for d in rows))
    return [
        NoticeView(
            id=d["_id"], version=d["version"], kind=d["kind"], kind_vi=NOTICE_KINDS.get(d["kind"], d["kind"]),
            subject=d["subject"], label=_called(d["subject"], called),
            subject_url=subject_url(d["subject"], urls), recipient=d["recipient"], round=d["round"],
            statutory=d["statutory"], state=d["status"], state_vi=NOTICE_STATES_VI[d["status"]],
            message_id=d["message_id"], requested_at=d["requested_at"], attempts=d["attempts"],
            sent_at=d["sent_at"], reply=d["reply"],
            retry_at=d["next_at"] if d["status"] == "retrying" else None, reason=d["reason"],
            possibly_twice=d["uncertain"],
            needs_person=d["statutory"] and d["status"] in UNREACHED and not d.get("moot"),
            bounced_at=d.get("bounced_at"), bounce_status=d.get("bounce", ""),
            reached_at=d.get("reached_at"), reached_way=d.get("reached_way", ""),
            reached_proof=d.get("reached_proof", ""),
        )
        for d in rows
    ]  # fmt: skip
