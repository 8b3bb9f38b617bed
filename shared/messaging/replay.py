"""Replays dead letters (xử lý lại) through the inbox's own handlers, in order for each key, at a rate. What
waited behind a letter on its key follows it. A letter is never handled before an earlier one of its key."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

import structlog

from shared.contracts.operations import DeadLetterReplayed, DeadLetterReplayFailed
from shared.desk import Desk
from shared.errors import Unavailable
from shared.journal import AlreadyDone, VersionConflict
from shared.messaging.dead_letters import BLOCKED, DeadLetters, Grave, State, original_of, place_of
from shared.messaging.graves import DeadLetterSettled, record
from shared.messaging.inbox import Inbox
from shared.messaging.masking import reason_of
from shared.messaging.rehearsal import Rehearsal
from shared.messaging.runs import MOST_TOLD, AskReplay, Doing, Run, Runs, wish_of
from shared.mongo import TROUBLE, Database, Lease, LeaseLost
from shared.workflow import SYSTEM, Actor

log = structlog.get_logger(__name__)

PAGE: Final = 50
HALT_AFTER: Final = 20  # failures in a row, over whatever keys: replaying on would only bury the reasons
SWEEP: Final = 10.0  # seconds between two looks for what waits behind nothing
TTL: Final = timedelta(seconds=30)
PATIENCE: Final = 30.0  # seconds for a handler that does not come back: the replays of others wait for it
BEHIND: Final = "đứng sau một thư cùng hồ sơ vừa được xử lý"


class Replayer:
    """One at a time in a service, by lease; ``desk`` opens a desk for (who, correlation)."""

    def __init__(
        self,
        database: Database,
        graves: DeadLetters,
        inbox: Inbox,
        desk: Callable[[Actor, str], Desk[Any]],
        replica: str,
    ) -> None:
        self._graves, self._inbox, self._desk = graves, inbox, desk
        self._runs = Runs(database)
        self._lease = Lease(database, "replays", replica, ttl=TTL)
        self._swept = self._renewed = 0.0

    async def work(self) -> int:
        """The job: one run, or a sweep; how much was done."""
        run = await self._runs.next()
        stranded = await self._graves.stranded() if run is None and self._sweep_due() else []
        if run is None and not stranded:
            return 0
        if not await self._lease.acquire():
            return 0
        self._renewed = monotonic()
        try:
            if run is not None:
                return await self._execute(run)
            return sum([await self._release(key, self._desk(SYSTEM, "sweep"), "") for key in stranded])
        except LeaseLost:
            return 0  # whoever took over goes on from the last note
        finally:
            await self._lease.release()

    def _sweep_due(self) -> bool:
        due = monotonic() - self._swept > SWEEP
        if due:
            self._swept = monotonic()
        return due

    async def _hold(self) -> None:
        if monotonic() - self._renewed > TTL.total_seconds() / 3:
            await self._lease.renew()
            self._renewed = monotonic()

    async def _execute(self, run: Run) -> int:
        wish = wish_of(run)
        desk = self._desk(Actor(run["by"]), run["correlation"])
        if run["state"] == Doing.WAITING:
            total = await self._graves.count(wish.query()) if not wish.release else 0
            await self._runs.note(run, state=Doing.RUNNING, total=total, started_at=datetime.now(UTC))
        try:
            if wish.release:
                await self._runs.note(run, released=await self._release(wish.release, desk, run["_id"]))
            elif wish.dry_run:
                await self._rehearse(run, wish, desk)
            else:
                await self._replay(run, wish, desk)
        except (Unavailable, *TROUBLE) as trouble:
            await self._runs.note(run, warning=f"Đích chưa trả lời ({reason_of(trouble)}); sẽ thử tiếp.")
            raise
        state = Doing.HALTED if run["in_a_row"] >= HALT_AFTER else Doing.FINISHED
        await self._runs.note(run, state=state, finished_at=datetime.now(UTC), warning=_warning(run, state))
        log.info("replay.finished", id=run["_id"], outcome=state, count=run["replayed"] + run["released"])
        return 1

    async def _replay(self, run: Run, wish: AskReplay, desk: Desk[Any]) -> None:
        pace = 1 / wish.rate
        while run["in_a_row"] < HALT_AFTER:
            after = tuple(run["after"]) if run["after"] else None
            page = await self._graves.next_of(_until(wish, run), after, PAGE)
            if not page:
                return
            for grave in page:
                began = monotonic()
                await self._hold()
                await self._replay_in_turn(run, grave, wish, desk)
                await self._runs.note(run, after=list(place_of(grave)), warning="")
                if run["in_a_row"] >= HALT_AFTER:
                    return
                await asyncio.sleep(max(0.0, pace - (monotonic() - began)))

    async def _replay_in_turn(self, run: Run, grave: Grave, wish: AskReplay, desk: Desk[Any]) -> None:
        first = await self._graves.first_of(grave["key"]) if grave["key"] else grave
        if first is None:
            return  # settled by somebody else meanwhile
        if first["_id"] != grave["_id"]:
            _tell(run, "waiting", grave, behind=first["_id"])
            return
        failure = await self._once(grave, desk, wish.reason, run["_id"])
        if failure is not None:
            run["in_a_row"] += 1
            _tell(run, "failed", grave, error=type(failure).__name__, reason=reason_of(failure))
            return
        run["in_a_row"] = 0
        released = await self._release(grave["key"], desk, run["_id"])
        run["released"] += released
        _tell(run, "replayed", grave, released=released)

    async def _once(self, grave: Grave, desk: Desk[Any], reason: str, run_id: str) -> Exception | None:
        """Handle one letter and record the act; the failure, if it is poison still. The effect comes before
        its record: a crash between them repeats the effect, which collides with itself."""
        id, edit = grave["_id"], grave.get("current_edit", "")
        facts = {"dead_letter_id": id, "run_id": run_id, "reason": reason, "edited": bool(edit)}
        desk = desk.at(datetime.now(UTC))
        try:
            async with asyncio.timeout(PATIENCE):
                handled = await self._inbox.handle_one(original_of(grave, edit))
        except (Unavailable, *TROUBLE):
            raise
        except Exception as failure:
            await _recorded(DeadLetterReplayFailed(**facts, error=type(failure).__name__), desk)
            await self._graves.failed_again(id, failure)
            return failure
        state = await _recorded(DeadLetterReplayed(**facts, handled=handled), desk)
        await self._graves.mark(id, state, desk.by.subject, settled_reason=reason)
        return None

    async def _release(self, key: str, desk: Desk[Any], run_id: str) -> int:
        """What only waited on this key, in order, up to the first that has a fault of its own."""
        count = 0
        while key and (grave := await self._graves.first_of(key)) and grave["error"] == BLOCKED:
            await self._hold()
            if await self._once(grave, desk, BEHIND, run_id) is not None:
                break
            count += 1
        return count

    async def _rehearse(self, run: Run, wish: AskReplay, desk: Desk[Any]) -> None:
        """The real handlers, nothing written; the first of very many stand for the rest."""
        stage = Rehearsal(desk.journal, desk.vault)
        passed: dict[str, list[str]] = {}
        for grave in await self._graves.next_of(_until(wish, run), None, MOST_TOLD):
            await self._hold()
            ahead = passed.setdefault(grave["key"], [])
            first = await self._graves.first_of(grave["key"], but=ahead) if grave["key"] else grave
            if first is None or first["_id"] != grave["_id"]:
                _tell(run, "waiting", grave, behind=first["_id"] if first else "")
                continue
            seen = len(stage.commits)
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._inbox.handle_one(
                        original_of(grave, grave.get("current_edit", "")), around=stage.on
                    )
            except (Unavailable, *TROUBLE):
                raise
            except Exception as failure:
                _tell(run, "failed", grave, error=type(failure).__name__, reason=reason_of(failure))
            else:
                ahead.append(grave["_id"])
                events = [event.name for commit in stage.commits[seen:] for event in commit.events]
                _tell(run, "replayed", grave, events=events)


def _until(wish: AskReplay, run: Run) -> dict[str, Any]:
    """What is buried after the request was not meant by it."""
    return {"$and": [wish.query(), {"first_seen": {"$lte": run["requested_at"]}}]}


async def _recorded(act: DeadLetterReplayed | DeadLetterReplayFailed, desk: Desk[Any]) -> State:
    """The state on record after the act, or after what somebody else did at the same moment."""
    while True:
        try:
            return (await record(act, desk)).state
        except DeadLetterSettled as settled:
            return State(settled.extra["state"])
        except (VersionConflict, AlreadyDone):
            continue


def _tell(run: Run, outcome: str, grave: Grave, **more: Any) -> None:
    run[outcome] += 1
    if len(run["outcomes"]) < MOST_TOLD:
        row = {"id": grave["_id"], "event": grave["event"], "outcome": outcome, **more}
        run["outcomes"] = [*run["outcomes"], row]


def _warning(run: Run, state: Doing) -> str:
    if state is Doing.HALTED:
        return f"Đã dừng: {HALT_AFTER} thư liền nhau đều hỏng; nguyên nhân vẫn còn."
    if run["failed"]:
        return f"{run['failed']} thư vẫn hỏng như cũ: nguyên nhân vẫn còn."
    return ""
