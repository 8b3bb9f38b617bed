"""The journal as a flow: its change stream by raw batches, from a token on; or, when that place is gone from
the oplog, the journal itself read again from a time."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.errors import OperationFailure

from shared.journal import Commit
from shared.mongo import Database, from_document

HISTORY_LOST: Final = 286
LOST: Final = frozenset({HISTORY_LOST, 280, 260})  # gone from the oplog; not found in it; not its own


async def majority_time(command: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Any:
    """Up to where a majority read is whole. A change stream left to itself starts later, and what was written
    between the two, acknowledged by no majority yet, would be in neither."""
    return (await command({"hello": 1}))["lastWrite"]["majorityOpTime"]["ts"]


class MongoFeed:
    """The journal's change stream by raw batches. Without a token, or when the token's place is gone
    from the oplog, the journal itself is read from ``since`` (all of it when None) before following."""

    WAIT_MS: Final = 1000
    MARGIN: Final = timedelta(minutes=10)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: Any = None
        self._cursor: dict[str, Any] = {}
        self._backlog: Any = None

    async def open(self, token: Any, since: datetime | None) -> None:
        self._session = await self._database.client.start_session()
        try:
            await self._follow(token)
        except OperationFailure as error:
            if error.code not in LOST:
                raise
            token = None
            await self._follow(token)
        if token is None:
            missed = {"at": {"$gte": since - self.MARGIN}} if since else {}
            # By version, never by time: clocks differ, and what a late clock wrote must not come first.
            found = self._database.journal.find(missed).sort([("stream", 1), ("version", 1)])
            self._backlog = found.allow_disk_use(True).batch_size(500)

    async def _follow(self, token: Any) -> None:
        now = "startAtOperationTime"
        start = {"resumeAfter": token} if token else {now: await majority_time(self._command)}
        shape = [{"$match": {"operationType": "insert"}}, {"$project": {"fullDocument": 1}}]
        pipeline = [{"$changeStream": start}, *shape]
        # A first batch is asked for at once: the server looks for the token's place only as it fills one.
        watch = {"aggregate": "journal", "pipeline": pipeline, "cursor": {}}
        self._cursor = (await self._command(watch))["cursor"]

    async def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Commands forget the client's options: without them, times would lose their zone."""
        options = self._database.codec_options
        answer = await self._database.command(command, codec_options=options, session=self._session)
        return dict(answer)

    async def next(self, *, wait_ms: int = WAIT_MS) -> tuple[Sequence[Commit], Any]:
        if self._backlog is not None:
            documents = await self._backlog.to_list(500)
            if documents:
                return [from_document(d) for d in documents], None
            self._backlog = None
        if first := self._cursor.pop("firstBatch", None):
            return _commits(first), self._cursor["postBatchResumeToken"]
        more = {"getMore": self._cursor["id"], "collection": "journal"}
        answer = await self._command({**more, "maxTimeMS": wait_ms, "batchSize": 1000})
        cursor = answer["cursor"]
        self._cursor["id"] = cursor["id"]
        return _commits(cursor["nextBatch"]), cursor["postBatchResumeToken"]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.end_session()


def _commits(changes: Sequence[dict[str, Any]]) -> list[Commit]:
    return [from_document(change["fullDocument"]) for change in changes]
