"""What is measured: a service as small as can be that files each item it hears of, with all that a real one
has: a handler that loads, decides and appends, a projection, an edge for commands."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.contracts.base import Aggregate, Event, Recorded, only
from shared.desk import Desk, Vault
from shared.journal import Commit, Head, Stored
from shared.projections import Projection
from shared.service import Service
from shared.settings import ServiceSettings
from shared.web.edge import PublicDesk, tagged

HEARD: Final = os.environ.get("BENCH_HEARD", "bench.heard")  # topic in
FILED: Final = os.environ.get("BENCH_FILED", "bench.filed")  # topic out
UNITS: Final = ("van-phong", "ban-thu", "ban-chinh-sach", "tinh-quang-ngai")
NAMES: Final = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


class ItemHeard(Event, topic=HEARD, name="bench.item.heard", version=1):
    """As large as an approval: about 600 bytes."""

    item_id: UUID
    unit: str
    title: str
    text_hash: str
    address: str
    happened_at: AwareDatetime
    due_at: AwareDatetime
    explanation: str
    words: int


class ItemFiled(Event, topic=FILED, name="bench.item.filed", version=1):
    item_id: UUID
    unit: str
    title: str
    text_hash: str
    happened_at: AwareDatetime
    due_at: AwareDatetime
    words: int


@dataclass(frozen=True)
class Item(Aggregate):
    KIND: ClassVar[str] = "item"
    id: UUID
    unit: str
    filed: int = 0

    @classmethod
    def begin(cls, event: Event) -> "Item":
        first = only(event, ItemFiled)
        return cls(first.item_id, first.unit, 1)

    def apply(self, event: Event) -> "Item":
        return Item(self.id, self.unit, self.filed + 1)


def filed(heard: ItemHeard) -> ItemFiled:
    return ItemFiled(
        item_id=heard.item_id, unit=heard.unit, title=heard.title, text_hash=heard.text_hash,
        happened_at=heard.happened_at, due_at=heard.due_at, words=heard.words,
    )  # fmt: skip


async def file_item(recorded: Recorded[ItemHeard], desk: Desk[None]) -> None:
    item, event = await desk.find(Item, recorded.event.item_id), filed(recorded.event)
    await desk.append(item.then(event) if item else Item.starts_with(event))


async def _shown(recorded: Recorded[ItemFiled], _: Vault) -> dict[str, Any]:
    event = recorded.event
    return {
        "unit": event.unit, "title": event.title, "text_hash": event.text_hash,
        "happened_at": event.happened_at, "due_at": event.due_at, "words": event.words,
    }  # fmt: skip


ITEMS: Final = Projection("items", Item.KIND, {ItemFiled: _shown})
router = APIRouter()


class FileItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item_id: UUID
    unit: Annotated[str, StringConstraints(max_length=60)]
    title: Annotated[str, StringConstraints(max_length=200)]
    words: int


@router.post("/v1/command", status_code=201)
async def command(body: FileItem, desk: PublicDesk, response: Response) -> dict[str, Any]:
    item = await desk.run(_file, body)
    tagged(response, desk.version(item))
    return {"id": item.id, "unit": item.unit, "filed": item.filed}


async def _file(cmd: FileItem, desk: Desk[None]) -> Item:
    event = ItemFiled(
        item_id=cmd.item_id, unit=cmd.unit, title=cmd.title, text_hash="0" * 64, happened_at=desk.now,
        due_at=desk.now, words=cmd.words,
    )  # fmt: skip
    return await desk.append(Item.starts_with(event))


@router.post("/v1/nothing")
async def nothing() -> dict[str, str]:
    return {}


def service(settings: ServiceSettings) -> Service[None]:
    return Service(
        "qa", "Đo tốc độ", settings, None, [Item], [router], Path(__file__).parent, [FILED],
        consumers={HEARD: {ItemHeard: file_item}}, projections=[ITEMS],
    )  # fmt: skip


def heard(number: int) -> ItemHeard:
    return ItemHeard(
        item_id=uuid5(NAMES, str(number)), unit=UNITS[number % len(UNITS)],
        title=f"Hướng dẫn tra cứu quá trình đóng trên VssID, buổi thứ {number}", text_hash=f"{number:064x}",
        address=f"https://portal.example.vn/bai/{number}", happened_at=datetime(2026, 11, 23, 2, tzinfo=UTC),
        due_at=datetime(2026, 11, 25, 2, tzinfo=UTC), words=number % 900,
        explanation="Hai ngày làm việc kể từ ngày tiếp nhận, theo lịch làm việc năm 2026 đã công bố.",
    )  # fmt: skip


def record(number: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers as the relay of another service would publish them."""
    event = heard(number)
    commit = Commit(
        key=str(number), stream=f"article-{event.item_id}", version=0, events=(Stored.of(event),),
        at=event.happened_at, by="u-phuong", correlation=f"{number:032x}", causation="",
    ).sealed(Head())  # fmt: skip
    (recorded,) = commit.recorded("content")
    return commit.stream.encode(), commit.events[0].data.encode(), recorded.headers()


if __name__ == "__main__":
    service(ServiceSettings()).serve()
