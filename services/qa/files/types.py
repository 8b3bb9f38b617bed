"""Loại tệp theo nội dung: what a file is, by its bytes alone; its name and what its sender calls it count for
nothing. One that is two things at once (polyglot) is none that we take."""

import codecs
import io
import re
import struct
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import Final

import puremagic

from shared.errors import PortalError

HEAD: Final = 4096  # bytes by which a type is told
TAIL: Final = 256 * 1024  # bytes at the end in which a zip's list of entries must lie
MOST_ENTRIES: Final = 2_000
MOST_UNPACKED: Final = 200 * 1024 * 1024  # bytes; more in ten packed megabytes is a bomb
LONGEST_NAME: Final = 120

OFFICE: Final = "application/vnd.openxmlformats-officedocument."
PDF, JPEG, PNG, TEXT = "application/pdf", "image/jpeg", "image/png", "text/plain"
DOCX: Final = f"{OFFICE}wordprocessingml.document"
XLSX: Final = f"{OFFICE}spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Kind:
    """``shown``: a browser draws it and runs nothing that is in it, so it may be looked at in place."""

    media_type: str
    extension: str
    vi: str
    shown: bool = False


# PDF runs scripts and forms, Office files run what they link to, and text is guessed at: those are saved, and
# opened by a program of the reader's own.
KINDS: Final = {
    kind.media_type: kind
    for kind in (
        Kind(PDF, "pdf", "PDF"),
        Kind(JPEG, "jpg", "Ảnh JPEG", shown=True),
        Kind(PNG, "png", "Ảnh PNG", shown=True),
        Kind(DOCX, "docx", "Word (.docx)"),
        Kind(XLSX, "xlsx", "Excel (.xlsx)"),
        Kind(TEXT, "txt", "Văn bản (.txt)"),
    )
}
TAKEN_VI: Final = "PDF, ảnh JPEG hoặc PNG, Word (.docx), Excel (.xlsx), văn bản (.txt)"
TAKEN_EN: Final = "PDF, JPEG or PNG image, Word (.docx), Excel (.xlsx), text (.txt)"

ZIP: Final = b"PK\x03\x04"
MAGIC: Final = ((b"%PDF-", PDF), (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (ZIP, "zip"))
MARKUP: Final = re.compile(rb"<(?:!doctype|html|head|body|script|svg|iframe|\?php)", re.IGNORECASE)
# Text to a decoder, and something to be run, drawn or unpacked to a program.
NOT_PLAIN: Final = (b"<", b"#!", b"%!", b"{\\rtf", b"MZ", b"PK", b"%PDF", b"@echo", b"GIF8")
CERTAIN: Final = 0.5  # puremagic, where it does not merely guess
CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
MAIN_PART: Final = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}


class FileTypeRefused(PortalError):
    """Not of a type that we take, by its content; ``extra["file"]`` is its sender's name for it."""

    status, code = 415, "file_type_refused"
    title_vi, title_en = "Loại tệp không được nhận", "This type of file is not taken"

    def __init__(self, name: str, why: "NotTaken") -> None:
        vi, en = why.args
        super().__init__(f"Tệp «{name}»: {vi}. Chỉ nhận {TAKEN_VI}.", file=name,
                         detail_en=f"File “{name}”: {en}. We take {TAKEN_EN}.")  # fmt: skip


class NotTaken(Exception):
    """Why, in Vietnamese and in English."""


NOT_OURS: Final = NotTaken("loại này không được nhận", "this type is not taken")
HINTS: Final = {
    "image/heif": NotTaken("ảnh HEIC của điện thoại, hãy lưu thành JPEG", "a HEIC photo, save it as JPEG"),
    "application/msword": NotTaken(
        "bản Word, Excel cũ hoặc có mật khẩu, hãy lưu thành .docx, .xlsx không mật khẩu",
        "an old or locked Word or Excel file, save it as .docx or .xlsx without a password",
    ),
}


class Sniffer:
    """Told every byte of one file in turn, it keeps the first few and the last few. Raises NotTaken as soon
    as it is sure, at the latest when asked for the kind."""

    def __init__(self) -> None:
        self._head, self._tail, self._size = b"", b"", 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._plain = True
        self._type = ""

    def feed(self, data: bytes) -> None:
        self._read_as_text(data)
        self._tail = (self._tail + data)[-TAIL:]
        self._size += len(data)
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._type = type_of_head(self._head, plain=self._plain)
        if self._type == TEXT and not self._plain:
            raise NotTaken("không phải văn bản thuần (UTF-8)", "not plain text (UTF-8)")

    def kind(self) -> Kind:
        self._read_as_text(b"", last=True)
        found = type_of_head(self._head, plain=self._plain)
        if found == "zip":
            return KINDS[office_type(self._tail, self._size)]
        if zipfile.is_zipfile(io.BytesIO(self._tail)):
            raise NotTaken("nội dung là hai loại tệp ghép lại", "it is two types of file in one")
        return KINDS[found]

    def _read_as_text(self, data: bytes, *, last: bool = False) -> None:
        if self._plain:
            try:
                self._plain = CONTROL.search(self._decoder.decode(data, last)) is None
            except UnicodeDecodeError:
                self._plain = False


def type_of_head(head: bytes, *, plain: bool) -> str:
    """A media type, or ``zip``: what that is stands at its end. Raises NotTaken."""
    try:
        known = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        known = []
    found = next((media_type for magic, media_type in MAGIC if head.startswith(magic)), "")
    if MARKUP.search(head):
        raise NotTaken("nội dung có mã của trang web", "it contains code of a web page")
    if found == "zip":
        return found
    if found and found in {match.mime_type for match in known}:
        return found
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if found or not plain or start.startswith(NOT_PLAIN) or any(m.confidence >= CERTAIN for m in known):
        raise next((HINTS[m.mime_type] for m in known if m.mime_type in HINTS), NOT_OURS)
    return TEXT


def office_type(tail: bytes, size: int) -> str:
    """What a zip of this many bytes is, by the list of entries at its end. Raises NotTaken."""
    no_office = NotTaken("tệp nén này không phải Word hay Excel", "this archive is neither Word nor Excel")
    try:
        with zipfile.ZipFile(io.BytesIO(tail)) as archive:
            entries = archive.infolist()
            whole = tail[-22:].startswith(b"PK\x05\x06")  # nothing stands behind its end
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise no_office from None
    names = {entry.filename for entry in entries}
    found = [media_type for part, media_type in MAIN_PART.items() if part in names]
    if len(found) != 1 or "[Content_Types].xml" not in names or not whole:
        raise no_office
    if min((entry.header_offset for entry in entries), default=1) != len(tail) - size:
        raise NotTaken("nội dung là hai loại tệp ghép lại", "it is two types of file in one")
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for name in names):
        raise NotTaken("tệp có chứa macro hoặc chương trình", "it contains a macro or a program")
    if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise NotTaken("nội dung nén quá lớn", "it unpacks to too much")
    return found[0]


def clean_name(given: str) -> str:
    """A name as one may show it: the last part of a path, in one direction, without what is not seen."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    seen = [" " if letter.isspace() else letter for letter in name if not _unseen(letter)]
    name = " ".join("".join(seen).split()).lstrip(". ") or "tep"
    if len(name) > LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        ending = dot + extension if dot and len(extension) <= 10 else ""
        name = (stem if ending else name)[: LONGEST_NAME - len(ending)] + ending
    return name


def _unseen(letter: str) -> bool:
    """Control and format characters (NUL, marks of direction, zero widths), surrogates, unassigned."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") and letter not in "\t\n"
