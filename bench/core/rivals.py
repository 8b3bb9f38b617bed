"""The rivals of a command over HTTP, served as the services are: an endpoint that does nothing, and one that
writes state and outbox in a transaction. ``python -m bench.core.rivals PORT``"""

import os
import sys
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient

from bench.core.world import FileItem

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
client: Any = AsyncIOMotorClient(os.environ["PORTAL_MONGO_URI"], w="majority", maxPoolSize=100)
database = client[os.environ["PORTAL_MONGO_DATABASE"]]


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """With its collections in place: creating them inside transactions would make these fail."""
    for name in ("items", "outbox"):
        await database[name].replace_one({"_id": "first"}, {}, upsert=True)
    return {}


@app.post("/v1/nothing")
async def nothing() -> dict[str, str]:
    return {}


@app.post("/v1/command", status_code=201)
async def command(body: FileItem) -> dict[str, Any]:
    state = {"unit": body.unit, "title": body.title, "words": body.words, "version": 1}
    async with await client.start_session() as session, session.start_transaction():
        await database["items"].insert_one({"_id": str(body.item_id), **state}, session=session)
        event = {"_id": uuid4().hex, "item": str(body.item_id), "data": body.model_dump_json()}
        await database["outbox"].insert_one(event, session=session)
    return {"id": body.item_id, "unit": body.unit}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, loop="uvloop",
        http="httptools", timeout_graceful_shutdown=2, server_header=False, lifespan="on",
    )  # fmt: skip
