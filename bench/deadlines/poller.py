"""The rival: a scheduler as most people would write it. Every so often it asks for what is open and due, and
marks one after the other. Its index is the one that its question wants, and nothing else is asked of it: no
history, no event, no proof that a stage fires once but the condition of its update.
``python -m bench.deadlines.poller``"""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient

EVERY: Final = 1.0  # seconds between two looks when nothing is due
PAGE: Final = 1000


async def main() -> None:
    client: Any = AsyncIOMotorClient(os.environ["PORTAL_MONGO_URI"], w="majority", tz_aware=True)
    deadlines = client[os.environ["PORTAL_MONGO_DATABASE"]].polled
    while True:
        found = 0
        due = {"status": "open", "due_at": {"$lte": datetime.now(UTC)}}
        async for deadline in deadlines.find(due).sort("due_at", 1).limit(PAGE):
            found += 1
            breached = {"status": "breached", "breached_at": datetime.now(UTC)}
            await deadlines.update_one({"_id": deadline["_id"], "status": "open"}, {"$set": breached})
        if not found:
            await asyncio.sleep(EVERY)


if __name__ == "__main__":
    asyncio.run(main())
