"""qa's pages on a port of their own, for a browser: one process with its projector, on a database of the
caller's, where `Authorization: Bearer u-lan` is u-lan. `python -m tests.qa.site MONGO_URI DATABASE PORT`"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from services.qa.app import build
from services.qa.domain.codes import Codes
from services.qa.queries.read_models import projections
from services.qa.settings import QaSettings
from shared.settings import Role
from tests.edges import SignedIn, projecting
from tests.qa.conftest import DIRECTORY, SECRET


def serve(mongo_uri: str, database: str, port: int) -> None:
    settings = QaSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, mongo_database=database,
        directory_file=DIRECTORY, log_format="console", log_level="ERROR", secret_key=SecretStr(SECRET),
        http_port=port, qa_url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    service = build(settings)
    app = service.app()
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(of: FastAPI) -> AsyncIterator[None]:
        async with inner(of), projecting(service, projections(Codes(SECRET))):
            yield

    app.router.lifespan_context = lifespan
    uvicorn.run(
        SignedIn(app), host="127.0.0.1", port=port, log_level="error", lifespan="on",
        timeout_graceful_shutdown=1,
    )  # fmt: skip


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
