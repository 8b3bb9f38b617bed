"""Files on a timer: each is shown to the scanner until it says something, and what no commit came to name is
swept. Each bears being run by several replicas at the same moment."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.qa import handlers
from services.qa.domain import Question, RecordCheck, unchecked
from services.qa.files import names
from services.qa.gateways import Clamd, ScannerFailed, Verdict
from services.qa.queries import files
from services.qa.queries.files import KEPT_UNSENT, FileStore
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.contracts.qa import FileVerdict
from shared.errors import NotFound, PortalError
from shared.jobs import Job
from shared.service import Service
from shared.web.edge import Edge

log = structlog.get_logger(__name__)

SCANS: Final = Counter("file_scans", "Attached files shown to the scanner, by what came of it", ["outcome"])
CLAIMED_FOR: Final = timedelta(minutes=10)
LONGEST_PAUSE: Final = 300  # seconds until a silent scanner is asked again
MOST_ERRORS: Final = 5  # of its own, until a file is taken to be one that it can't read
SWEPT_AT_ONCE: Final = 100


def now() -> datetime:
    """As the database keeps it, so that what was written can be named again."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Scanning:
    edge: Edge[Policy]
    store: FileStore
    scanner: Clamd
    clock: Callable[[], datetime] = now

    async def run(self) -> int:
        """One question's files. While the scanner is silent nothing is decided and others are tried later."""
        until = self.clock() + CLAIMED_FOR
        row = await files.claim_scan(self.edge.database, self.clock(), until)
        if row is None:
            return 0
        hints: dict[str, Any] = {}
        try:
            done = await self._scan(UUID(row["_id"]), row.get("scan_errors", 0))
        except PortalError as error:
            done, hints = 0, self._later(row, error)
            SCANS.labels("deferred").inc()
            log.warning("file.scan_deferred", id=row["_id"], code=error.code, reason=error.detail)
        await files.settle_scan(self.edge.database, row["_id"], until, **hints)
        return done

    def _later(self, row: files.Row, error: PortalError) -> dict[str, Any]:
        tries = row.get("scan_tries", 0) + 1
        pause = timedelta(seconds=min(5 * 2 ** min(tries - 1, 10), LONGEST_PAUSE))
        errors = row.get("scan_errors", 0) + isinstance(error, ScannerFailed)
        return {"scan_at": self.clock() + pause, "scan_tries": tries, "scan_errors": errors}

    async def _scan(self, id: UUID, errors: int) -> int:
        question = await self.edge.desk().load(Question, id)
        waiting = unchecked(question)
        for file_id in waiting:
            try:
                content = self.store.read(question.files[file_id], id)
                said = await self._said(content, errors)
            except NotFound:  # erased meanwhile
                continue
            desk = self.edge.desk(once=f"scan:{file_id}")
            await desk.run(handlers.record_check, RecordCheck(id, file_id, said.verdict, said.finding))
            SCANS.labels(said.verdict.value).inc()
            log.info("file.scanned", id=str(file_id), outcome=said.verdict)
        return len(waiting)

    async def _said(self, content: AsyncIterator[bytes], errors: int) -> Verdict:
        try:
            return await self.scanner.scan(content)
        except ScannerFailed:
            if errors + 1 < MOST_ERRORS:
                raise
            return Verdict(FileVerdict.UNREADABLE)


@dataclass(frozen=True)
class Sweeping:
    edge: Edge[Policy]
    store: FileStore
    clock: Callable[[], datetime] = now

    async def run(self) -> int:
        """Uploads that were never sent, and files of a question that was never received."""
        rows = await self.store.unnamed(self.clock() - KEPT_UNSENT, SWEPT_AT_ONCE)
        swept = []
        for row in rows:
            sent = row["owner"] != row["_id"]
            if sent and await names(self.edge.desk(), UUID(row["owner"]), UUID(row["_id"])):
                await self.store.is_named([row["_id"]])
            else:
                swept.append(row["_id"])
        await self.store.drop(swept)
        return len(rows)


def jobs(settings: QaSettings, service: Service[Policy]) -> list[Job]:
    store = FileStore(service.database, service.keyring)
    found = [Job("sweep-files", 600, Sweeping(service.edge, store).run)]
    if settings.clamd:
        found.append(Job("scan", 2, Scanning(service.in_bulk, store, Clamd(settings.clamd)).run))
    return found
