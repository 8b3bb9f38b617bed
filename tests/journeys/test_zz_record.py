"""After all journeys: each service's record is whole, and each of its lists is what the record says."""

import importlib
import time
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from deploy.demo.edges import Edges
from deploy.local.system import System
from shared import logging
from shared.chain import verify
from shared.messaging.topology import topics_of, waiting
from shared.operations import FOLLOWERS, Standing
from shared.rebuild import differences
from tests.journeys.acts import ask, publish

SERVICES = ("content", "qa", "sync", "notifier")


@pytest.fixture
def services(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Each service as its process wired it, with the same settings and started nowhere."""
    monkeypatch.setattr(logging, "set_up", lambda *_, **__: None)
    built = {}
    for name in SERVICES:
        build = importlib.import_module(f"services.{name}.app").build
        with monkeypatch.context() as its_own:
            for key, value in system._processes[name].env.items():
                its_own.setenv(key, value)
            built[name] = build(get_type_hints(build)["settings"]())
    yield built
    for service in built.values():
        service.database.client.close()


async def moving(services: dict[str, Any], bootstrap: str) -> dict[str, Any]:
    """What still goes on: commits, and what followers and readers have before them."""
    left = await waiting(bootstrap, [t for name in SERVICES for t in topics_of(name)], SERVICES)
    found: dict[str, Any] = {f"{group} reads {topic}": n for (group, topic), n in left.items() if n}
    for name, service in services.items():
        for follower in FOLLOWERS:
            standing = await Standing.of(service.database, follower)
            if standing.seconds:
                found[f"{name}: {follower}"] = standing.seconds
    return found


async def commits(services: dict[str, Any]) -> list[int]:
    return [await s.database.journal.count_documents({}) for s in services.values()]


async def quiet(services: dict[str, Any], bootstrap: str) -> None:
    """Nothing on its way, twice in a row, and nothing written in between."""
    until, before = time.monotonic() + 60, []
    while True:
        left, now = await moving(services, bootstrap), await commits(services)
        if not left and now == before:
            return
        assert time.monotonic() < until, left
        before = now if not left else []


async def test_every_record_is_whole_and_every_list_is_what_it_says(
    system: System, edges: Edges, services: dict[str, Any]
) -> None:
    ask(edges)
    publish(edges)
    await quiet(services, system.kafka_bootstrap)
    for name, service in services.items():
        report = await verify(service.database, name)
        assert report.breaks == [], name
        assert report.commits > 0, name
        for projection in service.projections:
            odd = await differences(service.database, projection, name, service.edge.vault)
            assert odd == [], (name, projection.collection)
