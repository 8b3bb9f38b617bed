"""When the place to resume at is gone, the journal is read again: in order of each stream, whatever the
clocks of those who wrote it said."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.feed import MongoFeed
from shared.journal import Commit, Head
from shared.mongo import MongoJournal

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)


async def test_a_rescan_keeps_the_order_of_a_stream_though_the_clocks_differ(database: Any) -> None:
    journal, head = MongoJournal(database), Head()
    for n, late in enumerate((0, -3, 2, -5)):  # replicas whose clocks are off by seconds wrote in turn
        commit = Commit(
            f"k{n}", "question-1", 0, (), NOON + timedelta(seconds=late), "u", "c", ""
        ).sealed(head)  # fmt: skip
        await journal.append(commit)
        head = commit.head
    feed = MongoFeed(database)
    await feed.open(None, NOON)
    try:
        commits, token = await feed.next()
    finally:
        await feed.close()
    assert [c.version for c in commits] == [1, 2, 3, 4]
    assert token is None  # not yet past the backlog: a crash here reads it again
