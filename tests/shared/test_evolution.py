"""Events change their shape while old ones lie on topics and in journals: what is old is read as the newest
class everywhere, and what is newer than a build waits for its upgrade, in order for its key."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faststream.kafka import KafkaBroker

from shared.calendar import CALENDAR
from shared.contracts.base import REGISTRY, Aggregate, Event, Recorded
from shared.desk import Desk
from shared.journal import Commit, Head, Stored
from shared.messaging.dead_letters import DeadLetters, State
from shared.messaging.follower import Follower
from shared.messaging.graves import DeadLetter
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay
from shared.messaging.replay import Replayer
from shared.messaging.runs import AskReplay, Doing, Runs
from shared.mongo import MongoJournal
from shared.projections import Projection, Projector
from shared.rebuild import differences, rebuild
from shared.testing import MemoryVault
from shared.vault import MongoVault
from shared.workflow import Actor
from tests.shared.evolving import another_build
from tests.shared.test_messaging import commit, running, until


def classes(topic: str) -> SimpleNamespace:
    """A letter's history: version 1 knew a name in one piece, version 2 in two, version 3 a language too."""

    class Signed(Event, topic=topic, name=f"{topic}.signed", version=3):
        letter_id: UUID
        family: str
        given: str
        language: str

    class SignedV2(Event, topic=topic, name=f"{topic}.signed", version=2):
        letter_id: UUID
        family: str
        given: str

        def upcast(self) -> Event:
            return Signed(**self.model_dump(), language="vi")

    class SignedV1(Event, topic=topic, name=f"{topic}.signed", version=1):
        letter_id: UUID
        full: str

        def upcast(self) -> Event:
            family, _, given = self.full.partition(" ")
            return SignedV2(letter_id=self.letter_id, family=family, given=given).upcast()

    return SimpleNamespace(newest=Signed, v2=SignedV2, v1=SignedV1)


@contextlib.contextmanager
def older_build(topic: str) -> Iterator[type[Event]]:
    """As it was before version 3: its newest class."""
    with another_build():
        for key in [key for key in REGISTRY if key[0] == f"{topic}.signed"]:
            del REGISTRY[key]

        class SignedV2(Event, topic=topic, name=f"{topic}.signed", version=2):
            letter_id: UUID
            family: str
            given: str

        yield SignedV2


@dataclass(frozen=True)
class Letter(Aggregate):
    KIND: ClassVar[str] = "letter"
    id: UUID
    signatures: tuple[str, ...] = ()

    @classmethod
    def begin(cls, event: Event) -> "Letter":
        return cls(event.letter_id).apply(event)  # type: ignore[attr-defined]

    def apply(self, event: Any) -> "Letter":
        language = getattr(event, "language", "?")
        return replace(self, signatures=(*self.signatures, f"{event.family}/{event.given}/{language}"))


@pytest.fixture
async def topic(kafka: str) -> AsyncIterator[str]:
    name = f"letters-{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1)])
    await admin.close()
    yield name


@pytest.fixture
def build(topic: str) -> Iterator[SimpleNamespace]:
    with another_build():
        yield classes(topic)


class Reader:
    """A service that keeps what it hears of each letter; what it knows is what its build knows."""

    def __init__(self, bootstrap: str, database: Any, topic: str) -> None:
        self.bootstrap, self.database, self.topic = bootstrap, database, topic
        self.journal, self.graves = MongoJournal(database), DeadLetters(database)
        self.heard: list[tuple[str, int, Event]] = []
        self.group = f"reader-{topic}"

    def desk(self, by: Actor | None = None, correlation: str = "c-12345678", **facts: Any) -> Desk[None]:
        facts |= {"by": by} if by else {}
        kinds: Any = {"letter": Letter, "deadletter": DeadLetter}
        vault = MongoVault(self.database)
        return Desk(self.journal, vault, CALENDAR, None, kinds, "reader", correlation=correlation, **facts)

    async def hear(self, recorded: Recorded[Any], desk: Desk[None]) -> None:
        self.heard.append((recorded.stream, recorded.version, recorded.event))
        letter = await desk.find(Letter, recorded.event.letter_id)
        await desk.append(letter.then(recorded.event) if letter else Letter.starts_with(recorded.event))

    def inbox(self, *kinds: type[Event]) -> Inbox:
        table = {self.topic: dict.fromkeys(kinds, self.hear)}
        return Inbox(self.group, table, lambda r: self.desk(once=r.id, causation=r.id), self.graves)

    async def signatures(self, letter: UUID) -> tuple[str, ...]:
        found = await self.desk().find(Letter, letter)
        return found.signatures if found else ()

    async def replay_all(self, inbox: Inbox) -> dict[str, Any]:
        runs = Runs(self.database)
        asked = await runs.ask(
            AskReplay("đã nâng cấp"), once=uuid4().hex, by="u-truc", correlation="c-12345678", fingerprint="f"
        )
        replayer = Replayer(self.database, self.graves, inbox, self.desk, "r1")
        async with asyncio.timeout(30):
            while asked["state"] in (Doing.WAITING, Doing.RUNNING):
                await replayer.work()
                asked = await runs.get(asked["_id"])
        return asked


def signed(build: SimpleNamespace, version: int, letter: UUID, given: str) -> Event:
    if version == 1:
        return build.v1(letter_id=letter, full=f"Lê {given}")  # type: ignore[no-any-return]
    words = {"letter_id": letter, "family": "Lê", "given": given}
    return build.v2(**words) if version == 2 else build.newest(**words, language="en")  # type: ignore[no-any-return]


def old_and_new(build: SimpleNamespace, letter: UUID) -> list[Commit]:
    """Commits of one stream as the builds of three years wrote them."""
    head, commits = Head(), []
    for version in (1, 2, 3):
        one = commit(letter, head, signed(build, version, letter, f"n{version}"))
        one = one._replace(stream=f"letter-{letter}").sealed(head)
        commits.append(one)
        head = one.head
    return commits


ALL = ("Lê/n1/vi", "Lê/n2/vi", "Lê/n3/en")


async def test_what_is_old_is_read_as_the_newest_class_by_folds_projections_and_rebuilds(
    database: Any, build: SimpleNamespace
) -> None:
    async def given(recorded: Recorded[Any], _: Any) -> dict[str, Any]:
        return {f"seen.{recorded.event.given}": recorded.event.language, "last": recorded.event.given}

    listed = Projection("letters", "letter", {build.newest: given})
    journal, letter = MongoJournal(database), uuid4()
    projector = Projector(database, [listed], "reader", MemoryVault(), lambda _: None)
    async with running(Follower(database, "projector", "r1", projector.project).run):
        for one in old_and_new(build, letter):
            await journal.append(one)
        async with asyncio.timeout(10):
            while not await database.letters.find_one({"last": "n3"}):
                await asyncio.sleep(0.02)
    found = await Desk(journal, MemoryVault(), CALENDAR, None, {"letter": Letter}, "reader").load(
        Letter, letter
    )
    assert found.signatures == ALL
    grown = await database.letters.find_one({"_id": str(letter)})
    assert grown["seen"] == {"n1": "vi", "n2": "vi", "n3": "en"}
    await database.letters.drop()
    await rebuild(database, listed, "reader", MemoryVault(), by="test")
    assert await database.letters.find_one({"_id": str(letter)}) == grown
    assert await differences(database, listed, "reader", MemoryVault()) == []


async def test_what_is_old_goes_over_the_topic_as_it_was_written_and_is_read_as_the_newest_class(
    kafka: str, database: Any, topic: str, build: SimpleNamespace
) -> None:
    reader, letter = Reader(kafka, database, topic), uuid4()
    commits = old_and_new(build, letter)
    async with Relay(kafka, "letters") as relay:
        await relay.publish(commits)
    broker = KafkaBroker(kafka, logger=None)
    reader.inbox(build.newest).attach(broker, "")
    await broker.start()
    await until(lambda: len(reader.heard) == 3)
    await asyncio.wait_for(broker.stop(), 10)
    assert {type(event) for _, _, event in reader.heard} == {build.newest}
    assert await reader.signatures(letter) == ALL
    written = [Stored(e.name, e.version, e.data) for one in commits for e in one.events]
    assert [stored.version for stored in written] == [1, 2, 3]  # history is never rewritten


async def test_a_build_that_is_behind_buries_what_it_can_t_know_and_hears_it_in_order_after_the_upgrade(
    kafka: str, database: Any, topic: str, build: SimpleNamespace
) -> None:
    reader = Reader(kafka, database, topic)
    await reader.graves.prepare()
    await Runs(database).prepare()
    ahead, beside = uuid4(), uuid4()
    head = Head()
    async with Relay(kafka, "letters") as relay:
        for number, version in enumerate((2, 3, 2, 3), 1):  # a publisher of the newer build, and of the older
            one = commit(ahead, head, signed(build, version, ahead, f"n{number}"))
            await relay.publish([one])
            head = one.head
        await relay.publish([commit(beside, Head(), signed(build, 2, beside, "n1"))])

    with older_build(topic) as newest_then:
        broker = KafkaBroker(kafka, logger=None)
        reader.inbox(newest_then).attach(broker, "")
        await broker.start()
        async with asyncio.timeout(20):
            while await reader.graves.count({}) < 3 or not await reader.signatures(beside):
                await asyncio.sleep(0.05)
        await asyncio.wait_for(broker.stop(), 10)
        assert await reader.signatures(ahead) == ("Lê/n1/?",)

    letters = await reader.graves.buried()
    assert [g["error"] for g in letters] == ["UnknownEvent", "Blocked", "Blocked"]
    assert {g["key"] for g in letters} == {f"question-{ahead}"}
    upgraded = reader.inbox(build.newest)
    done = await reader.replay_all(upgraded)
    assert done["state"] == Doing.FINISHED
    assert (done["replayed"] + done["released"], done["failed"]) == (3, 0)
    assert [v for stream, v, _ in reader.heard if stream == f"question-{ahead}"] == [1, 2, 3, 4]
    assert await reader.signatures(ahead) == ("Lê/n1/vi", "Lê/n2/en", "Lê/n3/vi", "Lê/n4/en")
    assert await reader.graves.count({"state": State.BURIED}) == 0
