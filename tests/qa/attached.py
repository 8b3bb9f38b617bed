"""What tests of attached files share: contents that are what they seem, and how to send them."""

import io
import os
import zipfile
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import httpx2

from deploy.samples.clamd import EICAR
from tests.qa.conftest import Edges

CANARY: Final = b"canary-5b1c9f"
PDF: Final = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\n" + CANARY + b"\n%%EOF\n"
PNG: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + CANARY + bytes(100)
JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1" + CANARY + bytes(200)
TEXT: Final = "Tôi gửi kèm sổ bảo hiểm.\r\n".encode() + CANARY
VIRUS: Final = EICAR
DOCX_PARTS: Final = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")
XLSX_PARTS: Final = ("[Content_Types].xml", "xl/workbook.xml")


def zipped(*names: str, size: int = 400, begin: bytes = b"") -> bytes:
    kept = io.BytesIO(begin)
    kept.seek(0, io.SEEK_END)
    with zipfile.ZipFile(kept, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, os.urandom(size))
    return kept.getvalue()


async def upload(
    edges: Edges, content: bytes, name: str = "so-bhxh.pdf", *, key: str = "", field: str = "file"
) -> httpx2.Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    return await edges.http.post("/v1/files", files={field: (name, content)}, headers=headers)


async def uploaded(edges: Edges, content: bytes = PDF, name: str = "so-bhxh.pdf") -> dict[str, Any]:
    answer = await upload(edges, content, name)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def asked_with(edges: Edges, *contents: bytes, **changes: Any) -> dict[str, Any]:
    """A question with these files; what was sent and answered, with the files' ids in order."""
    tokens = [(await uploaded(edges, content))["token"] for content in contents]
    asked = await edges.asked(files=tokens, **changes)
    await edges.project()
    file = (await edges.get(asked["path"], "u-ha")).json()
    return {**asked, "file_ids": [each["id"] for each in file["files"]]}


def multipart(name: str, pieces: AsyncIterator[bytes]) -> tuple[dict[str, str], AsyncIterator[bytes]]:
    """Headers and a body of one file whose length nobody says beforehand."""

    async def body() -> AsyncIterator[bytes]:
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        yield head.encode()
        async for piece in pieces:
            yield piece
        yield b"\r\n--edge--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Idempotency-Key": uuid4().hex}
    return headers, body()


async def raw(edges: Edges) -> bytes:
    """Everything that lies in the database, as bytes."""
    database = edges.service.database
    found = []
    for name in await database.list_collection_names():
        found += [repr(row).encode() async for row in database[name].find()]
    return b"\n".join(found)
