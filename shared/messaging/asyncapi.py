"""The broker as FastStream sees it, and the AsyncAPI 3 document of a service, served from our own files."""

from collections.abc import Sequence
from typing import Any, Union

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

from shared.contracts.base import TOPICS


def broker_for(bootstrap: str, service: str, published: Sequence[str]) -> KafkaBroker:
    """Publishers are declared for the document alone: what is published goes through the journal's relay."""
    broker = KafkaBroker(
        bootstrap.split(","), client_id=service, logger=None, allow_auto_create_topics=False,
        metadata_max_age_ms=30_000,  # partitions that a topic has gained are read after this at the latest
    )  # fmt: skip
    for topic in published:
        broker.publisher(
            topic, title=topic, schema=Union[tuple(TOPICS[topic])],  # noqa: UP007 (built at run time)
            description="CloudEvents 1.0, Kafka binary mode; the key is the stream.",
        )  # fmt: skip
    return broker


def specification(broker: KafkaBroker, title: str) -> dict[str, Any]:
    spec = FastStream(
        broker, specification=AsyncAPI(broker, title=title, version="1", schema_version="3.0.0")
    )
    document: dict[str, Any] = spec.schema.to_specification().to_jsonable()
    return document


def mount(app: FastAPI, broker: KafkaBroker, title: str) -> None:
    @app.get("/asyncapi.json", include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(specification(broker, title))

    @app.get("/asyncapi", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(
            app.state.look.render("apidocs.html", kind="events", url="/asyncapi.json", name=title)
        )

    @app.get("/docs", include_in_schema=False)
    async def swagger() -> HTMLResponse:
        return HTMLResponse(
            app.state.look.render("apidocs.html", kind="http", url="/openapi.json", name=title)
        )
