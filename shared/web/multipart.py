"""multipart/form-data as it streams in: fields are kept up to a limit, a file goes piece by piece to whoever
takes it, and is never whole in memory or on disk."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request

from shared.errors import MalformedBody, TooLarge

MOST_PARTS: Final = 100
MOST_TEXT: Final = 512 * 1024  # bytes of all fields together, names included


class Taker(Protocol):
    """Takes one file."""

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> str:
        """The file is whole. What stands for it in the form; empty: nothing."""
        ...


# (field, the sender's name for the file, the fields before it) → who takes it
Begin = Callable[[str, str, FormData], Awaitable[Taker]]


@dataclass
class _Part:
    disposition: bytes = b""
    name: str = ""
    filename: str | None = None
    text: bytearray = field(default_factory=bytearray)
    taker: Taker | None = None


def is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def streamed_form(request: Request, begin: Begin) -> FormData:
    """The form, with each file as what its taker says. A file field that was left empty is not there. Raises
    MalformedBody, TooLarge, and whatever a taker raises."""
    try:
        return await _Form(request, begin).read()
    except FormParserError:
        raise MalformedBody("Biểu mẫu gửi lên không đọc được.") from None
    except ClientDisconnect:
        raise MalformedBody("Chưa nhận đủ nội dung.") from None


class _Form:
    def __init__(self, request: Request, begin: Begin) -> None:
        self._request, self._begin = request, begin
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise MalformedBody("Cần nội dung kiểu multipart/form-data.")
        self._events: list[tuple[str, bytes]] = []
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": lambda: self._note("begin"),
                "on_header_field": lambda data, start, end: self._note("name", data[start:end]),
                "on_header_value": lambda data, start, end: self._note("value", data[start:end]),
                "on_header_end": lambda: self._note("header"),
                "on_headers_finished": lambda: self._note("headers"),
                "on_part_data": lambda data, start, end: self._note("data", data[start:end]),
                "on_part_end": lambda: self._note("end"),
                "on_end": lambda: self._note("over"),
            },
        )
        self._fields: list[tuple[str, str | UploadFile]] = []
        self._part = _Part()
        self._header = {"name": b"", "value": b""}
        self._parts = self._text = 0
        self._over = False

    def _note(self, event: str, data: bytes = b"") -> None:
        self._events.append((event, data))

    async def read(self) -> FormData:
        async for chunk in self._request.stream():
            self._parser.write(chunk)
            events, self._events = self._events, []
            for event, data in events:
                await self._take(event, data)
        if not self._over:
            raise MalformedBody("Chưa nhận đủ nội dung.")
        return FormData(self._fields)

    async def _take(self, event: str, data: bytes) -> None:
        part = self._part
        match event:
            case "begin":
                self._part, self._parts = _Part(), self._parts + 1
                if self._parts > MOST_PARTS:
                    raise TooLarge(f"Tối đa {MOST_PARTS} mục mỗi lần gửi.")
            case "name" | "value":
                self._header[event] += data
            case "header":
                if self._header["name"].strip().lower() == b"content-disposition":
                    part.disposition = self._header["value"]
                self._header = {"name": b"", "value": b""}
            case "headers":
                await self._opened(part)
            case "data" if part.taker is not None:
                await part.taker.write(data)
            case "data":
                self._counted(len(data))
                part.text += data
            case "end":
                await self._closed(part)
            case "over":
                self._over = True

    async def _opened(self, part: _Part) -> None:
        _, options = parse_options_header(part.disposition)
        if b"name" not in options:
            raise MalformedBody("Một mục của biểu mẫu không có tên.")
        part.name = _text(options[b"name"])
        self._counted(len(part.name))
        if b"filename" in options:
            part.filename = _text(options[b"filename"])
        if part.filename:
            part.taker = await self._begin(part.name, part.filename, FormData(self._fields))

    async def _closed(self, part: _Part) -> None:
        if part.taker is not None:
            stands_for = await part.taker.close()
            if stands_for:
                self._fields.append((part.name, stands_for))
        elif part.filename is None:
            self._fields.append((part.name, _text(bytes(part.text))))

    def _counted(self, more: int) -> None:
        self._text += more
        if self._text > MOST_TEXT:
            raise TooLarge(f"Các mục của biểu mẫu tối đa {MOST_TEXT // 1024} KB.")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
