"""A FastAPI application that does nothing, served as the services are: what the frame alone costs.
``python -m bench.noop PORT``"""

import sys
from typing import Final

import uvicorn
from fastapi import FastAPI

PATH: Final = "/v1/nothing"

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/health/ready")
@app.post(PATH)
async def nothing() -> dict[str, str]:
    return {}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, loop="uvloop",
        http="httptools", timeout_graceful_shutdown=2, server_header=False, lifespan="on",
    )  # fmt: skip
