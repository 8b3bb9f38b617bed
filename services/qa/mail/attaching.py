"""Tệp gửi kèm thư: taken by the rules of a form's files. What cannot be taken refuses the mail, so that its
sender hears of it; what only adorns it (a logo in a signature, a seal) is left out."""

from collections.abc import Sequence
from dataclasses import replace

from services.qa.asking import Door
from services.qa.domain import ReceiveQuestion
from services.qa.files import FileTooLarge, Uploading
from services.qa.files.tokens import MOST_FILES, Staged
from services.qa.files.types import FileTypeRefused, clean_name
from services.qa.mail.reading import Attached, MailRefused, Trouble
from services.qa.queries.files import FileStore


async def taken(attached: Sequence[Attached], door: Door, store: FileStore, once: str) -> list[Staged]:
    """``once``: the mail's own; handed over again, its files are those taken first. Raises MailRefused."""
    files = [each for each in attached if each.content]
    if sum(not each.adorns for each in files) > MOST_FILES:
        raise MailRefused(Trouble.TOO_MANY_FILES)
    found: list[Staged] = []
    for number, each in enumerate(sorted(files, key=lambda each: each.adorns)[:MOST_FILES]):
        name = clean_name(each.name)
        uploading = Uploading(door, await store.begin(), name, f"{once}:{number}")
        try:
            await uploading.write(each.content)
            await uploading.close()
        except (FileTypeRefused, FileTooLarge) as error:
            if each.adorns:
                continue
            kind = Trouble.FILE_TOO_LARGE if isinstance(error, FileTooLarge) else Trouble.FILE_TYPE
            raise MailRefused(kind) from None
        if uploading.staged is not None:
            found.append(uploading.staged)
    return found


def with_files(question: ReceiveQuestion, files: Sequence[Staged]) -> ReceiveQuestion:
    names = tuple((str(each.file.file_id), each.name) for each in files)
    return replace(
        question, letter=replace(question.letter, files=names), files=tuple(each.file for each in files)
    )
