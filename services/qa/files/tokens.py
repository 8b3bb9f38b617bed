"""What an asker carries from an upload to the question that it is sent with: a sealed token that names the
file, and that nobody can change."""

import base64
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from services.qa.domain.codes import Codes
from shared.contracts.qa import AttachedFile
from shared.errors import PortalError

MOST_FILES: Final = 5  # sent at one time
SEND_WITHIN: Final = timedelta(hours=12)  # well within the time for which an upload is kept
PREFIX: Final = "file-"
FIELD: Final = "files"

Token = Annotated[str, StringConstraints(max_length=2000)]
Tokens = Annotated[
    tuple[Token, ...],
    Field(max_length=MOST_FILES, description="Mã của các tệp đã tải lên bằng `POST /v1/files`, tối đa 5."),
]


class FileExpired(PortalError):
    """An upload is kept for a day; its token is good for half of that."""

    status, code = 422, "file_expired"
    title_vi, title_en = "Tệp đã tải lên không còn được giữ", "The uploaded file is no longer kept"

    def __init__(self) -> None:
        message = "Một tệp đã tải lên quá lâu hoặc mã tệp không đúng; hãy đính kèm lại."
        super().__init__(message, errors=[{"field": FIELD, "message": message}])


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that was taken in and not sent yet."""

    file: AttachedFile
    name: str
    mark: str

    def token(self, codes: Codes) -> str:
        facts = [self.file.model_dump(mode="json"), self.name, self.mark]
        text = base64.urlsafe_b64encode(json.dumps(facts, ensure_ascii=False).encode()).decode()
        return codes.sealed(PREFIX + text, int(time.time() + SEND_WITHIN.total_seconds()))


def tokens_in(fields: dict[str, Any]) -> tuple[str, ...]:
    """What a page's form carries of earlier uploads."""
    given = fields.pop(FIELD, ())
    return tuple(str(each) for each in ([given] if isinstance(given, str) else given) if each)


def shown_again(codes: Codes, tokens: Sequence[str]) -> list[tuple[str, str, int]]:
    """Token, name and size of those that are still good."""
    found = []
    for token in tokens:
        with contextlib.suppress(FileExpired):
            (one,) = staged(codes, [token])
            found.append((token, one.name, one.file.size))
    return found


def staged(codes: Codes, tokens: Sequence[str]) -> tuple[Staged, ...]:
    """The same file named twice is one. Raises FileExpired."""
    found: dict[str, Staged] = {}
    for token in tokens:
        opened = codes.unsealed(token, time.time())
        if opened is None or not opened.startswith(PREFIX):
            raise FileExpired
        try:
            facts, name, mark = json.loads(base64.urlsafe_b64decode(opened.removeprefix(PREFIX)))
            one = Staged(AttachedFile.model_validate(facts), name, mark)
        except ValueError:
            raise FileExpired from None
        found[str(one.file.file_id)] = one
    return tuple(found.values())


def sent_files(files: Sequence[Staged]) -> tuple[tuple[AttachedFile, ...], tuple[tuple[str, str], ...]]:
    """What goes on record of them, and the names for the vault."""
    return tuple(each.file for each in files), tuple((str(each.file.file_id), each.name) for each in files)
