"""What content's tests share: people, words, a desk in memory, and the service with its edges over a real
database."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from services.content import handlers
from services.content.domain.body import Body, SourceRegister
from services.content.domain.decisions import Approve, Submit
from services.content.domain.placement import Placement
from services.content.domain.submission import Submission
from services.content.regulation import Attestation, Policy
from shared.calendar import CALENDAR
from shared.contracts.base import Event
from shared.contracts.content import ContentClass
from shared.desk import Desk
from shared.testing import MemoryJournal, MemoryVault, local
from shared.workflow import Actor

NOW = local("2026-11-23T09:00")  # Monday; Tuesday 24 November 2026 is a holiday
LAN = Actor("u-lan", "Nguyễn Thị Lan", "bhxh-quang-ngai", frozenset({"author"}))
NGA = Actor("u-nga", "Võ Thanh Nga", "bhxh-can-tho", frozenset({"author"}))
MINH = Actor("u-minh", "Đỗ Quang Minh", "tt-truyen-thong", frozenset({"editor"}))
PHUONG = Actor("u-phuong", "Lê Hoài Phương", "ban-bien-tap", frozenset({"approver"}))
OANH = Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"}))
EVERYONE = frozenset({"author", "editor", "approver"})

BODY = Body("Hướng dẫn đóng BHXH tự nguyện", "Ai được đóng.", "<p>Nộp hồ sơ tại cơ quan BHXH.</p>")
REGISTER = SourceRegister.of(["Báo Nhân Dân", "nhandan.vn", "Bảo hiểm xã hội Việt Nam"])
ALL_SIX = frozenset(Attestation)


def desk(journal: MemoryJournal, vault: MemoryVault, by: Actor, now: datetime = NOW, **facts: Any) -> Any:
    kinds = {"submission": Submission, "placement": Placement}
    return Desk(journal, vault, CALENDAR, Policy(), kinds, "content", by, now, **facts)


class Office:
    """One unit's item on its way, in memory; each act is done by the person whose it is."""

    def __init__(self) -> None:
        self.journal, self.vault = MemoryJournal(), MemoryVault()
        self.now = NOW
        self.id = uuid4()

    def desk(self, by: Actor, **facts: Any) -> Any:
        self.now += timedelta(seconds=1)
        return desk(self.journal, self.vault, by, self.now, **facts)

    async def submit(
        self, kind: ContentClass = ContentClass.ACTIVITY, *, by: Actor = LAN, body: Body = BODY,
        event: str = "2026-11-23T08:00", permitted: str = "",
    ) -> Submission:  # fmt: skip
        moment = local(permitted) if permitted else None
        command = Submit(self.id, kind, body, local(event), moment)
        return await handlers.submit_text(command, self.desk(by))

    async def approve(self, *, by: Actor = PHUONG, text_version: int = 1, **facts: Any) -> Submission:
        command = Approve(self.id, text_version, ALL_SIX, REGISTER)
        return await handlers.approve_submission(replace(command, **facts), self.desk(by))

    async def current(self) -> Submission:
        found: Submission = await self.desk(LAN).load(Submission, self.id)
        return found

    def events(self, stream: str = "") -> list[Event]:
        stream = stream or f"submission-{self.id}"
        return [r.event for c in self.journal.commits if c.stream == stream for r in c.recorded("content")]


def named(events: Iterable[Event]) -> list[str]:
    return [event.name.rpartition(".")[2] for event in events]


def text_in(**changes: Any) -> dict[str, Any]:
    return {
        "content_class": "activity", "title": "Cần Thơ trả kết quả tại nhà", "summary": "Không mất phí.",
        "html": "<p>Người bệnh nặng được nhận kết quả tại nhà.</p>", "author_name": "Võ Thanh Nga",
        "source_name": "", "quoted": False, "permitted_at": None,
        "event_at": (datetime.now(NOW.tzinfo) - timedelta(hours=1)).isoformat(),
    } | changes  # fmt: skip
