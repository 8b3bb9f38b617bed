"""Attached files and the scanner: what it says goes on record once, what it warns of nobody is given, and
while it is silent nothing is decided and nothing else waits."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from deploy.samples.clamd import Scanner, ScannerBehaviour
from services.qa.domain import Question
from services.qa.gateways import Clamd, ScannerFailed, Verdict
from services.qa.jobs.files import MOST_ERRORS, Scanning, jobs
from services.qa.queries.files import FILES, PIECE, FileStore
from services.qa.queries.read_models import QUESTIONS
from services.qa.settings import QaSettings
from shared.contracts.qa import FileVerdict
from shared.errors import Unavailable
from shared.production import faults
from tests.qa.attached import DOCX_PARTS, JPEG, PDF, TEXT, VIRUS, asked_with, uploaded, zipped
from tests.qa.conftest import Edges

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[str]:
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}"
    server.close()


@pytest.fixture
async def scanner() -> AsyncIterator[tuple[Scanner, Clamd]]:
    sample = Scanner()
    async with listening(sample.talk) as address:
        yield sample, Clamd(address, patience=2)


@pytest.fixture(autouse=True)
def scanned(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    """This service has a scanner."""
    monkeypatch.setattr(edges.service.edge, "policy", replace(edges.service.policy, scans_files=True))


def scanning(edges: Edges, clamd: Clamd, *, later: timedelta = timedelta()) -> Scanning:
    store = FileStore(edges.service.database, edges.service.keyring)

    def clock() -> datetime:
        at = datetime.now(UTC) + later
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    return Scanning(edges.service.edge, store, clamd, clock)


async def states(edges: Edges, asked: dict[str, Any]) -> list[str]:
    files = (await edges.get(asked["path"], "u-ha")).json()["files"]
    return [each["state"] for each in files]


async def given(edges: Edges, asked: dict[str, Any], place: int = 0) -> tuple[int, str]:
    answer = await edges.get(f"{asked['path']}/files/{asked['file_ids'][place]}", "u-ha")
    return answer.status_code, "" if answer.status_code == 200 else answer.json()["code"]


async def verdicts_on_record(edges: Edges) -> int:
    found: int = await edges.service.database.journal.count_documents(
        {"events.name": "qa.question.file_checked"}
    )
    return found


async def content(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_a_file_is_given_out_once_the_scanner_has_found_nothing(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF + bytes(2 * PIECE), zipped(*DOCX_PARTS))
    assert await states(edges, asked) == ["waiting", "waiting"]
    assert await given(edges, asked) == (409, "file_not_scanned")
    job = scanning(edges, scanner[1])
    assert await job.run() == 2
    assert await job.run() == 0
    assert await states(edges, asked) == ["clean", "clean"]
    assert await given(edges, asked) == (200, "")
    assert sorted(seen.size for seen in scanner[0].seen)[-1] == len(PDF) + 2 * PIECE
    row = await edges.service.database[QUESTIONS].find_one({"_id": asked["id"]})
    assert "scan_at" not in row


async def test_what_the_scanner_warns_of_is_given_to_nobody(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, VIRUS, TEXT)
    await scanning(edges, scanner[1]).run()
    assert await states(edges, asked) == ["infected", "clean"]
    assert await given(edges, asked) == (409, "file_infected")
    assert await given(edges, asked, 1) == (200, "")
    page = await edges.page(f"/desk/files/{asked['id']}/{asked['file_ids'][0]}", "u-ha")
    assert page.status_code == 409 and "mã độc" in page.text


async def test_a_verdict_is_on_record_once_however_many_replicas_look(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF, TEXT)
    await asyncio.gather(*(scanning(edges, scanner[1]).run() for _ in range(4)))
    # A replica whose claim has lapsed goes on all the same.
    await edges.service.database[QUESTIONS].update_one({"_id": asked["id"]}, {"$set": {"scan_at": soon()}})
    late = scanning(edges, scanner[1], later=timedelta(hours=1))
    await asyncio.gather(late.run(), late._scan(UUID(asked["id"]), 0))
    assert await verdicts_on_record(edges) == 2


def soon() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def test_two_replicas_with_the_same_question_in_hand_write_one_verdict(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF)
    both = [scanning(edges, scanner[1])._scan(UUID(asked["id"]), 0) for _ in range(2)]
    await asyncio.gather(*both)
    assert await verdicts_on_record(edges) == 1


async def test_information_added_later_is_scanned_too(edges: Edges, scanner: tuple[Scanner, Clamd]) -> None:
    asked = await asked_with(edges, PDF)
    await scanning(edges, scanner[1]).run()
    await added(edges, asked, JPEG)
    assert await states(edges, asked) == ["clean", "waiting"]
    assert await scanning(edges, scanner[1]).run() == 1
    assert await states(edges, asked) == ["clean", "clean"]


async def added(edges: Edges, asked: dict[str, Any], content: bytes) -> None:
    from services.qa import domain, handlers
    from services.qa.asking import _codes
    from services.qa.files import owning
    from services.qa.files.tokens import staged
    from tests.qa.conftest import SECRET

    (file,) = staged(_codes(SECRET), [(await uploaded(edges, content, "anh.jpg"))["token"]])
    store = FileStore(edges.service.database, edges.service.keyring)
    cmd = domain.AddInformation(
        UUID(asked["id"]), "Ảnh.", (file.file,), ((str(file.file.file_id), file.name),)
    )
    desk = edges.service.edge.desk(domain.ASKER, once=file.mark)
    await desk.run(owning(store, handlers.add_information), cmd)
    await edges.project()


async def test_a_scanner_that_is_down_is_asked_again_later_and_decides_nothing(edges: Edges) -> None:
    asked = await asked_with(edges, PDF)
    nobody = Clamd("127.0.0.1:1", patience=1)
    pauses = []
    at = timedelta()
    for _ in range(8):
        job = scanning(edges, nobody, later=at)
        assert await job.run() == 0
        row = await edges.service.database[QUESTIONS].find_one({"_id": asked["id"]})
        pauses.append(round((row["scan_at"] - job.clock()).total_seconds()))
        assert await scanning(edges, nobody, later=at).run() == 0
        assert (await edges.service.database[QUESTIONS].find_one({"_id": asked["id"]}))["scan_tries"] == len(
            pauses
        )
        at += timedelta(seconds=pauses[-1] + 1)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    assert await states(edges, asked) == ["waiting"]
    sample = Scanner()
    async with listening(sample.talk) as address:
        assert await scanning(edges, Clamd(address), later=at).run() == 1
    assert await states(edges, asked) == ["clean"]


async def test_a_silent_scanner_holds_up_no_question_and_no_act(edges: Edges) -> None:
    sample = Scanner()
    sample.mood.now = ScannerBehaviour(mode="hang", seconds=60)
    async with listening(sample.talk) as address:
        asked = await asked_with(edges, PDF)
        job = scanning(edges, Clamd(address, patience=1.5))
        work = asyncio.create_task(job.run())
        await edges.done(asked, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhxh-mot-lan"}, "u-ha")
        await asked_with(edges, TEXT)
        assert not work.done()
        assert await work == 0
    assert await states(edges, asked) == ["waiting"]


@pytest.mark.parametrize("mode", ["die", "garbage", "error"])
async def test_what_is_no_verdict_is_taken_for_none(
    edges: Edges, scanner: tuple[Scanner, Clamd], mode: Any
) -> None:
    asked = await asked_with(edges, VIRUS)
    scanner[0].mood.now = ScannerBehaviour(mode=mode, times=1)
    assert await scanning(edges, scanner[1]).run() == 0
    assert await states(edges, asked) == ["waiting"]
    assert await scanning(edges, scanner[1], later=timedelta(minutes=1)).run() == 1
    assert await states(edges, asked) == ["infected"]


async def test_a_file_that_the_scanner_cannot_read_is_told_so_in_the_end(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF)
    scanner[0].mood.now = ScannerBehaviour(mode="error")
    for each in range(MOST_ERRORS):
        assert await states(edges, asked) == ["waiting"]
        await scanning(edges, scanner[1], later=timedelta(hours=each)).run()
    assert await states(edges, asked) == ["unreadable"]
    assert await given(edges, asked) == (409, "file_unreadable")


async def test_what_was_erased_before_its_turn_is_not_shown_to_the_scanner(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF)
    await FileStore(edges.service.database, edges.service.keyring).forget(UUID(asked["id"]))
    await scanning(edges, scanner[1]).run()
    assert (len(scanner[0].seen), await verdicts_on_record(edges)) == (0, 0)
    row = await edges.service.database[QUESTIONS].find_one({"_id": asked["id"]})
    assert "scan_at" not in row


async def test_content_that_was_changed_at_rest_gets_no_verdict(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, PDF)
    await edges.service.database[FILES].update_one({}, {"$set": {"hash": "0" * 64}})
    assert await scanning(edges, scanner[1]).run() == 0
    assert await states(edges, asked) == ["waiting"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"stream: OK\0", Verdict(FileVerdict.CLEAN)),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", Verdict(FileVerdict.INFECTED, "Win.Test.EICAR_HDB-1")),
        (b"INSTREAM size limit exceeded. ERROR\0", ScannerFailed),
        (b"stream: Can't open file ERROR\0", ScannerFailed),
        (b"stream: OK", Unavailable),
        (b"\0", Unavailable),
        (b"stream: \xff FOUND\0", Unavailable),
        (b"OK\0", Unavailable),
        (b"stream: OK\nstream: OK\0", Unavailable),
        (b"x" * 5000, Unavailable),
    ],
)
async def test_only_the_words_of_the_protocol_are_a_verdict(reply: bytes, expected: Any) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0")
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            await reader.readexactly(length)
        writer.write(reply)
        writer.close()

    async with listening(talk) as address:
        if isinstance(expected, Verdict):
            assert await Clamd(address).scan(content(b"a", b"b")) == expected
            return
        with pytest.raises(Unavailable) as raised:
            await Clamd(address).scan(content(b"a", b"b"))
        assert type(raised.value) is expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [(b"stream: Eicar FOUND\0", FileVerdict.INFECTED), (b"stream: OK\0", None)],
)
async def test_a_scanner_that_hangs_up_early_may_warn_but_not_clear(
    reply: bytes, expected: FileVerdict | None
) -> None:
    hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\0")
        writer.write(reply)
        await writer.drain()
        writer.close()
        hung_up.set()

    async def long() -> AsyncIterator[bytes]:
        yield b"a"
        await hung_up.wait()
        for _ in range(200):
            await asyncio.sleep(0.001)  # it comes from the database
            yield bytes(PIECE)

    async with listening(talk) as address:
        if expected:
            assert (await Clamd(address, patience=5).scan(long())).verdict is expected
        else:
            with pytest.raises(Unavailable):
                await Clamd(address, patience=5).scan(long())


async def test_without_a_scanner_there_is_no_job_that_asks_one(edges: Edges) -> None:
    settings = edges.service.settings
    names = {each.name for each in jobs(settings, edges.service)}  # type: ignore[arg-type]
    assert names == {"sweep-files"}
    own = settings.model_copy(update={"clamd": "clamav:3310"})
    assert {each.name for each in jobs(own, edges.service)} == {"sweep-files", "scan"}  # type: ignore[arg-type]
    assert own.policy().scans_files and not settings.policy().scans_files  # type: ignore[attr-defined]


async def test_production_does_not_start_without_a_scanner() -> None:
    own: dict[str, Any] = {"environment": "production", "secret_key": "k" * 40}
    missing, named = faults(QaSettings(**own)), faults(QaSettings(**own, clamd="clamav:3310"))
    assert [each for each in missing if each not in named] == [
        "PORTAL_CLAMD is missing: what askers attach is scanned (host:port)."
    ]
    for wrong in ("clamav", "http://clamav:3310", "clamav:3310/x", ":3310"):
        with pytest.raises(ValidationError):
            QaSettings(**own, clamd=wrong)


async def test_a_verdict_is_in_the_question_s_history_for_staff_alone(
    edges: Edges, scanner: tuple[Scanner, Clamd]
) -> None:
    asked = await asked_with(edges, VIRUS)
    await scanning(edges, scanner[1]).run()
    question = await edges.service.edge.desk().load(Question, asked["id"])
    assert list(question.verdicts.values()) == [FileVerdict.INFECTED]
    code = asked["tracking_code"]
    told = (await edges.post("/v1/tracking", {"code": code, "email": asked["email"]})).json()
    assert [each["state"] for each in told["files"]] == ["infected"]
    assert "Eicar" not in str(told)
