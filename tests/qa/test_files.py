"""Attached files from the upload to the reader: limits while streaming, one owner, sealed at rest."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.qa.domain import Question
from services.qa.files import MOST_FILES
from services.qa.jobs.files import Sweeping
from services.qa.queries.files import FILES, PIECE, PIECES, FileStore
from shared.errors import NotFound
from shared.keyring import Unreadable
from shared.mongo import from_document
from tests.qa.attached import (
    CANARY,
    DOCX_PARTS,
    JPEG,
    PDF,
    PNG,
    TEXT,
    asked_with,
    multipart,
    raw,
    upload,
    uploaded,
    zipped,
)
from tests.qa.conftest import Edges
from tests.qa.world import question_in

MB = 1024 * 1024


def store_of(edges: Edges) -> FileStore:
    return FileStore(edges.service.database, edges.service.keyring)


async def kept(edges: Edges) -> tuple[int, int]:
    database = edges.service.database
    return await database[FILES].count_documents({}), await database[PIECES].count_documents({})


async def swept(edges: Edges, *, after: timedelta) -> None:
    sweeping = Sweeping(edges.service.edge, store_of(edges), lambda: datetime.now(UTC) + after)
    while await sweeping.run():
        pass


async def test_a_file_travels_from_the_upload_to_the_unit_that_answers(edges: Edges) -> None:
    content = PDF + bytes(2 * PIECE)
    asked = await asked_with(edges, content)
    await edges.done(asked, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhxh-mot-lan"}, "u-ha")
    file = (await edges.get(asked["path"], "u-tuan")).json()["files"][0]
    assert (file["name"], file["media_type"], file["size"]) == (
        "so-bhxh.pdf",
        "application/pdf",
        len(content),
    )
    answer = await edges.get(f"{asked['path']}/files/{file['id']}", "u-tuan")
    assert answer.content == content
    assert answer.headers["content-disposition"] == f'attachment; filename="{asked["number"]}-1.pdf"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].endswith("sandbox")
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("content", [PNG, JPEG, TEXT, zipped(*DOCX_PARTS), PDF[:9].ljust(PIECE, b" ")])
async def test_every_type_that_is_taken_comes_back_as_it_was(edges: Edges, content: bytes) -> None:
    asked = await asked_with(edges, content)
    answer = await edges.get(f"{asked['path']}/files/{asked['file_ids'][0]}", "u-ha")
    assert answer.content == content


async def test_a_hundred_megabytes_in_chunks_are_refused_early_in_flat_memory_and_nothing_is_kept(
    edges: Edges,
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        piece = bytes(64 * 1024)
        yield PDF
        for _ in range(100 * MB // len(piece)):
            sent += len(piece)
            yield piece

    headers, body = multipart("to.pdf", endless())
    tracemalloc.start()
    answer = await edges.http.post("/v1/files", content=body, headers=headers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["file"]) == (413, "file_too_large", "to.pdf")
    assert sent <= 10_200_000
    assert peak < 8 * MB
    assert await kept(edges) == (0, 0)


async def test_a_length_said_beforehand_is_refused_before_a_byte_is_read(edges: Edges) -> None:
    headers = {"Idempotency-Key": uuid4().hex, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await edges.http.post("/v1/files", content=bytes(12 * MB), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_only_a_form_with_files_may_be_large(edges: Edges) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/ask", "/v1/files"):
        answer = await edges.http.post(path, content=b"a" * MB, headers=headers)
        assert answer.status_code == 413


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ\x90\0" + bytes(5000), 415, "file_type_refused"),
        (b"<svg/>", 415, "file_type_refused"),
        (zipped("a.txt"), 415, "file_type_refused"),
        (b"", 422, "file_empty"),
    ],
)
async def test_a_file_that_is_refused_is_named_in_two_languages_and_not_kept(
    edges: Edges, content: bytes, status: int, code: str
) -> None:
    answer = await upload(edges, content, "../ảnh.pdf")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["file"]) == (status, code, "ảnh.pdf")
    assert "ảnh.pdf" in problem["detail"] and "ảnh.pdf" in problem["detail_en"]
    assert await kept(edges) == (0, 0)


async def test_a_body_that_breaks_off_or_is_no_form_leaves_nothing(edges: Edges) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PDF + bytes(PIECE * 2)
        yield b"\r\n--edge"
        raise ConnectionError

    headers, body = multipart("a.pdf", broken())
    with pytest.raises(ConnectionError):
        await edges.http.post("/v1/files", content=body, headers=headers)
    key = {"Idempotency-Key": uuid4().hex}
    for kind in ("multipart/form-data", "text/plain", "multipart/form-data; boundary=x"):
        answer = await edges.http.post("/v1/files", content=b"abc", headers=key | {"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert await kept(edges) == (0, 0)


async def test_an_upload_wants_a_key_and_one_file(edges: Edges) -> None:
    answer = await edges.http.post("/v1/files", files={"file": ("a.pdf", PDF)})
    assert answer.json()["code"] == "idempotency_key_missing"
    headers = {"Idempotency-Key": uuid4().hex}
    two = [("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))]
    answer = await edges.http.post("/v1/files", files=two, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_files")
    answer = await edges.http.post("/v1/files", files={"a": (None, "b")}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")
    assert await kept(edges) == (0, 0)


async def test_the_same_key_is_the_same_upload_and_another_content_under_it_is_refused(edges: Edges) -> None:
    key = uuid4().hex
    answers = await asyncio.gather(*(upload(edges, PDF, key=key) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {201}
    assert await kept(edges) == (1, 1)
    other = await upload(edges, TEXT, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await kept(edges) == (1, 1)
    tokens = {answer.json()["token"] for answer in answers}
    asked = await edges.asked(files=list(tokens)[:MOST_FILES])
    assert len((await edges.get(asked["path"], "u-ha")).json()["files"]) == 1


async def test_six_files_are_too_many_and_a_made_up_token_is_none(edges: Edges) -> None:
    token = (await uploaded(edges))["token"]
    answer = await edges.post("/v1/questions", question_in(files=[token] * 6))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "files")
    for wrong in ("x", token[:-1], token.replace("file-", "file-A", 1), f"{uuid4()}.99999999999.00"):
        answer = await edges.post("/v1/questions", question_in(files=[wrong]))
        assert (answer.status_code, answer.json()["code"]) == (422, "file_expired")


async def test_a_file_belongs_to_one_question(edges: Edges) -> None:
    token = (await uploaded(edges))["token"]
    body = question_in(files=[token])
    first = await edges.post("/v1/questions", body)
    again = await edges.post("/v1/questions", body)
    assert again.json()["id"] == first.json()["id"]
    other = await edges.post("/v1/questions", question_in(files=[token]))
    assert (other.status_code, other.json()["code"]) == (409, "file_sent_before")


async def test_the_same_letter_with_another_file_is_another_question(edges: Edges) -> None:
    body = question_in()
    numbers = set()
    for content in (None, PDF, TEXT, PDF):
        files = [(await uploaded(edges, content))["token"]] if content else []
        numbers.add((await edges.post("/v1/questions", body | {"files": files})).json()["number"])
    assert len(numbers) == 3


async def test_neither_content_nor_name_lies_open_in_the_database_or_in_a_commit(edges: Edges) -> None:
    name = "cccd-hoa-7f3a.pdf"
    await uploaded(edges, PDF, name)
    token = (await uploaded(edges, JPEG, name))["token"]
    asked = await edges.asked(files=[token])
    await edges.project()
    everything = await raw(edges)
    assert str(asked["number"]).encode() in everything
    assert CANARY not in everything
    assert name.encode() not in everything


async def test_what_was_changed_swapped_or_cut_off_in_the_database_does_not_open(edges: Edges) -> None:
    asked = await asked_with(edges, PDF + bytes(2 * PIECE))
    store, database = store_of(edges), edges.service.database
    question = await edges.service.edge.desk().load(Question, asked["id"])
    (file,) = question.files.values()
    pieces = [row async for row in database[PIECES].find().sort("_id", 1)]
    assert len(pieces) == 3

    async def opened() -> bytes:
        return b"".join([piece async for piece in store.read(file, question.id)])

    await opened()
    for change in (pieces[1]["data"], pieces[0]["data"][:-1]):
        await database[PIECES].update_one({"_id": pieces[0]["_id"]}, {"$set": {"data": change}})
        with pytest.raises(Unreadable):
            await opened()
    await database[PIECES].update_one({"_id": pieces[0]["_id"]}, {"$set": {"data": pieces[0]["data"]}})
    shorter = file.model_copy(update={"size": PIECE * 2})
    with pytest.raises(Unreadable):
        [piece async for piece in store.read(shorter, question.id)]
    with pytest.raises(NotFound):
        [piece async for piece in store.read(file, uuid4())]
    await database[PIECES].delete_one({"_id": pieces[2]["_id"]})
    with pytest.raises(NotFound):
        await opened()


async def test_an_upload_that_nobody_sends_is_swept_after_a_day_and_a_sent_one_never(edges: Edges) -> None:
    await asked_with(edges, PDF)
    await uploaded(edges, TEXT)
    began = await store_of(edges).begin()
    await began.write(bytes(PIECE * 2))  # and then its process died
    await swept(edges, after=timedelta(hours=23))
    assert await kept(edges) == (3, 3)
    await swept(edges, after=timedelta(hours=25))
    assert await kept(edges) == (1, 1)
    await swept(edges, after=timedelta(days=400))
    assert await kept(edges) == (1, 1)


async def test_a_file_whose_question_was_never_received_is_swept_too(edges: Edges) -> None:
    await uploaded(edges)
    store = store_of(edges)
    row = await edges.service.database[FILES].find_one({})
    assert await store.own(row, uuid4())
    await swept(edges, after=timedelta(hours=25))
    assert await kept(edges) == (0, 0)


async def test_a_file_that_waited_under_a_question_that_never_came_can_go_with_another(edges: Edges) -> None:
    token = (await uploaded(edges))["token"]
    row = await edges.service.database[FILES].find_one({})
    assert await store_of(edges).own(row, uuid4())
    asked = await edges.asked(files=[token])
    file_id = row["_id"]
    assert (await edges.get(f"{asked['path']}/files/{file_id}", "u-ha")).content == PDF


async def test_what_is_forgotten_is_gone_and_other_questions_files_stay(edges: Edges) -> None:
    first, second = await asked_with(edges, PDF, TEXT), await asked_with(edges, PNG)
    assert await store_of(edges).forget(UUID(first["id"])) == 2
    gone = await edges.get(f"{first['path']}/files/{first['file_ids'][0]}", "u-ha")
    assert gone.status_code == 404
    there = await edges.get(f"{second['path']}/files/{second['file_ids'][0]}", "u-ha")
    assert there.content == PNG


async def test_without_the_questions_key_a_copy_of_its_files_does_not_open(edges: Edges) -> None:
    asked = await asked_with(edges, PDF)
    await edges.service.keyring.destroy(asked["id"])
    answer = await edges.get(f"{asked['path']}/files/{asked['file_ids'][0]}", "u-ha")
    assert answer.status_code == 404
    assert await kept(edges) == (1, 1)


@pytest.mark.parametrize(
    ("who", "status"),
    [("u-ha", 200), ("u-khoi", 200), ("u-thao", 200), ("u-tuan", 200), ("u-nga", 403), ("u-duc", 403),
     ("u-oanh", 403), ("svc-notifier", 403), ("", 401)],
)  # fmt: skip
async def test_a_file_is_for_those_who_may_read_its_question(edges: Edges, who: str, status: int) -> None:
    asked = await asked_with(edges, PDF)
    await edges.done(asked, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhxh-mot-lan"}, "u-ha")
    for path in (f"{asked['path']}/files", f"/desk/files/{asked['id']}"):
        answer = await edges.get(f"{path}/{asked['file_ids'][0]}", who, Accept="application/json")
        assert answer.status_code == status, path
    other = await asked_with(edges, TEXT)
    crossed = await edges.get(f"{asked['path']}/files/{other['file_ids'][0]}", "u-ha")
    assert crossed.status_code == 404


async def test_who_answers_a_part_reads_what_came_with_the_whole(edges: Edges) -> None:
    asked = await asked_with(edges, PDF)
    parts = [{"subject": "Một", "text": "Một?"}, {"subject": "Hai", "text": "Hai?"}]
    await edges.done(asked, "splitting", {"parts": parts}, "u-ha")
    await heard_split(edges, asked)
    whole = await edges.service.edge.desk().load(Question, asked["id"])
    part = {"path": f"/v1/questions/{next(iter(whole.parts))}"}
    await edges.done(part, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhxh-mot-lan"}, "u-ha")
    files = (await edges.get(part["path"], "u-tuan")).json()["files"]
    assert [each["name"] for each in files] == ["so-bhxh.pdf"]
    assert (await edges.get(f"{part['path']}/files/{files[0]['id']}", "u-tuan")).content == PDF
    assert (await edges.get(f"{asked['path']}/files/{files[0]['id']}", "u-tuan")).status_code == 403


async def heard_split(edges: Edges, asked: dict[str, Any]) -> None:
    """What the consumer does when it hears of it."""
    from services.qa.consumers import TABLE
    from shared.contracts import qa

    async for row in edges.service.database.journal.find({"stream": Question.stream_of(UUID(asked["id"]))}):
        for recorded in from_document(row).recorded("qa"):
            if isinstance(recorded.event, qa.QuestionSplit):
                desk = edges.service.edge.desk_for(recorded)
                await TABLE[qa.TOPIC][qa.QuestionSplit](recorded, desk)


async def test_one_address_uploads_so_many_files_at_a_time(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = edges.service.settings.model_copy(update={"upload_limit": 2})
    monkeypatch.setattr(edges.service, "settings", settings)
    statuses = [(await upload(edges, PDF)).status_code for _ in range(3)]
    assert statuses == [201, 201, 429]
