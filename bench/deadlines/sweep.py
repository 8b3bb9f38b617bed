"""What a sweep examines, by the database's own explain of the very questions that it asks: they are overheard
while a real sweep runs, and explained afterwards."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo import monitoring

from services.notifier import jobs
from services.notifier.app import build
from services.notifier.settings import NotifierSettings
from shared.mongo import Database

ROUNDS: Final = 5
ASKED: Final = ("find", "aggregate", "count", "distinct")
OF_THE_CALL: Final = ("lsid", "txnNumber", "readConcern", "maxTimeMS")  # not of the question


@dataclass(frozen=True)
class Examined:
    documents: int
    keys: int
    questions: int
    fired: int
    milliseconds: float  # the best of some: all questions of one sweep together


class Overheard(monitoring.CommandListener):
    """Questions about one collection of one database, as they leave the driver."""

    def __init__(self, database: str, collection: str) -> None:
        self._database, self._collection = database, collection
        self.questions: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        command = event.command
        asked = event.command_name in ASKED and command[event.command_name] == self._collection
        if asked and event.database_name == self._database:
            kept = {k: v for k, v in command.items() if k not in OF_THE_CALL and not k.startswith("$")}
            self.questions.append(kept)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        return

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        return


async def examine(uri: str, name: str) -> Examined:
    """One sweep of ``fire_due`` over this database. What it fires stays in the journal; no projector runs, so
    the read model still says what it said when the sweep asked."""
    ear = Overheard(name, "deadlines")
    monitoring.register(ear)
    settings = NotifierSettings(environment="local", mongo_uri=uri, mongo_database=name, log_level="ERROR")
    service = build(settings)
    fired = await jobs.fire_due(service.edge)
    questions = list(ear.questions)
    if not questions:
        raise RuntimeError("a sweep that asks nothing about deadlines was not overheard")
    found = [await _explained(service.database, question) for question in questions]
    best = min([await _timed(service.database, questions) for _ in range(ROUNDS)])
    service.database.client.close()
    return Examined(
        documents=sum(one["totalDocsExamined"] for one in found),
        keys=sum(one["totalKeysExamined"] for one in found),
        questions=len(questions), fired=fired, milliseconds=best * 1000,
    )  # fmt: skip


async def _explained(database: Database, question: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = await database.command({"explain": question, "verbosity": "executionStats"})
    if "executionStats" in answer:
        stats: Mapping[str, Any] = answer["executionStats"]
        return stats
    first: Mapping[str, Any] = answer["stages"][0]["$cursor"]["executionStats"]
    return first


async def _timed(database: Database, questions: list[dict[str, Any]]) -> float:
    began = time.perf_counter()
    for question in questions:
        await database.command(question)
    return time.perf_counter() - began
