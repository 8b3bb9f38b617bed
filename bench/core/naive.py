"""The rival: a service as FastStream's own tutorial would have it. One message at a time: insert to dedupe,
update the state, publish; every setting at its default but the offset to start from.
``python -m bench.core.naive``"""

import asyncio
import os
from typing import Any
from uuid import UUID

from faststream import FastStream
from faststream.kafka import KafkaBroker
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import AwareDatetime, BaseModel
from pymongo.errors import DuplicateKeyError


class Heard(BaseModel):
    item_id: UUID
    unit: str
    title: str
    text_hash: str
    address: str
    happened_at: AwareDatetime
    due_at: AwareDatetime
    explanation: str
    words: int


class Filed(BaseModel):
    item_id: UUID
    unit: str
    title: str
    text_hash: str
    happened_at: AwareDatetime
    due_at: AwareDatetime
    words: int


broker = KafkaBroker(os.environ["PORTAL_KAFKA_BOOTSTRAP"])
app = FastStream(broker)
client: Any = AsyncIOMotorClient(os.environ["PORTAL_MONGO_URI"])
database = client[os.environ["PORTAL_MONGO_DATABASE"]]


@broker.subscriber(os.environ["BENCH_HEARD"], group_id="naive", auto_offset_reset="earliest")
async def on_heard(event: Heard) -> None:
    try:
        await database.handled.insert_one({"_id": str(event.item_id)})
    except DuplicateKeyError:
        return
    filed = Filed(**event.model_dump(exclude={"address", "explanation"}))
    state = filed.model_dump(exclude={"item_id"})
    await database["items"].update_one({"_id": str(filed.item_id)}, {"$set": state}, upsert=True)
    await broker.publish(filed, os.environ["BENCH_FILED"], key=str(filed.item_id).encode())


if __name__ == "__main__":
    asyncio.run(app.run())
