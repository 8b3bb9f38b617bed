"""The limit: the same writes with aiokafka and motor alone, batched by hand. No framework, no validation, no
hash, no handler, no lease, and it publishes from memory: what it loses in a crash stays lost.
``python -m bench.core.bare``"""

import asyncio
import json
import os
from datetime import datetime
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

HASH = "0" * 64
KEPT = ("item_id", "unit", "title", "text_hash", "happened_at", "due_at", "words")


async def main() -> None:
    client: Any = AsyncIOMotorClient(os.environ["PORTAL_MONGO_URI"], w="majority")
    database = client[os.environ["PORTAL_MONGO_DATABASE"]]
    await database.journal.create_index([("stream", 1), ("version", 1)], unique=True)
    await database.journal.create_index([("at", 1), ("version", 1)])
    bootstrap = os.environ["PORTAL_KAFKA_BOOTSTRAP"]
    consumer = AIOKafkaConsumer(
        os.environ["BENCH_HEARD"], bootstrap_servers=bootstrap, group_id="bare", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=262144
    )
    await consumer.start()
    await producer.start()
    size = int(os.environ.get("BENCH_BATCH", "500"))
    while True:
        parts = await consumer.getmany(timeout_ms=200, max_records=size)
        records = [record for part in parts.values() for record in part]
        if records:
            await one_batch(records, database, producer)
            await consumer.commit()


async def one_batch(records: list[Any], database: Any, producer: AIOKafkaProducer) -> None:
    commits, states, messages = [], [], []
    for record in records:
        facts = {name: raw.decode() for name, raw in record.headers}
        event = json.loads(record.value)
        event = {name: event[name] for name in KEPT}
        stream, at = f"item-{event['item_id']}", datetime.fromisoformat(facts["ce_time"])
        data = json.dumps(event, ensure_ascii=False)
        commits.append({
            "_id": f"{facts['ce_id']}>{stream}", "stream": stream, "version": 1,
            "events": [{"name": "bench.item.filed", "version": 1, "data": data}], "at": at, "by": "system",
            "correlation": facts["ce_correlationid"], "causation": facts["ce_id"], "fingerprint": "",
            "previous": "", "hash": HASH,
        })  # fmt: skip
        row = {**event, "happened_at": at, "due_at": at, "version": 1, "sequence": 100, "changed_at": at}
        states.append(UpdateOne({"_id": row.pop("item_id")}, {"$setOnInsert": row}, upsert=True))
        messages.append((stream.encode(), data.encode(), list(record.headers)))
    await database.journal.insert_many(commits, ordered=False)
    await database["items"].bulk_write(states, ordered=False)
    topic = os.environ["BENCH_FILED"]
    sent = [await producer.send(topic, value, key=key, headers=headers) for key, value, headers in messages]
    await asyncio.gather(*sent)


if __name__ == "__main__":
    uvloop.run(main())
