"""A replay as somebody asked for it (lượt xử lý lại): which dead letters, how fast, dry or not, and how far
it has come. Asked for at any edge; done by a worker of the service, one at a time."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pymongo import ASCENDING, IndexModel

from shared.errors import IdempotencyKeyReused, NotFound
from shared.messaging.dead_letters import Filter
from shared.mongo import Database, answered

Run = dict[str, Any]

INDEXES: Final = [IndexModel([("state", ASCENDING), ("requested_at", ASCENDING)], name="state_requested")]
FASTEST: Final = 1000.0  # a second
USUAL: Final = 50.0
PROGRESS: Final = (
    "state", "total", "replayed", "failed", "waiting", "released", "in_a_row", "after", "warning", "outcomes",
    "started_at", "finished_at",
)  # fmt: skip
MOST_TOLD: Final = 200  # outcomes kept one by one; beyond that they are only counted


class Doing(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    HALTED = "halted"  # too many failures in a row: the cause is still there


@dataclass(frozen=True)
class AskReplay:
    """``ids``, or else all that ``filter`` describes and was buried ``before``; ``release`` asks only for
    what waits on a key."""

    reason: str
    ids: tuple[str, ...] = ()
    filter: Filter = Filter()  # noqa: RUF009 (frozen)
    dry_run: bool = False
    rate: float = USUAL
    release: str = ""
    before: datetime | None = None

    def query(self) -> dict[str, Any]:
        wanted = {"_id": {"$in": list(self.ids)}} if self.ids else self.filter.query()
        return {"$and": [wanted, {"first_seen": {"$lte": self.before}}]} if self.before else wanted


def id_of(once: str) -> str:
    return str(uuid5(NAMESPACE_URL, once))


class Runs:
    def __init__(self, database: Database) -> None:
        self._collection = database.replays

    @answered
    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self._collection.create_indexes(INDEXES)

    @answered
    async def ask(self, ask: AskReplay, *, once: str, by: str, correlation: str, fingerprint: str) -> Run:
        """The same request again is the same run."""
        id = id_of(once)
        now = datetime.now(UTC)
        wish = {
            "ask": {**asdict(ask), "ids": list(ask.ids)}, "by": by, "correlation": correlation,
            "fingerprint": fingerprint, "state": Doing.WAITING, "requested_at": now, "started_at": None,
            "finished_at": None, "total": 0, "replayed": 0, "failed": 0, "waiting": 0, "released": 0,
            "in_a_row": 0, "after": None, "warning": "", "outcomes": [],
        }  # fmt: skip
        await self._collection.update_one({"_id": id}, {"$setOnInsert": wish}, upsert=True)
        run = await self.get(id)
        if run["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        return run

    @answered
    async def get(self, id: str) -> Run:
        run: Run | None = await self._collection.find_one({"_id": {"$eq": id}})
        if run is None:
            raise NotFound("Không có lượt xử lý lại mang mã này.")
        return run

    @answered
    async def known(self, once: str) -> bool:
        return await self._collection.find_one({"_id": id_of(once)}, {"_id": 1}) is not None

    @answered
    async def next(self) -> Run | None:
        """The oldest that is not done, be it half done by a process that died."""
        open_ = {"state": {"$in": [Doing.WAITING, Doing.RUNNING]}}
        run: Run | None = await self._collection.find_one(open_, sort=[("requested_at", 1)])
        return run

    @answered
    async def note(self, run: Run, **facts: Any) -> None:
        """Keep how far it has come, so that another process goes on from there."""
        run.update(facts)
        changed = {name: run[name] for name in PROGRESS}
        await self._collection.update_one({"_id": run["_id"]}, {"$set": changed})


def wish_of(run: Run) -> AskReplay:
    asked = dict(run["ask"])
    return AskReplay(**{**asked, "ids": tuple(asked["ids"]), "filter": Filter(**asked["filter"])})


def shown(run: Run) -> dict[str, Any]:
    """What the one who asked is told."""
    hidden = {"_id", "fingerprint", "in_a_row", "after", "correlation"}
    return {"id": run["_id"], **{name: value for name, value in run.items() if name not in hidden}}
