"""Tệp đính kèm on its way in: checked and sealed while it streams, kept for a day as an upload that a token
names, owned by the question it is sent with before the commit that names it."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Request
from starlette.datastructures import FormData

from services.qa import domain, handlers
from services.qa.asking import Door, settings_of
from services.qa.domain import Question
from services.qa.files.tokens import FIELD, MOST_FILES, FileExpired, Staged
from services.qa.files.types import FileTypeRefused, NotTaken, Sniffer, clean_name
from services.qa.handlers import QaDesk
from services.qa.pages.errors import said
from services.qa.queries.files import FileStore, Intake
from services.qa.queries.limits import Limiter
from shared.contracts.qa import AttachedFile
from shared.errors import IdempotencyKeyReused, InvalidInput, PortalError, TooManyRequests, VersionConflict
from shared.web import english, vietnamese
from shared.web.multipart import is_multipart, streamed_form
from shared.web.session import require_csrf

MOST_IN_ALL: Final = 20  # of one question
MB: Final = 1024 * 1024

C = TypeVar("C")


def uploads(largest_file: int) -> dict[str, int]:
    """Path → bytes that a form with files may have there."""
    several = MOST_FILES * largest_file + MB
    pages = ("/ask", "/track/information", "/track/follow-up", "/track/resubmission")
    return {"/v1/files": largest_file + MB} | dict.fromkeys(pages, several)


class FileTooLarge(PortalError):
    status, code = 413, "file_too_large"
    title_vi, title_en = "Tệp quá lớn", "The file is too large"


class FileEmpty(PortalError):
    status, code = 422, "file_empty"
    title_vi, title_en = "Tệp trống", "The file is empty"


class TooManyFiles(PortalError):
    status, code = 422, "too_many_files"
    title_vi, title_en = "Quá nhiều tệp", "Too many files"


class FileSentBefore(PortalError):
    status, code = 409, "file_sent_before"
    title_vi, title_en = "Tệp đã được gửi kèm câu hỏi khác", "The file was sent with another question"

    def __init__(self) -> None:
        message = "Một tệp đã được gửi kèm câu hỏi khác; hãy đính kèm lại."
        super().__init__(message, errors=[{"field": FIELD, "message": message}])


# What is told beside the field of the files.
NOT_SENT: Final = (InvalidInput, FileExpired, FileSentBefore, TooManyFiles)


class Uploading:
    """Takes one file; what is refused is dropped at once. ``once`` makes a repetition find the first."""

    def __init__(self, door: Door, intake: Intake, name: str, once: str) -> None:
        self._door, self._intake, self._once = door, intake, once
        self.name, self._sniffer, self._hashing = name, Sniffer(), hashlib.sha256()
        self.staged: Staged | None = None

    async def write(self, data: bytes) -> None:
        await self._or_dropped(self._write(data))

    async def close(self) -> str:
        await self._or_dropped(self._close())
        return self.staged.token(self._door.codes) if self.staged else ""

    async def _or_dropped(self, work: Awaitable[None]) -> None:
        """What is refused, or breaks off, leaves nothing behind."""
        try:
            await work
        except NotTaken as why:
            await self.drop()
            raise FileTypeRefused(self.name, why) from None
        except BaseException:
            await self.drop()
            raise

    async def _write(self, data: bytes) -> None:
        most = self._door.settings.largest_file
        if self._intake.size + len(data) > most:
            raise FileTooLarge(
                f"Tệp «{self.name}» lớn hơn {vietnamese.file_size(most)}.", file=self.name,
                detail_en=f"File “{self.name}” is over {english.file_size(most)}.",
            )  # fmt: skip
        self._sniffer.feed(data)
        self._hashing.update(data)
        await self._intake.write(data)

    async def _close(self) -> None:
        if not self._intake.size:
            raise FileEmpty(
                f"Tệp «{self.name}» không có nội dung.", file=self.name,
                detail_en=f"File “{self.name}” is empty.",
            )  # fmt: skip
        media_type = self._sniffer.kind().media_type
        mark = self._door.codes.same_file(self._hashing.digest())
        kept = await self._intake.finish(media_type, mark, self._once)
        if kept.mark != mark:
            raise IdempotencyKeyReused
        self.staged = Staged(kept.file, self.name, mark)

    async def drop(self) -> None:
        await self._intake.drop()


def limits_of(request: Request) -> dict[str, int]:
    """What a page says beforehand."""
    return {"most": MOST_FILES, "largest": settings_of(request).largest_file}


def store_of(request: Request) -> FileStore:
    service = request.app.state.service
    return FileStore(service.database, service.keyring)


async def uploading(door: Door, store: FileStore, given: str, once: str = "") -> Uploading:
    """Raises TooManyRequests when this visitor has sent too many."""
    settings = door.settings
    limiter = Limiter(
        door.edge.database, most=settings.upload_limit, window=timedelta(seconds=settings.tracking_window)
    )
    await limiter.enter(f"{door.visitor}:files", datetime.now(UTC))
    return Uploading(door, await store.begin(), clean_name(given), once)


async def take_one(request: Request, door: Door, store: FileStore, once: str) -> Staged:
    """The one file of a request. Raises what is wrong with it."""
    taken: list[Uploading] = []

    async def begin(_: str, given: str, __: FormData) -> Uploading:
        if taken:
            raise TooManyFiles("Mỗi lần tải lên chỉ một tệp.", detail_en="One file at a time.")
        taken.append(await uploading(door, store, given, once))
        return taken[0]

    try:
        await streamed_form(request, begin)
    except BaseException:
        for each in taken:
            await each.drop()
        raise
    if not taken or taken[0].staged is None:
        message = "Chưa có tệp nào."
        raise InvalidInput(message, errors=[{"field": "file", "message": message}])
    return taken[0].staged


@dataclass
class PageForm:
    """What a page's form brought: its fields, each file as its token among ``files[]``; what was refused."""

    fields: FormData | None = None
    refused: PortalError | None = None

    def check(self) -> None:
        """Raises what the first file was refused for, as an error of its field."""
        if self.refused is not None:
            message = said(self.refused)
            raise InvalidInput(message, errors=[{"field": FIELD, "message": message}])


class _Lenient:
    """A file that is refused is told of beside its field: what was typed and the other files still come in.
    Without a taker it was refused already."""

    def __init__(self, form: PageForm, taker: Uploading | None) -> None:
        self._form, self._taker = form, taker

    async def write(self, data: bytes) -> None:
        if self._taker is not None:
            await self._tried(self._taker.write(data))

    async def close(self) -> str:
        return "" if self._taker is None else await self._tried(self._taker.close())

    async def _tried(self, work: Awaitable[Any]) -> Any:
        try:
            return await work
        except PortalError as error:
            if error.status >= 500:
                raise
            self._taker = None
            self._form.refused = self._form.refused or error
        return ""


async def read_form(request: Request, door: Door, store: FileStore) -> PageForm:
    """Of a form without files the fields are read elsewhere. Raises CsrfFailed before a file is looked at."""
    form = PageForm()
    if not is_multipart(request):
        return form

    async def begin(_: str, given: str, before: FormData) -> _Lenient:
        await require_csrf(request, before)
        if len(before.getlist(f"{FIELD}[]")) >= MOST_FILES:
            form.refused = form.refused or TooManyFiles(
                f"Tối đa {MOST_FILES} tệp mỗi lần gửi.", detail_en=f"{MOST_FILES} files at a time."
            )
            return _Lenient(form, None)
        try:
            return _Lenient(form, await uploading(door, store, given))
        except TooManyRequests as error:
            form.refused = form.refused or error
            return _Lenient(form, None)

    form.fields = await streamed_form(request, begin)
    return form


def owning(
    store: FileStore, handler: Callable[[C, QaDesk], Awaitable[Question]]
) -> Callable[[C, QaDesk], Awaitable[Question]]:
    """The handler, which finds its command's files, if there are any, owned by the question already."""

    async def owned(cmd: C, desk: QaDesk) -> Question:
        match cmd:
            case domain.ReceiveQuestion(files=[_, *_]):
                await own(store, await handlers.question_id_for(cmd, desk), cmd.files, desk)
            case domain.AddInformation(files=[_, *_]):
                await own(store, cmd.question_id, cmd.files, desk)
            case _:
                pass
        return await handler(cmd, desk)

    return owned


async def own(store: FileStore, owner: UUID, files: Sequence[AttachedFile], desk: QaDesk) -> None:
    """Raises FileExpired, FileSentBefore, TooManyFiles."""
    if await store.count(owner) + len(files) > MOST_IN_ALL:
        message = f"Một câu hỏi có tối đa {MOST_IN_ALL} tệp."
        raise TooManyFiles(message, errors=[{"field": FIELD, "message": message}])
    for file in files:
        row = await store.find(file.file_id)
        if row is None:
            raise FileExpired
        if row["owner"] == str(owner):
            continue
        if row["owner"] != row["_id"] and await names(desk, UUID(row["owner"]), file.file_id):
            raise FileSentBefore
        if not await store.own(row, owner):
            raise VersionConflict("Tệp vừa được gửi ở nơi khác.")


async def names(desk: QaDesk, owner: UUID, file_id: UUID) -> bool:
    """Whether a commit of this question names the file."""
    question = await desk.find(Question, owner)
    return question is not None and file_id in question.files
