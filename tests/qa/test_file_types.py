"""What a file is, by its bytes; and the name that one may show."""

import pytest

from services.qa.files.types import HEAD, TAIL, NotTaken, Sniffer, clean_name
from tests.qa.attached import DOCX_PARTS, JPEG, PDF, PNG, TEXT, VIRUS, XLSX_PARTS, zipped


def extension_of(content: bytes, piece: int = 1000) -> str:
    sniffer = Sniffer()
    for start in range(0, len(content), piece):
        sniffer.feed(content[start : start + piece])
    return sniffer.kind().extension


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (PDF, "pdf"), (PNG, "png"), (JPEG, "jpg"), (TEXT, "txt"),
        (zipped(*DOCX_PARTS), "docx"), (zipped(*XLSX_PARTS), "xlsx"),
        pytest.param(zipped(*DOCX_PARTS, size=TAIL), "docx", id="its list of entries is at the very end"),
        pytest.param(zipped("docProps/app.xml", *DOCX_PARTS), "docx", id="in whatever order it was packed"),
        pytest.param("\ufeffKính gửi".encode(), "txt", id="text with a byte order mark"),
        pytest.param("ễ".encode() * HEAD, "txt", id="a letter lies across two pieces"),
        pytest.param(VIRUS, "txt", id="a virus is the scanner's business"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_content_says(content: bytes, extension: str) -> None:
    assert extension_of(content) == extension


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zipped("thu.txt"), id="an archive that is no office file"),
        pytest.param(zipped(*DOCX_PARTS, *XLSX_PARTS[1:]), id="two office files in one"),
        pytest.param(zipped(*DOCX_PARTS, "word/vbaProject.bin"), id="a macro"),
        pytest.param(zipped(*DOCX_PARTS, begin=b"PK\x03\x04" + bytes(99)), id="something before the archive"),
        pytest.param(zipped(*DOCX_PARTS) + b"trailer", id="something behind the archive"),
        pytest.param(zipped(*DOCX_PARTS, begin=PDF), id="a PDF that is an archive too"),
        pytest.param(zipped(*DOCX_PARTS, begin=PNG), id="a picture that is an archive too"),
        pytest.param(b"MZ\x90\0" + bytes(80) + PDF, id="a program before a PDF"),
        pytest.param(b"\n" + PDF, id="a PDF that begins late"),
        pytest.param(JPEG[:20] + b"<script>1</script>", id="a picture with a page in its head"),
        pytest.param(b"<!DOCTYPE html><html></html>", id="a page"),
        pytest.param("\ufeff \n<p>".encode(), id="a page that begins with nothing"),
        pytest.param(b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', id="a drawing"),
        pytest.param(b"#!/bin/sh\nls", id="a script"),
        pytest.param(b"@echo off\r\ndir", id="a batch file"),
        pytest.param(b"{\\rtf1 abc}", id="rich text"),
        pytest.param(b"%!PS-Adobe-3.0", id="postscript"),
        pytest.param(b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff", id="a program"),
        pytest.param(b"\x7fELF\2\1\1" + bytes(50), id="another program"),
        pytest.param(b"GIF89a" + bytes(50), id="an animation"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), id="a photo nobody here can open"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), id="an old office file"),
        pytest.param(b"a" * HEAD + b"\0", id="text that turns out to be none"),
        pytest.param("é".encode("latin-1") * 9, id="text of another encoding"),
        pytest.param("ễ".encode()[:-1], id="text that breaks off in a letter"),
    ],
)
def test_what_is_not_on_the_list_or_is_two_things_is_refused(content: bytes) -> None:
    with pytest.raises(NotTaken) as refused:
        extension_of(content)
    vietnamese, english = refused.value.args
    assert vietnamese and english


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    import io
    import zipfile

    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (*DOCX_PARTS, "word/media/1.bin"):
            archive.writestr(name, bytes(70 * 1024 * 1024))
    assert len(kept.getvalue()) < 10 * 1024 * 1024
    with pytest.raises(NotTaken):
        extension_of(kept.getvalue(), piece=64 * 1024)


def test_a_program_is_refused_by_its_head_before_the_rest_has_come() -> None:
    with pytest.raises(NotTaken):
        Sniffer().feed(b"MZ\x90\0" + bytes(HEAD))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("D:\\Hồ sơ\\sổ.pdf", "sổ.pdf"),
        ("ảnh\u202egpj.exe", "ảnhgpj.exe"),
        ("a\r\nSet-Cookie: b\0.pdf", "a Set-Cookie: b.pdf"),
        ("  .. ", "tep"),
        ("\u200b", "tep"),
        ("So\u0302\u0309 bhxh.pdf", "Sổ bhxh.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_senders_name_is_cleaned_of_what_is_not_seen(given: str, shown: str) -> None:
    assert clean_name(given) == shown
