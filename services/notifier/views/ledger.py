"""The ledger as a reader is told of it: who was told what, of which duty, when, and with which proof."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from services.notifier import queries
from services.notifier.queries import Document
from services.notifier.regulation import DUTIES, NOTICE_KINDS, WAYS_VI
from services.notifier.views.deadlines import label_of, subject_url
from services.notifier.views.notices import NOTICE_STATES_VI
from shared.mongo import Database
from shared.web.vietnamese import local

COLUMNS: Final = (
    "Nghĩa vụ", "Hồ sơ", "Đơn vị phải làm", "Báo gì", "Báo cho", "Bắt buộc", "Yêu cầu lúc", "Kết quả",
    "Nhận lúc", "Số lần gửi", "Message-ID", "Lời đáp", "Ghi chú",
)  # fmt: skip


class LedgerRow(BaseModel):
    """Một lần báo trong sổ báo."""

    id: str
    duty: str
    duty_vi: str
    deadline_id: str
    subject: str
    label: str
    subject_url: str
    unit: str
    unit_name: str
    kind: str
    kind_vi: str
    recipient: str
    recipient_vi: str
    statutory: bool
    requested_at: datetime
    state: str
    state_vi: str
    told_at: datetime | None = Field(description="Máy chủ nhận, hoặc đã báo bằng cách khác, lúc")
    attempts: int
    message_id: str
    reply: str
    note: str = Field(description="Bị trả lại, báo bằng cách khác, vì sao không gửi, có thể trùng")

    def cells(self) -> list[str]:
        """For a table of figures; times in Vietnamese time."""
        told = f"{local(self.told_at):%Y-%m-%d %H:%M:%S}" if self.told_at else ""
        return [
            self.duty_vi, self.label, self.unit_name, self.kind_vi, self.recipient_vi,
            "có" if self.statutory else "không", f"{local(self.requested_at):%Y-%m-%d %H:%M:%S}",
            self.state_vi, told, str(self.attempts), self.message_id, self.reply, self.note,
        ]  # fmt: skip


async def ledger_rows(
    database: Database, documents: Iterable[Document], *, units: Mapping[str, Any], urls: Mapping[str, str]
) -> list[LedgerRow]:
    rows = list(documents)
    called = await queries.labels(database, (d["subject"] for d in rows))
    return [_row(d, called.get(d["subject"], ""), units, urls) for d in rows]


def _row(d: Document, label: str, units: Mapping[str, Any], urls: Mapping[str, str]) -> LedgerRow:
    def unit_name(id: str) -> str:
        return str(units.get(id, {}).get("name", id))

    # A row of an older build has not all of it until the list is made anew.
    d = {"duty": "", "unit": "", "deadline_id": "", "listed": [], **d}
    about_unit = d["subject"].startswith("unit-")
    return LedgerRow(
        id=d["_id"], duty=d["duty"], duty_vi=DUTIES.get(d["duty"], d["duty"]) or "Mọi việc của đơn vị",
        deadline_id=d["deadline_id"], subject=d["subject"],
        label=f"{len(d['listed'])} hạn" if about_unit else label_of(d["subject"], label),
        subject_url=subject_url(d["subject"], urls), unit=d["unit"], unit_name=unit_name(d["unit"]),
        kind=d["kind"], kind_vi=NOTICE_KINDS.get(d["kind"], d["kind"]), recipient=d["recipient"],
        recipient_vi=recipient_vi(d["recipient"], unit_name), statutory=d["statutory"],
        requested_at=d["requested_at"], state=d["status"], state_vi=NOTICE_STATES_VI[d["status"]],
        told_at=d.get("reached_at") or d["sent_at"], attempts=d["attempts"], message_id=d["message_id"],
        reply=d["reply"], note=_note(d),
    )  # fmt: skip


def recipient_vi(recipient: str, unit_name: Any) -> str:
    """«Thủ trưởng Bảo hiểm xã hội …»; never an address, which is nowhere on record."""
    if recipient.startswith("sms:"):
        return f"SMS: {recipient_vi(recipient.removeprefix('sms:'), unit_name)}"
    role, _, id = recipient.partition(":")
    match role:
        case "asker":
            return "Người hỏi"
        case "head":
            return f"Thủ trưởng {unit_name(id)}"
        case "leadership":
            return "Lãnh đạo Ngành"
        case "chat":
            return "Kênh trực vận hành"
        case _:
            return str(unit_name(id))


def _note(d: Document) -> str:
    said = []
    if d.get("bounced_at"):
        said.append(f"bị trả lại {local(d['bounced_at']):%H:%M %d/%m/%Y} ({d.get('bounce', '')})")
    if d.get("reached_at"):
        way = WAYS_VI.get(d.get("reached_way", ""), "cách khác").lower()
        said.append(f"đã báo qua {way}, {d.get('reached_proof', '')}")
    elif d["reason"] and not d["sent_at"]:
        said.append(d["reason"])
    if d["uncertain"]:
        said.append("có thể đã nhận hai thư cùng Message-ID")
    return "; ".join(said)
