"""Each way of changing the record by hand is seen, and the first broken place named."""

import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from bson import DatetimeMS, encode
from bson.raw_bson import RawBSONDocument

from shared import chain
from shared.chain import Anchorer, Report, stream_of, verify
from shared.contracts.qa import AnswerReleased
from shared.journal import Commit, Head
from shared.messaging.relay import Relay
from shared.mongo import MongoJournal, from_document, to_document
from tests.shared.test_messaging import commit

IDS = [UUID(int=n) for n in range(1, 6)]
MIDDLE = f"question-{IDS[2]}"


def anchorer(database: Any, holder: str = "r1", every: float = 0) -> Anchorer:
    return Anchorer(database, "qa", holder, every=timedelta(seconds=every))


async def extend(journal: MongoJournal, id: UUID, head: Head, count: int) -> Head:
    for number in range(count):
        made = commit(id, head, AnswerReleased(question_id=id, answer_ref=f"a{number}"))
        await journal.append(made)
        head = made.head
    return head


@pytest.fixture
async def record(database: Any) -> Any:
    """Five streams of four commits; anchored after the first three of each, and again."""
    journal = MongoJournal(database)
    heads = {id: await extend(journal, id, Head(), 3) for id in IDS}
    await anchorer(database).work()
    for id in IDS:
        await extend(journal, id, heads[id], 1)
    await anchorer(database).work()
    return database


async def test_an_untouched_record_is_whole(record: Any) -> None:
    report = await verify(record, "qa")
    assert report == Report(streams=6, commits=22, anchors=2, leaves=10, newest_anchor=report.newest_anchor)
    assert report.whole


async def edit(db: Any) -> None:
    await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$set": {"by": "u-khac"}})


async def edit_an_event(db: Any) -> None:
    data = AnswerReleased(question_id=IDS[2], answer_ref="khác").model_dump_json()
    await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$set": {"events.0.data": data}})


async def add_a_field(db: Any) -> None:
    await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$set": {"note": "x"}})


async def change_the_time(db: Any) -> None:
    found = await db.journal.find_one({"stream": MIDDLE, "version": 2})
    await db.journal.update_one({"_id": found["_id"]}, {"$set": {"at": found["at"] - timedelta(days=1)}})


async def edit_and_reseal_the_commit(db: Any) -> None:
    commits = await MongoJournal(db).read(MIDDLE)
    forged = commits[1]._replace(by="u-khac").sealed(commits[0].head)
    await db.journal.replace_one({"_id": forged.key}, to_document(forged))


async def edit_and_reseal_all_that_follows(db: Any) -> None:
    commits = await MongoJournal(db).read(MIDDLE)
    head, first = commits[0].head, True
    for each in commits[1:]:
        forged: Commit = (each._replace(by="u-khac") if first else each).sealed(head)
        await db.journal.replace_one({"_id": forged.key}, to_document(forged))
        head, first = forged.head, False


async def remove_from_the_middle(db: Any) -> None:
    await db.journal.delete_one({"stream": MIDDLE, "version": 2})


async def remove_the_tail(db: Any) -> None:
    await db.journal.delete_one({"stream": MIDDLE, "version": 4})


async def remove_the_stream(db: Any) -> None:
    await db.journal.delete_many({"stream": MIDDLE})


async def swap_two(db: Any) -> None:
    rows = {n: await db.journal.find_one({"stream": MIDDLE, "version": n}) for n in (2, 3)}
    await db.journal.delete_many({"_id": {"$in": [row["_id"] for row in rows.values()]}})
    await db.journal.insert_many([{**rows[2], "version": 3}, {**rows[3], "version": 2}])


async def swap_two_and_reseal_each(db: Any) -> None:
    """Each is true to itself and to its number, and joined to the wrong one."""
    commits = await MongoJournal(db).read(MIDDLE)
    second = commits[2].sealed(Head(1, commits[2].previous))
    third = commits[1].sealed(Head(2, commits[1].previous))
    await db.journal.delete_many({"_id": {"$in": [second.key, third.key]}})
    await db.journal.insert_many([to_document(second), to_document(third)])


async def insert_between(db: Any) -> None:
    """What follows is numbered anew to make room."""
    for row in (
        await db.journal.find({"stream": MIDDLE, "version": {"$gte": 2}}).sort("version", -1).to_list(9)
    ):
        await db.journal.update_one({"_id": row["_id"]}, {"$inc": {"version": 1}})
    first = (await MongoJournal(db).read(MIDDLE, upto=1))[0]
    forged = commit(IDS[2], first.head, AnswerReleased(question_id=IDS[2], answer_ref="chèn"))
    await db.journal.insert_one(to_document(forged))


async def insert_at_the_end_unsealed(db: Any) -> None:
    forged = commit(
        IDS[2], Head(4, "không phải mã băm của bản 4"), AnswerReleased(question_id=IDS[2], answer_ref="x")
    )
    await db.journal.insert_one(to_document(forged))


async def take_the_events_away(db: Any) -> None:
    await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$unset": {"events": ""}})


async def put_101_events_there(db: Any) -> None:
    row = await db.journal.find_one({"stream": MIDDLE, "version": 2})
    await db.journal.update_one({"_id": row["_id"]}, {"$set": {"events": row["events"] * 101}})


async def number_the_last_in_words(db: Any) -> None:
    await db.journal.update_one({"stream": MIDDLE, "version": 4}, {"$set": {"version": "bốn"}})


async def number_the_last_by_no_number(db: Any) -> None:
    await db.journal.update_one({"stream": MIDDLE, "version": 4}, {"$set": {"version": math.nan}})


async def spell_an_event_in_bytes(db: Any) -> None:
    """Whose hash is the same; the relay cannot send it."""
    row = await db.journal.find_one({"stream": MIDDLE, "version": 2})
    data = row["events"][0]["data"].encode()
    await db.journal.update_one({"_id": row["_id"]}, {"$set": {"events.0.data": data}})


async def write_what_is_no_text(db: Any) -> None:
    raw = encode(await db.journal.find_one({"stream": MIDDLE, "version": 2}))
    await db.journal.delete_one({"stream": MIDDLE, "version": 2})
    await db.journal.insert_one(RawBSONDocument(raw.replace(b"u-ha\0", b"u-\xed\xa0\0")))


async def move_the_time_beyond_the_calendar(db: Any) -> None:
    at = DatetimeMS(2**60)
    await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$set": {"at": at}})


@pytest.mark.parametrize(
    ("tamper", "version", "what"),
    [
        (edit, 2, "edited"),
        (edit_an_event, 2, "edited"),
        (add_a_field, 2, "unreadable"),
        (change_the_time, 2, "edited"),
        (edit_and_reseal_the_commit, 3, "unlinked"),
        (edit_and_reseal_all_that_follows, 3, "anchored_changed"),
        (remove_from_the_middle, 3, "missing"),
        (remove_the_tail, 4, "anchored_missing"),
        (remove_the_stream, 3, "anchored_missing"),
        (swap_two, 2, "edited"),
        (swap_two_and_reseal_each, 2, "unlinked"),
        (insert_between, 3, "edited"),
        (insert_at_the_end_unsealed, 5, "unlinked"),
        (take_the_events_away, 2, "unreadable"),
        (put_101_events_there, 2, "unreadable"),
        (number_the_last_in_words, 0, "unreadable"),
        (number_the_last_by_no_number, 0, "unreadable"),
        (spell_an_event_in_bytes, 2, "unreadable"),
        (write_what_is_no_text, 2, "unreadable"),
        (move_the_time_beyond_the_calendar, 2, "unreadable"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_the_first_broken_place_is_named(
    record: Any, tamper: Callable[[Any], Awaitable[None]], version: int, what: str
) -> None:
    await tamper(record)
    report = await verify(record, "qa")
    assert not report.whole
    first = report.breaks[0]
    assert (first.stream, first.version, first.what) == (MIDDLE, version, what)


async def test_anchors_themselves_cannot_be_changed_unseen(record: Any) -> None:
    async def leaf(db: Any) -> None:
        await db.anchors.update_one({}, {"$set": {"leaves.0.2": "khác"}})

    async def leaves(db: Any) -> None:
        await db.anchors.delete_one({})

    async def anchor(db: Any) -> None:
        await db.journal.delete_one({"stream": stream_of("qa"), "version": 1})

    async def anchor_number(db: Any) -> None:
        await db.journal.update_one({"stream": stream_of("qa"), "version": 1}, {"$set": {"version": "một"}})

    async def no_leaves(db: Any) -> None:
        await db.anchors.update_one({}, {"$set": {"leaves": []}})

    async def leaf_number(db: Any) -> None:
        await db.anchors.update_one({}, {"$set": {"leaves.0.1": "một"}})

    async def leaf_of_two(db: Any) -> None:
        await db.anchors.update_one({}, {"$pop": {"leaves.0": 1}})

    async def a_list_of_streams(db: Any) -> None:
        await db.journal.update_one({"stream": MIDDLE, "version": 2}, {"$set": {"stream": [MIDDLE]}})

    before = await record.anchors.find().to_list(9), await record.journal.find().to_list(99)
    by_hand = leaf, leaves, anchor, anchor_number, no_leaves, leaf_number, leaf_of_two, a_list_of_streams
    for tamper in by_hand:
        await tamper(record)
        assert not (await verify(record, "qa")).whole, tamper.__name__
        for name, rows in zip(("anchors", "journal"), before, strict=True):
            await record[name].delete_many({})
            await record[name].insert_many(rows)
    assert (await verify(record, "qa")).whole


async def test_an_anchor_noted_elsewhere_tells_when_all_was_rewritten_since(record: Any) -> None:
    noted = (await verify(record, "qa")).newest_anchor
    assert (await verify(record, "qa", expect=noted)).whole
    assert not (await verify(record, "qa", expect=noted[:-1] + "x")).whole
    await record.journal.delete_one({"stream": stream_of("qa"), "version": 2})  # the newest anchor, and then
    await record.journal.delete_one({"stream": MIDDLE, "version": 4})  # what it alone bore witness to
    assert (await verify(record, "qa")).whole
    report = await verify(record, "qa", expect=noted)
    assert report.breaks[0].what == "anchored_missing"


async def test_an_anchor_holds_what_moved_since_the_last_and_an_idle_record_gets_none(record: Any) -> None:
    await anchorer(record).work()
    assert await record.journal.count_documents({"stream": stream_of("qa")}) == 2
    await extend(MongoJournal(record), UUID(int=99), Head(), 2)
    await anchorer(record).work()
    newest = from_document(await record.journal.find_one({"stream": stream_of("qa")}, sort=[("version", -1)]))
    assert newest.version == 3
    assert newest.recorded("qa")[0].event.count == 1  # type: ignore[attr-defined]
    assert (await verify(record, "qa")).whole


async def test_a_commit_that_bears_an_old_time_is_anchored_too(record: Any) -> None:
    id = UUID(int=98)
    late = commit(id, Head(), AnswerReleased(question_id=id, answer_ref="a"))
    await MongoJournal(record).append(late._replace(at=late.at - timedelta(days=400)).sealed(Head()))
    await anchorer(record).work()
    await record.journal.delete_many({"stream": f"question-{id}"})
    report = await verify(record, "qa")
    assert [(b.stream, b.what) for b in report.breaks] == [(f"question-{id}", "anchored_missing")]


async def test_much_that_has_moved_comes_under_several_anchors(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the heads of a long journal are never all held at once."""
    monkeypatch.setattr(chain, "AT_ONCE", 400)
    ids = [UUID(int=n) for n in range(1, 1101)]
    every = [commit(id, Head(), AnswerReleased(question_id=id, answer_ref="a")) for id in ids]
    assert set(await MongoJournal(database).append_all(every)) == {None}
    await anchorer(database).work()
    report = await verify(database, "qa")
    assert report.whole and report.leaves == 1100 and report.anchors > 1
    await anchorer(database).work()
    assert (await verify(database, "qa")).anchors == report.anchors


async def test_replicas_do_not_anchor_twice(database: Any) -> None:
    await extend(MongoJournal(database), IDS[0], Head(), 1)
    for holder in ("r1", "r2", "r3"):
        await anchorer(database, holder, every=300).work()
    assert await database.journal.count_documents({"stream": stream_of("qa")}) == 1


async def test_anchors_stay_in_the_house(database: Any) -> None:
    """Journal-only events are passed over by the relay."""

    class NoBroker:
        async def send(self, *_: Any, **__: Any) -> None:
            raise AssertionError("published")

    await extend(MongoJournal(database), IDS[0], Head(), 1)
    await anchorer(database).work()
    (anchor,) = await MongoJournal(database).read(stream_of("qa"))
    await Relay(NoBroker(), "qa").publish([anchor])  # type: ignore[arg-type]
