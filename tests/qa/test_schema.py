"""The OpenAPI document is kept to: what is drawn from it at random is answered as it says, and never by a
failure of ours."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from services.qa.regulation import Policy
from shared.service import Service
from tests.edges import SignedIn
from tests.samples.sample_servers import listening
from tests.samples.sample_servers import running as served

CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip
CASES: Final = 3  # an operation and a caller
DIRECTORY: Final = {"units", "staff", "systems", "sources", "keys"}
WHO: Final = ("u-ha", "sys-bhxh-ha-noi")


def walk(url: str) -> tuple[int, dict[str, str]]:
    """Every operation by several callers; how many requests, and what was found."""
    tried, found = 0, dict[str, str]()

    def by(who: str, operation: Any) -> Callable[[], None]:
        @given(case=operation.as_strategy())
        @settings(
            max_examples=CASES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def one(case: Any) -> None:
            nonlocal tried
            tried += 1
            headers = {"Idempotency-Key": uuid4().hex}
            if who:
                headers["Authorization"] = f"Bearer {who}"
            case.call_and_validate(headers=headers, checks=CHECKS)

        return one

    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        operation = result.ok()
        for who in WHO:
            try:
                by(who, operation)()
            except Exception as error:
                found[f"{operation.label} by {who or 'nobody'}"] = str(error)[:700]
    return tried, found


@pytest.mark.filterwarnings("ignore")
async def test_what_is_drawn_from_the_document_is_answered_as_it_says(
    running: tuple[Service[Policy], FastAPI],
) -> None:
    service, app = running
    with listening() as (listener, url):
        async with served(SignedIn(app), listener, lifespan="off"):  # it runs already
            tried, found = await asyncio.to_thread(walk, url)
    for name in set(await service.database.list_collection_names()) - DIRECTORY:
        await service.database[name].delete_many({})
    assert found == {}
    assert tried > 250
