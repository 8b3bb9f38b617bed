"""What is put on a topic by hand and can be handled by nobody: it must be buried, hold up its own key alone,
and let that key go on, in order, once a person has discarded it."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from oracle.client import Client, Gone
from oracle.evidence import consumers
from oracle.points import ALL

PATIENCE: Final = 90.0
HELD: Final = 3.0  # seconds for which its key stays blocked before it is discarded


@dataclass
class Letter:
    """The poison as one service buried it."""

    service: str
    id: str = ""
    discard_key: str = ""  # of the commit that records the discard


@dataclass
class Poison:
    number: int
    topic: str
    key: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    letters: list[Letter]
    partition: int = -1
    offset: int = -1

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


def make(number: int, topic: str, event: str, way: str, key: str) -> Poison:
    key = key or f"poison-{uuid4()}"
    headers = {
        "ce_specversion": b"1.0", "ce_id": f"poison:{number}".encode(), "ce_source": b"/services/nobody",
        "ce_type": event.encode(), "ce_subject": key.encode(), "ce_time": b"2026-01-01T00:00:00.000+00:00",
        "ce_eventversion": b"1", "ce_sequence": b"999", "ce_index": b"0", "ce_actor": b"nobody",
        "ce_correlationid": b"poison", "content-type": b"application/json",
    }  # fmt: skip
    value: bytes | None = json.dumps({"poison": number}).encode()
    match way:
        case "torn":
            value = b'{"question_id": "5'
        case "too_new":
            headers["ce_eventversion"] = b"99"
        case "no_body":
            value = None
        case "no_subject":
            del headers["ce_subject"]
        case "not_utf8":
            headers["ce_actor"] = b"\xff\xfe"
    handled_by = [
        service for service in ALL
        if any(kind.name == event for kind in consumers(service).get(topic, ()))
    ]  # fmt: skip
    return Poison(number, topic, key, value, tuple(headers.items()), [Letter(s) for s in handled_by])


async def settle(poison: Poison, client: Client) -> None:
    """As operators do it, in each service that buried it: find it, try it again in vain, discard it."""
    await asyncio.gather(*(_settle(poison, letter, client) for letter in poison.letters))


async def _settle(poison: Poison, letter: Letter, client: Client) -> None:
    until = time.monotonic() + PATIENCE
    while not letter.id and time.monotonic() < until:
        listed = await client.get(
            letter.service, f"/v1/dead-letters?state=buried&topic={poison.topic}&limit=200"
        )
        for row in (listed or {}).get("items", ()):
            if (row["topic"], row["partition"], row["offset"]) == poison.place:
                letter.id = row["id"]
        await asyncio.sleep(0.5)
    if not letter.id:
        return
    await asyncio.sleep(HELD)
    life = f"poison{poison.number:05d}"
    why = {"reason": "Không phải sự kiện của hệ thống."}
    again = {**why, "ids": [letter.id], "dry_run": False}
    path = f"/v1/dead-letters/{quote(letter.id, safe=':')}/discard"
    try:
        await client.do(
            life, "replay", letter.service, "/v1/dead-letters/replay", again, by="oanh", on_record=False
        )
        done = await client.do(life, "discard", letter.service, path, why, by="oanh")
        letter.discard_key = done.once
    except Gone:
        return
