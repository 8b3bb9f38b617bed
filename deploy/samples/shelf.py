"""Where a portal keeps what it was sent: one file an item, replaced whole, so that a kill leaves the old or
the new. Nothing ever goes back to an earlier version."""

import asyncio
from pathlib import Path
from typing import Literal

from deploy.samples.parcel import Held, Parcel, now
from deploy.samples.serving import write_whole

Verdict = Literal["accepted", "unchanged", "stale", "conflict"]


class Shelf:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        held = (Held.model_validate_json(file.read_bytes()) for file in folder.glob("*.json"))
        self._held = {one.parcel.item_id: one for one in held}
        self._writing = asyncio.Lock()

    async def receive(self, parcel: Parcel, webhook_id: str) -> Verdict:
        async with self._writing:
            verdict = self._judge(parcel)
            if verdict == "accepted":
                held = Held(parcel=parcel, received_at=now(), webhook_id=webhook_id)
                content = held.model_dump_json().encode()
                await asyncio.to_thread(write_whole, self._folder / f"{parcel.item_id}.json", content)
                self._held[parcel.item_id] = held
            return verdict

    def get(self, item_id: str) -> Held | None:
        return self._held.get(item_id)

    def newest_first(self) -> list[Held]:
        return sorted(self._held.values(), key=lambda held: held.received_at, reverse=True)

    def _judge(self, parcel: Parcel) -> Verdict:
        known = self._held.get(parcel.item_id)
        if known is None or parcel.order > known.parcel.order:
            return "accepted"
        if parcel.order < known.parcel.order:
            return "stale"
        same = (parcel.hash, parcel.action) == (known.parcel.hash, known.parcel.action)
        return "unchanged" if same else "conflict"
