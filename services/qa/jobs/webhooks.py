"""Báo tin cho hệ thống của đơn vị: each event of a question that concerns the unit, in order, until it is
taken. It names ids, dates and states, as the topic does; words are asked for with the unit's credentials."""

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

import httpx2
import structlog

from services.qa.domain import Question
from services.qa.queries import subscriptions as queries
from services.qa.regulation import Policy
from shared.contracts.base import Recorded
from shared.desk import utc_now
from shared.errors import NotFound
from shared.jobs import Job
from shared.journal import Commit
from shared.mongo import Lease, LeaseLost
from shared.service import Service
from shared.tls import trusted
from shared.web.edge import Edge
from shared.webhooks import SEND_SECONDS, SignedSender, Unsendable, retry_after

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 2.0
AT_ONCE: Final = 20  # messages to one system in a turn, one after the other
TTL: Final = timedelta(seconds=20)
LONGEST_WAIT: Final = timedelta(hours=6)
FIRST_WAIT: Final = timedelta(seconds=2)
STREAM: Final = f"{Question.KIND}-"

Row = dict[str, Any]


def concerned(question: Question) -> frozenset[str]:
    """The units that are told of what happens to a question: who answers it, who is asked, who sent it."""
    return frozenset({question.unit, question.entered_by, *question.consulted} - {""})


class Enqueuer:
    """Follows the journal: a crash repeats a batch, and a message has its own id."""

    def __init__(self, service: Service[Policy]) -> None:
        self._service, self._edge = service, service.edge
        self._read_at, self._open = float("-inf"), list[Row]()

    async def take(self, commits: Sequence[Commit]) -> None:
        ours = [commit for commit in commits if commit.stream.startswith(STREAM)]
        if not ours or not await self._subscribed():
            return
        messages: list[Row] = []
        for commit in ours:
            messages += await self._messages(commit)
        await queries.enqueue(self._edge.database, messages)
        if messages:
            self._service.wake("tell_subscribers")

    async def _subscribed(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._read_at > FRESH_SECONDS:
            self._open, self._read_at = await queries.open_subscriptions(self._edge.database), now
        return bool(self._open)

    async def _messages(self, commit: Commit) -> list[Row]:
        """Whoever held the question before this commit is told too: it may have been taken from them."""
        desk = self._edge.desk()
        id = UUID(commit.stream.removeprefix(STREAM))
        after = await desk.find(Question, id, upto=commit.version)
        if after is None:
            return []
        before = await desk.find(Question, id, upto=commit.version - 1) if commit.version > 1 else None
        units = concerned(after) | (concerned(before) if before else frozenset())
        events = [event for event in commit.recorded(self._edge.source) if event.event.published]
        return [
            message_of(subscription["_id"], event, after)
            for subscription in self._open
            if subscription["unit"] in units
            for event in events
        ]


def message_of(subscription: str, recorded: Recorded[Any], question: Question) -> Row:
    """A CloudEvent, structured; ``place`` orders what goes to one system."""
    event = recorded.event
    body = {
        "specversion": "1.0", "id": recorded.id, "source": f"/services/{recorded.source}", "type": event.name,
        "subject": recorded.stream, "time": recorded.at.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json", "number": question.number, "sequence": str(recorded.version),
        "data": json.loads(event.model_dump_json()),
    }  # fmt: skip
    return {
        "_id": f"{subscription}:{recorded.id}", "subscription": subscription, "event_id": recorded.id,
        "place": [recorded.at, recorded.stream, recorded.sequence], "told_at": None,
        "correlation": recorded.correlation, "body": json.dumps(body, ensure_ascii=False),
    }  # fmt: skip


class Teller:
    """One replica tells at a time, which saves doubles; a double has the same id all the same."""

    def __init__(self, edge: Edge[Policy], replica: str, *, local: bool) -> None:
        self._edge, self._replica, self._local, self._tls = edge, replica, local, trusted()

    async def run(self) -> int:
        database = self._edge.database
        now = utc_now()
        due = [row for row in await queries.open_subscriptions(database) if row["next_at"] <= now]
        if not due:
            return 0
        lease = Lease(database, "webhooks", self._replica, ttl=TTL)
        if not await lease.acquire():
            return 0
        try:
            told = await asyncio.gather(*(self._tell(row, lease) for row in due))
        except LeaseLost:
            return 0
        finally:
            await lease.release()
        return sum(told)

    async def _tell(self, subscription: Row, lease: Lease) -> int:
        database = self._edge.database
        messages = await queries.waiting(database, subscription["_id"], AT_ONCE)
        if not messages:
            return 0
        try:
            secret = str((await self._edge.vault.get(subscription["secret_ref"]))["secret"])
        except NotFound:
            await self._failed(subscription, "Khóa ký không còn được lưu; hãy đăng ký lại.", None)
            return 0
        sender = SignedSender(subscription["url"], secret, local=self._local, tls=self._tls)
        begun = monotonic()
        try:
            for count, message in enumerate(messages):
                if monotonic() - begun > SEND_SECONDS:
                    return count  # the others are told in the same turn and wait for it
                await lease.renew()
                reason, asked = await _send(sender, message)
                if reason:
                    await self._failed(subscription, reason, asked)
                    return count
                await queries.told(database, message, utc_now())
        finally:
            await sender.close()
        return len(messages)

    async def _failed(self, subscription: Row, reason: str, asked: timedelta | None) -> None:
        wait = min(FIRST_WAIT * 2 ** min(subscription["failures"], 20), LONGEST_WAIT)
        wait = max(wait * random.uniform(0.8, 1.2), asked or timedelta())  # noqa: S311 (spreads retries)
        await queries.failed(self._edge.database, subscription["_id"], reason, utc_now() + wait)
        log.warning("subscriber.not_told", unit=subscription["unit"], reason=reason)


async def _send(sender: SignedSender, message: Row) -> tuple[str, timedelta | None]:
    """Empty when it was taken; else why not, and how long the system asks us to wait."""
    try:
        status, headers, _ = await sender.send(message["event_id"], message["body"], message["correlation"])
    except Unsendable as error:
        return str(error), None
    except (TimeoutError, httpx2.TimeoutException):
        return f"Không trả lời trong {SEND_SECONDS:.0f} giây.", None
    except (httpx2.HTTPError, OSError) as error:
        return f"Không kết nối được ({type(error).__name__}).", None
    if 200 <= status < 300:
        return "", None
    return f"Trả lời {status}.", retry_after(headers.get("retry-after", ""))


def jobs(service: Service[Policy]) -> Sequence[Job]:
    local = service.settings.environment == "local"
    return [Job("tell_subscribers", 2.0, Teller(service.edge, service.replica, local=local).run)]
