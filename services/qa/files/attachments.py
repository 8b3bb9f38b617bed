"""Tệp đính kèm as they are shown and given out: with what the scanner said, and nothing that it
warned of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.qa.files.types import KINDS, Kind
from services.qa.queries.file import File, file_of
from services.qa.queries.files import FileStore
from services.qa.regulation import Policy
from shared.contracts.qa import AttachedFile, FileVerdict
from shared.errors import NotFound, PortalError
from shared.web.edge import Edge

UNKNOWN: Final = Kind("application/octet-stream", "bin", "Tệp")
WAITING, UNSCANNED = "waiting", "unscanned"
# Trạng thái: what it is called, how it is painted, its icon.
STATES: Final = {
    FileVerdict.CLEAN.value: ("Đã quét, không thấy mã độc", "ok", "shield-check"),
    FileVerdict.INFECTED.value: ("Có mã độc, không mở được", "bad", "shield-alert"),
    FileVerdict.UNREADABLE.value: ("Máy quét không đọc được, không mở được", "bad", "shield-alert"),
    WAITING: ("Đang chờ quét mã độc", "", "hourglass"),
    UNSCANNED: ("Chưa quét", "warn", "triangle-alert"),
}
GIVEN: Final = frozenset({FileVerdict.CLEAN.value, UNSCANNED})


class FileInfected(PortalError):
    """The scanner found something in it: nobody is given it."""

    status, code = 409, "file_infected"
    title_vi, title_en = "Tệp có mã độc", "The file is infected"


class FileNotReadable(PortalError):
    status, code = 409, "file_unreadable"
    title_vi, title_en = "Máy quét không đọc được tệp", "The scanner could not read the file"


class FileNotScanned(PortalError):
    status, code = 409, "file_not_scanned"
    title_vi, title_en = "Tệp đang chờ quét mã độc", "The file has not been scanned yet"


WITHHELD: Final[dict[str, type[PortalError]]] = {
    FileVerdict.INFECTED.value: FileInfected,
    FileVerdict.UNREADABLE.value: FileNotReadable,
    WAITING: FileNotScanned,
}


class FileOut(BaseModel):
    """``name`` is its sender's; ``state``: clean, infected, unreadable, waiting, unscanned (there is no
    scanner). Only what is clean or unscanned is given out."""

    id: UUID
    name: str
    media_type: str
    size: int
    state: str
    state_vi: str


@dataclass(frozen=True, slots=True)
class Attachment:
    file: AttachedFile
    owner: UUID
    name: str
    own_name: str  # under which it is saved: ASCII, ours
    state: str

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.file.media_type, UNKNOWN)

    @property
    def told(self) -> tuple[str, str, str]:
        return STATES[self.state]

    @property
    def given(self) -> bool:
        return self.state in GIVEN

    def out(self) -> FileOut:
        return FileOut(
            id=self.file.file_id, name=self.name, media_type=self.file.media_type, size=self.file.size,
            state=self.state, state_vi=self.told[0],
        )  # fmt: skip


def attachments(file: File, policy: Policy) -> list[Attachment]:
    """In the order in which they came; none of an asker who was erased."""
    question = file.question
    if question.erased:
        return []
    found = []
    for place, (id, each) in enumerate(question.files.items(), 1):
        kind = KINDS.get(each.media_type, UNKNOWN)
        own_name = f"{question.number}-{place}.{kind.extension}"
        verdict = question.verdicts.get(id)
        state = verdict.value if verdict else WAITING if policy.scans_files else UNSCANNED
        found.append(Attachment(each, question.id, file.names.get(str(id), own_name), own_name, state))
    return found


async def attachments_of(edge: Edge[Policy], file: File) -> list[Attachment]:
    """A part of a question was sent with the whole's files."""
    found = attachments(file, edge.policy)
    if file.question.part_of is None:
        return found
    whole = await file_of(edge.journal, edge.vault, edge.source, file.question.part_of)
    return [*attachments(whole, edge.policy), *found]


def one_of(found: list[Attachment], file_id: UUID) -> Attachment:
    """Raises NotFound, or why it is not given out."""
    each = next((each for each in found if each.file.file_id == file_id), None)
    if each is None:
        raise NotFound("Không có tệp mang mã này.")
    if not each.given:
        raise WITHHELD[each.state](f"{each.told[0]}.")
    return each


async def content(store: FileStore, each: Attachment, *, shown: bool = False) -> StreamingResponse:
    """To be saved; ``shown``: looked at in place, where a browser runs nothing of what is in it. It is opened
    before anything is answered, so that what is gone or was changed is told as a problem."""
    pieces = store.read(each.file, each.owner)
    first = await anext(pieces)
    disposition = "inline" if shown and each.kind.shown else "attachment"
    headers = {
        "Content-Disposition": f'{disposition}; filename="{each.own_name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
        "Content-Length": str(each.file.size),
    }
    return StreamingResponse(_all(first, pieces), headers=headers, media_type=each.kind.media_type)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
