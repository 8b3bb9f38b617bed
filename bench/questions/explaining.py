"""What the database does for each list, by its own explain of the very questions that qa asks: they are
overheard while qa's own functions ask, and explained afterwards."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import monitoring

from services.qa.domain.codes import Codes
from services.qa.domain.terms import searched
from services.qa.queries import alike, answers, lists
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import Status
from shared.mongo import Database, connect
from shared.workflow import Actor

ASKED: Final = ("find", "aggregate", "count", "distinct")
OF_THE_CALL: Final = ("lsid", "txnNumber", "readConcern", "maxTimeMS", "cursor")  # not of the question
PAGE: Final = 25
ANY_DATE: Final[CodecOptions[dict[str, Any]]] = CodecOptions(  # bounds reach to the end of time
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)

View = Callable[[Database], Awaitable[Any]]


@dataclass(frozen=True)
class Examined:
    """Of one view: all its questions together, and the worst stage of them (COLLSCAN if there is one)."""

    view: str
    documents: int
    keys: int
    questions: int
    scan: bool
    sorted: bool  # in memory, not by an index


class Overheard(monitoring.CommandListener):
    """Questions to one database, as they leave the driver."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.questions: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.database_name == self._database and event.command_name in ASKED:
            command = event.command.items()
            kept = {k: v for k, v in command if k not in OF_THE_CALL and not k.startswith("$")}
            self.questions.append(kept | ({"cursor": {}} if event.command_name == "aggregate" else {}))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        return

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        return


def views(centre: Actor, unit: Actor, codes: Codes, question: str) -> dict[str, View]:
    """Each list, count, search and look-up of qa as its pages ask for them; ``question``: an open one."""
    now = datetime.now(UTC)
    today = now + timedelta(hours=12)

    def sought(q: str) -> tuple[int, ...]:
        return tuple(codes.words(searched(q)))

    def page(wanted: lists.Wanted, by: Actor) -> View:
        return lambda database: lists.questions(database, wanted, by, limit=PAGE)

    def count(wanted: lists.Wanted, by: Actor) -> View:
        return lambda database: lists.count(database, wanted, by)

    made: dict[str, View] = {}
    for status in Status:
        wanted = lists.Wanted(status=status)
        made[f"centre, {status}"] = page(wanted, centre)
        made[f"centre, count of {status}"] = count(wanted, centre)
        made[f"unit, {status}"] = page(wanted, unit)
        made[f"unit's own, {status}"] = page(lists.Wanted(status=status, unit=unit.unit), unit)
        made[f"unit's own, count of {status}"] = count(lists.Wanted(status=status, unit=unit.unit), unit)
    for who, by in (("centre", centre), ("unit", unit)):
        made |= {
            f"{who}, everything": page(lists.Wanted(), by),
            f"{who}, due today": page(lists.Wanted(status=Status.FORWARDED, due_before=today), by),
            f"{who}, count due today": count(lists.Wanted(status=Status.FORWARDED, due_before=today), by),
            f"{who}, a field": page(lists.Wanted(field="tnld-bnn"), by),
            f"{who}, a field that is done": page(lists.Wanted(status=Status.CLOSED, field="tnld-bnn"), by),
            f"{who}, of a month": page(
                lists.Wanted(since=now - timedelta(60), until=now - timedelta(30)), by
            ),
            f"{who}, search common words": page(lists.Wanted(words=sought("thẻ khám bệnh")), by),
            f"{who}, search some words": page(lists.Wanted(words=sought("tuất con nhỏ Lai Châu")), by),
            f"{who}, search words seldom together": page(lists.Wanted(words=sought("vssid bộ đội tuất")), by),
            f"{who}, search a rare word": page(lists.Wanted(words=sought("khoet vun")), by),
        }
    made |= {
        "load of units": lambda database: lists.load_of_units(database, centre, today),
        "likely duplicates": lambda database: alike.others(database, question, centre),
        "published on the matter": lambda database: alike.published(
            database, "Đổi nơi khám chữa bệnh ban đầu", "Tôi ở Huế, thẻ ghi bệnh viện cũ ở xa"
        ),
        "answers, newest": lambda database: answers.answers(database, answers.Asked()),
        "answers, of a year": lambda database: answers.answers(database, answers.Asked(year=now.year - 2)),
        "answers, of a unit": lambda database: answers.answers(database, answers.Asked(unit=unit.unit)),
        "answers, search": lambda database: answers.answers(database, answers.Asked("thẻ bị mất Huế")),
        "answers, search a phrase": lambda database: answers.answers(database, answers.Asked('"mất sổ" Huế')),
        "answers, facets of a search": lambda database: answers.facets(database, answers.Asked("thẻ mất")),
    }  # fmt: skip
    return made


async def examine(uri: str, name: str, centre: Actor, unit: Actor, codes: Codes) -> list[Examined]:
    ear = Overheard(name)
    monitoring.register(ear)
    database = connect(uri, name)
    row = await database[QUESTIONS].find_one({"status": {"$eq": "received"}}, {"_id": 1})
    found = []
    for view, ask in views(centre, unit, codes, row["_id"]).items():
        ear.questions = []
        await ask(database)
        heard, ear.questions = ear.questions, []
        plans = [await _explained(database, question) for question in heard]
        stages = [stage for plan in plans for stage in _stages(plan["executionStages"])]
        documents, keys = (sum(plan[f"total{what}Examined"] for plan in plans) for what in ("Docs", "Keys"))
        found.append(Examined(view, documents, keys, len(plans), "COLLSCAN" in stages, "SORT" in stages))
    database.client.close()
    return found


async def _explained(database: Database, question: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = await database.command(
        {"explain": question, "verbosity": "executionStats"}, codec_options=ANY_DATE
    )
    if "executionStats" in answer:
        stats: Mapping[str, Any] = answer["executionStats"]
        return stats
    first: Mapping[str, Any] = answer["stages"][0]["$cursor"]["executionStats"]
    return first


def _stages(plan: Mapping[str, Any]) -> Iterator[str]:
    yield plan.get("stage", "")
    for name in ("inputStage", "thenStage", "elseStage", "outerStage", "innerStage"):
        if name in plan:
            yield from _stages(plan[name])
    for each in plan.get("inputStages", ()):
        yield from _stages(each)
