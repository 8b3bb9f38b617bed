"""A mail read: whatever its bytes are, it is understood or refused for a reason, and nothing else."""

import contextlib
import time
from base64 import b64encode
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.qa.mail.reading import MOST_TEXT, Mail, MailRefused, Trouble, read
from services.qa.mail.texts import from_html, spoken, without_quotes
from tests.qa.mails import HOA, SUBJECT, TEXT, mail

OURS = "bhxh.example.vn"
HEAD = f"From: {HOA}\r\nSubject: Hoi\r\n".encode()


def read_as(raw: bytes, sender: str | None = HOA) -> Mail:
    return read(raw, sender, OURS)


def refused(raw: bytes) -> Trouble:
    with pytest.raises(MailRefused) as refusal:
        read_as(raw)
    return refusal.value.trouble


def typed(kind: str, body: bytes) -> bytes:
    return HEAD + f"Content-Type: {kind}\r\n".encode() + b"\r\n" + body


def nested(depth: int) -> bytes:
    layer = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return HEAD + b"".join(layer % (n, n) for n in range(depth)) + b"\r\nHoi trong cung"


def test_a_plain_mail_says_who_asks_what() -> None:
    read_mail = read_as(mail(Message_ID="<1@x.vn>", References="<0@x.vn> <9@y.vn>", In_Reply_To="<9@y.vn>"))
    assert (read_mail.sender, read_mail.name) == (HOA, "Nguyễn Thị Hoa")
    assert (read_mail.subject, read_mail.text, read_mail.language) == (SUBJECT, TEXT, "vi")
    assert (read_mail.message_id, read_mail.answers) == ("<1@x.vn>", ("<9@y.vn>", "<0@x.vn>"))


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        pytest.param("utf-8", "Nghỉ việc".encode(), id="as it says"),
        pytest.param("us-ascii", "Nghỉ việc".encode(), id="UTF-8 that says ASCII"),
        pytest.param("klingon", "Nghỉ việc".encode(), id="a charset that nobody knows"),
        pytest.param("windows-1258", "Nghỉ việc".encode("cp1258", "replace"), id="the Vietnamese code page"),
        pytest.param("base64", "Nghỉ việc".encode(), id="a codec that is no charset"),
        pytest.param("idna", "Nghỉ việc".encode(), id="a codec that takes for ever"),
    ],
)
def test_a_text_is_read_whatever_charset_it_claims(charset: str, encoded: bytes) -> None:
    text = read_as(typed(f"text/plain; charset={charset}", encoded)).text
    assert text == ("Nghỉ việc" if charset != "windows-1258" else "Ngh? vi?c")


def test_bytes_of_no_charset_are_replaced_and_the_rest_is_read() -> None:
    assert (
        "hỏi"
        in read_as(typed("text/plain; charset=utf-8", b"\xff\xd2\xd5 " + "hỏi".encode() + b" \x81")).text
    )


def test_of_html_alone_the_words_are_kept_and_no_script() -> None:
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><script>alert(1)</script>"
        "<p onclick='x()'>Tôi <b>nghỉ việc</b> &lt;14&gt; tháng.</p><p>Có rút được không?<br>Cảm ơn"
        "<img src=x onerror=alert(2)></p><blockquote>Thư trước</blockquote></body></html>"
    )
    read_mail = read_as(typed("text/html; charset=utf-8", html.encode()))
    assert read_mail.text == "Tôi nghỉ việc <14> tháng.\n\nCó rút được không?\nCảm ơn\n\n> Thư trước"


def test_of_two_forms_of_one_text_the_plain_one_is_read() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = HOA, SUBJECT
    message.set_content("Chữ thường")
    message.add_alternative("<p>Chữ <b>đậm</b></p>", subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="sổ BHXH.pdf")
    read_mail = read_as(message.as_bytes())
    assert read_mail.text == "Chữ thường"
    (file,) = read_mail.attached
    assert (file.name, file.content, file.adorns) == ("sổ BHXH.pdf", b"%PDF-1.7", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("Đã đủ.\n\nVào Th 2, 23 thg 11, 2026 lúc 09:00 Cổng <a@b.vn> đã viết:\n> Mã: X",
                     "Đã đủ.",
                     id="Gmail in Vietnamese"),
        pytest.param("Đã đủ.\n\nOn Mon, Nov 23, 2026 at 9:00 AM Cổng TTĐT\n<a@b.vn> wrote:\n\n> Mã: X",
                     "Đã đủ.",
                     id="Gmail in English, its line broken"),
        pytest.param("Đã đủ.\n\n-----Original Message-----\nFrom: a@b.vn\nX", "Đã đủ.", id="Outlook, old"),
        pytest.param("Đã đủ.\n\nTừ: Cổng <a@b.vn>\nĐã gửi: 23/11/2026\nTới: Hoa\nChủ đề: x\n\nMã: X",
                     "Đã đủ.", id="Outlook"),
        pytest.param("> Mã: X\nĐã đủ.\n> Xin gửi lại\nGửi rồi.", "Đã đủ.\nGửi rồi.", id="between the lines"),
        pytest.param("Đã đủ.\n--\nHoa\n0900", "Đã đủ.", id="a signature"),
        pytest.param("Đã đủ.\n\nSent from my iPhone", "Đã đủ.", id="a telephone"),
        pytest.param("> chỉ trích", "> chỉ trích", id="nothing but a quote stays"),
        pytest.param("Hỏi.\n---------- Forwarded message ---------\nFrom: a@b.vn\nDate: 1\nSubject: x\nLời",
                     "Hỏi.\n---------- Forwarded message ---------\nFrom: a@b.vn\nDate: 1\nSubject: x\nLời",
                     id="what is passed on stays"),
        pytest.param("Ngày 3/2 cơ quan tôi đã viết:\nkhông đồng ý",
                     "Ngày 3/2 cơ quan tôi đã viết:\nkhông đồng ý",
                     id="a sentence that only looks like it"),
    ],
)  # fmt: skip
def test_a_reply_is_what_it_says_itself(text: str, said: str) -> None:
    assert read_as(mail(text, In_Reply_To="<1@x>")).reply == said


def test_a_new_mail_keeps_all_that_it_says() -> None:
    text = "Xem giúp tôi:\n> Thông báo số 12\n> của BHXH"
    assert read_as(mail(text)).text == text


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("=?utf-8?b?TmdhIFbDtQ==?= <a@b.vn>", "Nga Võ"),
        ("a@b.vn", ""),
        ('"Bấm http://x.vn/y" <a@b.vn>', "Bấm http x.vn y"),
        ('"a\\"b <c>" <a@b.vn>', "a b c"),
        ("=?utf-8?q?Hoa=0D=0ABcc_x?= <a@b.vn>", "Hoa Bcc x"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(written: str, name: str) -> None:
    assert read_as(f"From: {written}\r\nSubject: x\r\n\r\nHỏi".encode()).name == name


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Toi muon hoi ve bao hiem xa hoi mot lan, xin cam on", "vi"),
        ("Dear Sir, I am a foreigner and would like to know how I can withdraw my social insurance", "en"),
        ("Tôi làm cho công ty ABC, what is this?", "vi"),
        ("OK", "vi"),
    ],
)
def test_the_language_is_vietnamese_unless_it_is_clearly_english(text: str, language: str) -> None:
    assert spoken(text) == language


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        pytest.param(nested(100), Trouble.TOO_DEEP, id="a hundred deep"),
        pytest.param(typed("multipart/mixed; boundary=b", b"".join(
            b"--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\na\r\n" for _ in range(200)
        )), Trouble.TOO_MANY_PARTS, id="two hundred files"),
        pytest.param(mail("a" * (MOST_TEXT + 1)), Trouble.TOO_LONG, id="too long"),
        pytest.param(mail("\n \n"), Trouble.NO_TEXT, id="nothing said"),
        pytest.param(typed("application/pkcs7-mime", b"AAAA"), Trouble.NO_TEXT, id="encrypted"),
        pytest.param(b"Subject: x\r\n\r\nHoi", Trouble.NO_SENDER, id="from nobody"),
        pytest.param(mail(From="a@b.vn, c@d.vn"), Trouble.NO_SENDER, id="from two"),
        pytest.param(typed("text/plain; " + "a=b; " * 10_000, b"x"), Trouble.BROKEN, id="endless parameters"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_question_is_refused_for_a_reason(raw: bytes, trouble: Trouble) -> None:
    assert refused(raw) is trouble


def test_twenty_parts_within_one_another_are_still_read() -> None:
    assert read_as(nested(19)).text == "Hoi trong cung"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(typed("text/html", b"hoi " + b"<div>" * 150_000), id="markup nested without end"),
        pytest.param(HEAD + b"\r\n" + b"\r\n" * 5_000_000, id="ten megabytes of line ends"),
        pytest.param(HEAD + b"A: b\r\n" * 200_000 + b"\r\nhoi", id="headers without end"),
        pytest.param(HEAD + b"\r\n" + b"a" * 10_000_000, id="one endless line"),
        pytest.param(nested(19) + b"\r\n" + b"a\r\n" * 200_000, id="deep and long"),
        pytest.param(b"From: " + b"(" * 90_000 + b"\r\n\r\nhoi", id="a sender that never ends"),
    ],
)
def test_no_mail_holds_the_reader_up(raw: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(MailRefused):
        read_as(raw)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto_submitted"),
        ({"Auto_Submitted": "auto-generated; owner"}, "auto_submitted"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"List_Unsubscribe": "<mailto:x@y.vn>"}, "list"),
        ({"X_Loop": "x@y.vn"}, "answering_machine"),
        ({"X_Autoreply": "yes"}, "answering_machine"),
        ({"Message_ID": "<7a0e9a1c-6c1c-5b1e-9a55-3d9f0c1c7a10@bhxh.example.vn>"}, "own_letter"),
        ({"Return_Path": "<>"}, "null_return_path"),
        ({"From": "MAILER-DAEMON@mx.example.vn"}, "server"),
        ({"From": "Không trả lời <no-reply@x.vn>"}, "server"),
        ({"Subject": "Trả lời tự động: Điều kiện rút"}, "away"),
        ({"Subject": "Automatic reply: question"}, "away"),
        ({"Subject": "Out of Office until Monday"}, "away"),
        ({"Subject": "Undeliverable: your letter"}, "away"),
    ],
)
def test_what_a_machine_wrote_is_recognised(headers: dict[str, str], kind: str) -> None:
    assert read_as(mail(**headers)).automatic == kind


def test_a_null_return_path_is_a_machine() -> None:
    assert read_as(mail(), sender=None).automatic == "null_return_path"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "no"},
        {"Precedence": "normal"},
        {"Subject": "Vacation pay in my last year"},
        {"Message_ID": "<7A0E9A1C-6C1C-5B1E-9A55-3D9F0C1C7A10@bhxh.example.vn>"},
        {"X_Auto_Response_Suppress": "All"},  # asks machines not to answer; people's own servers add it
    ],
)
def test_what_a_person_wrote_is_not_taken_for_a_machine(headers: dict[str, str]) -> None:
    assert read_as(mail(**headers)).automatic == ""


LINES = st.sampled_from([
    b"From: a@b.vn", b"Subject: =?utf-8?b?\xff?=", b"Content-Type: multipart/mixed; boundary=b",
    b"Content-Type: multipart/alternative; boundary=\"b", b"Content-Type: text/html; charset=\xff",
    b"Content-Type: message/rfc822", b"Content-Type: multipart/digest; boundary=b", b"--b", b"--b--", b"",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"=ZZ=", b"QUI",
    b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x", b"M", b"Content-Disposition: attachment;",
    b" filename*0*=utf-8''%zz", b"<p>x<script>", b"Hoi", b"In-Reply-To: <a@b>", b"> x", b"On x wrote:",
    b"From: \"", b"From: <a@[", b"Message-ID: <", b"\x00\xfe\xff", b"Content-Type:", b"Content-Type: /; a*=",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES | st.binary(max_size=40), max_size=40).map(b"\r\n".join))
def test_whatever_the_bytes_are_a_mail_is_read_or_refused(raw: bytes) -> None:
    try:
        read_mail = read_as(raw)
    except MailRefused:
        return
    assert read_mail.automatic or read_mail.text
    assert not any(ord(c) < 32 for c in read_mail.subject + read_mail.name)


@given(st.text(max_size=500))
def test_any_markup_becomes_words_without_control_characters(markup: str) -> None:
    assert not any(ord(c) < 32 and c != "\n" for c in from_html(markup))


@given(st.text(alphabet="ab >\n-", min_size=1, max_size=80))
def test_a_reply_never_loses_all_that_it_says(text: str) -> None:
    assert without_quotes(text).strip() or not text.strip(" >\n-")


def test_the_bytes_of_a_file_come_through() -> None:
    content = bytes(range(256)) * 10
    body = b"--b\r\n\r\nHoi\r\n--b\r\nContent-Disposition: attachment; filename=x.bin\r\n"
    body += b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(content) + b"\r\n--b--\r\n"
    assert [each.content for each in read_as(typed("multipart/mixed; boundary=b", body)).attached] == [
        content
    ]
