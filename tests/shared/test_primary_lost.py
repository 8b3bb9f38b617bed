"""A primary that lost its majority answers too: what it says of a commit is no word to act on. And a list of
brokers is a list."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from pymongo.errors import BulkWriteError

from shared.contracts.qa import QuestionClosed
from shared.errors import Unavailable
from shared.journal import Commit, Head, Stored
from shared.messaging.asyncapi import broker_for
from shared.mongo import MongoJournal

# As mongod 6.0 said it, cut from the two others: the key collides, and no majority has what it collides with.
COLLIDES: dict[str, Any] = {
    "writeErrors": [
        {"index": 0, "code": 11000, "errmsg": "E11000 duplicate key error", "keyPattern": {"_id": 1}}
    ],
    "writeConcernErrors": [{"code": 11602, "codeName": "InterruptedDueToReplStateChange", "errmsg": ""}],
    "nInserted": 0,
}


class Collection:
    async def insert_many(self, documents: list[dict[str, Any]], *, ordered: bool) -> None:
        raise BulkWriteError(COLLIDES)


async def test_a_collision_that_no_majority_stands_behind_is_unknown_and_never_already_done() -> None:
    database: Any = SimpleNamespace(journal=Collection())
    event = Stored.of(QuestionClosed(question_id=UUID(int=7)))
    one = Commit("key-1", "question-7", 0, (event,), datetime.now(UTC), "system", "c-1", "").sealed(Head())
    with pytest.raises(Unavailable):
        await MongoJournal(database).append(one)


def test_the_inbox_knows_each_of_several_brokers() -> None:
    broker = broker_for("kafka-1:9092,kafka-2:9092", "qa", [])
    assert broker._connection_kwargs["bootstrap_servers"] == ["kafka-1:9092", "kafka-2:9092"]
