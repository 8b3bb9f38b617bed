"""A mail server hands over, by a real LMTP dialogue: what is taken is on record, what is not is told why."""

import time
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from deploy.local.parts import Mongod
from deploy.local.ports import free_ports
from services.qa.app import build
from services.qa.domain.codes import Codes
from services.qa.mail.addresses import Addresses
from services.qa.queries.file import file_of
from services.qa.queries.files import FileStore
from services.qa.queries.threads import THREADS, threads
from services.qa.regulation import Policy, Status
from services.qa.settings import QaSettings
from shared.contracts.qa import NoticeKind
from shared.service import Service
from shared.settings import Role
from tests.edges import dropped
from tests.qa.conftest import DIRECTORY, SECRET, Edges
from tests.qa.mails import HOA, MAILBOX, SUBJECT, TEXT, hand_over, listening, mail

CODES = Codes(SECRET)
ADDRESSES = Addresses.of(MAILBOX, CODES)
LARGEST = 512 * 1024


def mailing(mongo_uri: str, port: int, database: str) -> QaSettings:
    return QaSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, mongo_database=database,
        directory_file=DIRECTORY, log_format="console", log_level="ERROR", secret_key=SecretStr(SECRET),
        lmtp_host="127.0.0.1", lmtp_port=port, mail_address=MAILBOX, largest_mail=LARGEST, mails_an_hour=5,
    )  # fmt: skip


@pytest.fixture(scope="module")
async def running(mongo_uri: str) -> AsyncIterator[tuple[Service[Policy], FastAPI]]:
    """One service that mail is handed to, for this file."""
    (port,) = free_ports(1)
    service = build(mailing(mongo_uri, port, f"qa-mail-{uuid4().hex[:8]}"))
    app = service.app()
    async with app.router.lifespan_context(app):
        await listening(port)
        yield service, app
    await dropped(service, mongo_uri)


class Post:
    """The mail server's side, and what it left on record."""

    def __init__(self, edges: Edges) -> None:
        self.edges, self.service = edges, edges.service
        self.port: int = self.service.settings.lmtp_port  # type: ignore[attr-defined]

    async def hand_over(self, raw: bytes, **facts: Any) -> tuple[int, str]:
        return await hand_over(self.port, raw, **facts)

    async def taken(self, raw: bytes, **facts: Any) -> None:
        code, words = await self.hand_over(raw, **facts)
        assert (code, words) == (250, "2.0.0 Da nhan / received")

    async def questions(self) -> list[Any]:
        """In the order in which they came."""
        edge = self.service.edge
        first = {"version": 1, "stream": {"$regex": "^question-"}}
        streams = [each["stream"] async for each in self.service.database.journal.find(first).sort("at", 1)]
        ids = [UUID(stream.removeprefix("question-")) for stream in streams]
        return [await file_of(edge.journal, edge.vault, edge.source, id) for id in ids]

    async def asked(self, **headers: str) -> Any:
        """A question that came by mail."""
        await self.taken(mail(**headers))
        return (await self.questions())[-1]

    async def done(self, file: Any, act: str, body: dict[str, Any], as_: str) -> None:
        await self.edges.done({"path": f"/v1/questions/{file.question.id}"}, act, body, as_)

    async def answered(self) -> Any:
        """Asked by mail, answered, and the answer accepted by the mail server."""
        file = await self.asked()
        await self.done(file, "answer", {"text": "Kính gửi bà Hoa,\n\nĐược."}, "u-ha")
        await self.done(file, "release", {}, "u-ha")
        await self.edges.letter_accepted({"id": file.question.id}, NoticeKind.ANSWER)
        return file


@pytest.fixture
async def post(edges: Edges) -> AsyncIterator[Post]:
    yield Post(edges)
    for name in (THREADS, "files", "file_pieces"):
        await edges.service.database[name].delete_many({})


def reply_to(file: Any) -> str:
    return ADDRESSES.reply_to(file.question.id)


async def test_a_mail_is_a_question_with_all_that_its_asker_said(post: Post) -> None:
    file = await post.asked(Message_ID="<hoa-1@hopthu.example.vn>")
    letter, question = file.letter, file.question
    assert (letter.name, letter.email, letter.subject, letter.text) == ("Nguyễn Thị Hoa", HOA, SUBJECT, TEXT)
    assert (letter.message_id, letter.language) == ("<hoa-1@hopthu.example.vn>", "vi")
    assert question.status is Status.RECEIVED
    await post.edges.project()
    row = await post.service.database.questions.find_one({"_id": str(question.id)})
    assert row["channel"] == "mail"


async def test_the_asker_finds_it_with_the_code_as_ever(post: Post) -> None:
    file = await post.asked()
    await post.edges.project()
    code = {"code": CODES.tracking_code(file.question.id), "email": HOA}
    seen = await post.edges.post("/v1/tracking", code)
    assert (seen.status_code, seen.json()["subject"]) == (200, SUBJECT)


async def test_a_mail_handed_over_twice_is_one_question(post: Post) -> None:
    raw = mail()
    await post.taken(raw)
    await post.taken(b"Received: from mx2 by mx1\r\n" + raw)
    assert len(await post.questions()) == 1


async def test_the_same_letter_by_web_and_by_mail_is_one_question(post: Post) -> None:
    asked = await post.edges.asked(email=HOA, subject=SUBJECT, text=TEXT)
    await post.taken(mail(f"{TEXT}\n\n-- \nHoa\n0900 000 101", Subject=SUBJECT.lower()))
    assert [str(file.question.id) for file in await post.questions()] == [asked["id"]]


async def test_an_address_that_is_not_ours_is_refused(post: Post) -> None:
    code, words = await post.hand_over(mail(), to="ai@bhxh.example.vn")
    assert (code, words.startswith("5.1.1")) == (550, True)
    assert await post.questions() == []


@pytest.mark.parametrize("told", [0, 30 * 1024 * 1024], ids=["found while it streams", "announced"])
async def test_a_mail_that_is_too_large_is_refused_with_advice(post: Post, told: int) -> None:
    raw = mail() + b"A" * 76 + (b"\r\n" + b"A" * 76) * (3 * LARGEST // 76)
    code, words = await post.hand_over(raw, told=told)
    assert code == 552
    assert "Thu qua lon" in words
    assert "Please send it again without large files" in words
    assert "/ask" in words
    assert await post.questions() == []


async def test_after_a_mail_that_is_too_large_the_next_one_is_taken(post: Post) -> None:
    await post.hand_over(mail() + b"A" * 2 * LARGEST)
    await post.taken(mail())
    assert len(await post.questions()) == 1


async def test_lines_that_begin_with_a_dot_come_through(post: Post) -> None:
    await post.taken(mail("Hỏi:\n.\n..hai chấm\n"))
    assert (await post.questions())[0].letter.text == "Hỏi:\n.\n..hai chấm"


async def test_a_mail_that_cannot_be_a_question_is_refused_in_both_languages(post: Post) -> None:
    files = b"".join(b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" for _ in range(200))
    raw = f"From: {HOA}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".encode() + files
    code, words = await post.hand_over(raw)
    assert code == 554
    assert "Xin gui it tep hon" in words
    assert "Please attach fewer" in words


PDF = (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
       b"trailer<</Root 1 0 R>>\n%%EOF\n")  # fmt: skip
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80" + bytes(5) + b"\xff\xff\xff," + bytes(4) + b"\x01\x00\x01" + bytes(3) + b";"
)


def with_file(content: bytes, name: str, *, within: bool = False) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"], message["Message-ID"] = HOA, SUBJECT, f"<{uuid4().hex}@x.vn>"
    message.set_content(TEXT)
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    if within:
        (part,) = message.iter_attachments()
        del part["Content-Disposition"]
        part.replace_header("Content-Type", "image/gif")
        part["Content-ID"] = "<logo@x.vn>"
    return message.as_bytes()


async def test_a_file_comes_with_the_question_and_lies_sealed(post: Post) -> None:
    raw = with_file(PDF, "Sổ BHXH.pdf")
    await post.taken(raw)
    await post.taken(raw)
    (file,) = await post.questions()
    ((id, attached),) = file.question.files.items()
    assert (attached.media_type, attached.size) == ("application/pdf", len(PDF))
    assert file.names[str(id)] == "Sổ BHXH.pdf"
    pieces = FileStore(post.service.database, post.service.keyring).read(attached, file.question.id)
    assert b"".join([piece async for piece in pieces]) == PDF
    assert await post.service.database.files.count_documents({}) == 1


async def test_a_file_in_a_reply_comes_with_what_it_adds(post: Post) -> None:
    file = await post.asked()
    await post.taken(with_file(PDF, "a.pdf"), to=reply_to(file))
    (file,) = await post.questions()
    assert [each.media_type for each in file.question.files.values()] == ["application/pdf"]


@pytest.mark.parametrize(
    ("content", "name", "advice"),
    [
        pytest.param(b"MZ" + bytes(600), "a.exe", "Chi nhan PDF", id="a program"),
        pytest.param(GIF, "a.pdf", "Chi nhan PDF", id="a picture that calls itself PDF"),
    ],
)
async def test_a_file_that_is_not_taken_refuses_the_mail(
    post: Post, content: bytes, name: str, advice: str
) -> None:
    code, words = await post.hand_over(with_file(content, name))
    assert (code, advice in words) == (554, True)
    assert await post.questions() == []


async def test_a_logo_that_is_not_taken_refuses_nothing(post: Post) -> None:
    await post.taken(with_file(GIF, "logo.gif", within=True))
    (file,) = await post.questions()
    assert file.question.files == {}


@pytest.mark.parametrize(
    ("headers", "sender"),
    [({"Auto_Submitted": "auto-replied"}, HOA), ({"List_Id": "<x.y>"}, HOA), ({}, "")],
    ids=["an answering machine", "a mailing list", "a null return path"],
)
async def test_what_a_machine_wrote_is_taken_and_becomes_nothing(
    post: Post, headers: dict[str, str], sender: str
) -> None:
    code, words = await post.hand_over(mail(**headers), sender=sender)
    assert (code, "not a question" in words) == (250, True)
    assert await post.questions() == []


async def test_who_floods_is_put_off_and_others_are_not(post: Post) -> None:
    codes = [(await post.hand_over(mail(f"Câu hỏi thứ {n}")))[0] for n in range(6)]
    assert codes == [250] * 5 + [452]
    await post.taken(mail("Câu khác", From="Lan <lan@hopthu.example.vn>"))


async def test_a_reply_to_an_open_question_adds_to_it(post: Post) -> None:
    file = await post.asked()
    await post.taken(mail("Tôi ở Hà Nội.\n\n> Thư của Cổng", In_Reply_To="<x@y>"), to=reply_to(file))
    await post.taken(mail("Và đã 60 tuổi."), to=reply_to(file).upper())
    (file,) = await post.questions()
    told = [words for ref, words in file.words.items() if ref != file.question.letter_ref]
    assert "Tôi ở Hà Nội." in told and "Và đã 60 tuổi." in told


async def test_a_reply_finds_its_question_by_our_message_id_alone(post: Post) -> None:
    file = await post.asked()
    await post.edges.letter_accepted({"id": file.question.id}, NoticeKind.ACKNOWLEDGEMENT)
    await post.edges.catch_up([threads(CODES)])
    await post.taken(mail("Bổ sung.", References="<1@x> <other@y>"))
    assert len(await post.questions()) == 1


async def test_a_reply_finds_its_question_by_the_askers_own_mail(post: Post) -> None:
    await post.asked(Message_ID="<hoa-1@hopthu.example.vn>")
    await post.edges.catch_up([threads(CODES)])
    await post.taken(mail("Quên nói: tôi ở Huế.", In_Reply_To="<hoa-1@hopthu.example.vn>"))
    assert len(await post.questions()) == 1


async def test_a_stranger_with_the_token_asks_a_question_of_their_own(post: Post) -> None:
    file = await post.asked()
    await post.taken(mail("Tôi là ai?", From="la@khac.example.vn", In_Reply_To="<1@x>"), to=reply_to(file))
    first, second = await post.questions()
    assert (second.letter.email, second.letter.text) == ("la@khac.example.vn", "Tôi là ai?")
    assert second.question.id != first.question.id
    assert first.question.id == file.question.id


async def test_a_forged_token_is_a_letter_like_any_other(post: Post) -> None:
    file = await post.asked()
    token = CODES.thread(file.question.id)
    await post.taken(
        mail("Khác hẳn."), to=f"hoi+{token[:-1]}{'a' if token[-1] != 'a' else 'b'}@bhxh.example.vn"
    )
    assert len(await post.questions()) == 2


async def test_a_reply_to_an_unclear_refusal_sends_the_question_again(post: Post) -> None:
    file = await post.asked()
    refusal = {"ground": "unclear", "explanation": "Xin nêu rõ nơi ở."}
    await post.done(file, "refusal", refusal, "u-ha")
    raw = mail("Tôi ở Hà Nội, nghỉ việc 14 tháng.", Subject="Re: [HD-2026-11] Cần gửi lại")
    await post.taken(raw, to=reply_to(file))
    await post.taken(raw, to=reply_to(file))
    _, again = await post.questions()
    assert (again.letter.subject, again.letter.text) == (SUBJECT, "Tôi ở Hà Nội, nghỉ việc 14 tháng.")
    await post.taken(mail("Quên: tôi 60 tuổi."), to=reply_to(file))
    _, again = await post.questions()
    assert "Quên: tôi 60 tuổi." in again.words.values()


async def test_a_reply_to_an_answer_asks_further_once_and_then_adds_to_that(post: Post) -> None:
    file = await post.answered()
    await post.taken(mail("Thế còn hồ sơ?"), to=reply_to(file))
    await post.taken(mail("Hồ sơ giấy ấy."), to=reply_to(file))
    _, further = await post.questions()
    assert further.letter.text == "Thế còn hồ sơ?"
    assert "Hồ sơ giấy ấy." in further.words.values()


async def test_a_reply_about_what_was_out_of_scope_is_a_new_question(post: Post) -> None:
    file = await post.asked()
    refusal = {"ground": "out_of_scope", "explanation": "Không thuộc BHXH.", "referral": "advised_asker",
               "agency": "Ủy ban nhân dân cấp xã"}  # fmt: skip
    await post.done(file, "refusal", refusal, "u-ha")
    await post.taken(mail("Vậy hỏi việc khác."), to=reply_to(file))
    assert len(await post.questions()) == 2


async def test_letters_name_the_address_at_which_they_are_answered(post: Post) -> None:
    file = await post.asked()
    letter = await post.edges.get(f"/v1/letters/{file.question.id}/acknowledgement", "svc-notifier")
    assert letter.json()["reply_to"] == reply_to(file)
    assert ADDRESSES.question(letter.json()["reply_to"]) == file.question.id


async def test_nothing_of_the_mail_is_told_in_the_journal(post: Post) -> None:
    await post.asked(Message_ID="<canary-id@hopthu.example.vn>")
    journal = str([each async for each in post.service.database.journal.find()])
    threads_kept = str([each async for each in post.service.database[THREADS].find()])
    for word in (HOA, "Nguyễn Thị Hoa", "canary-id", TEXT, SUBJECT):
        assert word not in journal + threads_kept


async def test_while_the_database_is_away_the_server_keeps_the_mail(tmp_path: Path) -> None:
    mongo_port, port = free_ports(2)
    mongod = Mongod.at(tmp_path / "data", mongo_port, log=tmp_path / "log", pid_file=tmp_path / "pid")
    mongod.start()
    service = build(mailing(f"mongodb://127.0.0.1:{mongo_port}/?replicaSet=rs0", port, "qa"))
    app = service.app()
    try:
        async with app.router.lifespan_context(app):
            await listening(port)
            raw = mail()
            mongod.stop(5)
            code, words = await hand_over(port, raw)
            assert (code, "later" in words) == (451, True)
            mongod.start()
            until = time.monotonic() + 60
            while code != 250 and time.monotonic() < until:
                code, _ = await hand_over(port, raw)
            assert code == 250
            assert await service.database.journal.count_documents({}) == 1
    finally:
        mongod.stop(5)
