"""A mail as bytes: what the standard library reads in them is what was meant, whatever went in."""

import time
from base64 import b64encode
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifier.gateways import Mail, NotSent, Signer, Smtp, composed
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import Delivery

SENDER = ("Cổng Thông tin điện tử BHXH Việt Nam", "hoidap@bhxh.example.vn")
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress",
    "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip


def mail(**facts: Any) -> Mail:
    given = {"to": "an@example.vn", "subject": "Trả lời câu hỏi HD-1", "text": "Kính gửi", "html": "<p>a</p>",
             "message_id": "<1@a.vn>", "at": AT}  # fmt: skip
    return Mail(**(given | facts))


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words_of(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def by_the_standard_library(letter: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"], message["To"] = letter.subject, letter.to
    message.set_content(letter.text, cte="base64")
    message.add_alternative(letter.html, subtype="html", cte="base64")
    return read(message.as_bytes())


SUBJECTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
ANYTHING = st.text(st.one_of(st.characters(), st.sampled_from("\r\n\0\x85\u2028\u2029,;@<>: ")), max_size=80)


@given(subject=SUBJECTS, text=WORDS, html=WORDS)
@example(subject="=?utf-8?b?QmNjOiB4?=", text=".\r\n.\r\n", html="--=_thu-bao-bhxh_=--")
@example(subject="ệ" * 80, text="", html="")
def test_what_goes_in_is_what_the_standard_library_reads(subject: str, text: str, html: str) -> None:
    raw = composed(mail(subject=subject, text=text, html=html), SENDER)
    message = read(raw)
    assert str(message["Subject"]).strip() == subject.strip()
    for kind, given_text in (("plain", text), ("html", html)):
        lines = given_text.replace("\r\n", "\n").replace("\r", "\n")
        assert words_of(message, kind).replace("\r\n", "\n") == lines
    assert [p.get_content_type() for p in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert message.defects == []


def test_the_standard_librarys_own_mail_reads_the_same() -> None:
    letter = mail(text="Kính gửi ông Nguyễn Văn Ấn,\n\n.một dòng\n", html="<p>Kính gửi</p>\n")
    ours, theirs = read(composed(letter, SENDER)), by_the_standard_library(letter)
    assert (ours["Subject"], ours["To"]) == (theirs["Subject"], theirs["To"])
    assert [words_of(ours, k) for k in ("plain", "html")] == [words_of(theirs, k) for k in ("plain", "html")]


def test_a_letter_that_may_be_answered_says_where() -> None:
    raw = composed(mail(reply_to="hoi+abc@bhxh.example.vn"), SENDER)
    assert read(raw)["Reply-To"] == "hoi+abc@bhxh.example.vn"
    assert read(composed(mail(), SENDER))["Reply-To"] is None


@pytest.mark.parametrize("bad", ["a@b.vn, c@d.vn", "a@b.vn\r\nBcc: c@d.vn", "hoi"])
def test_an_answer_goes_to_exactly_one_address(bad: str) -> None:
    with pytest.raises(NotSent):
        composed(mail(reply_to=bad), SENDER)


@given(to=ANYTHING, subject=ANYTHING, text=ANYTHING, html=ANYTHING, id=ANYTHING, language=ANYTHING)
@example(to="a@b.vn\r\nBcc: c@d.vn", subject="x", text="", html="", id="<1@a.vn>", language="vi")
@example(to="a@b.vn", subject="x\r\nBcc: c@d.vn", text="", html="", id="<1@a.vn>", language="vi")
@example(to="a@b.vn", subject="x", text="", html="", id="<1@a.vn>\r\nBcc: c@d.vn", language="vi")
@example(to="a@b.vn", subject="x", text="", html="", id="<1@a.vn>", language="vi\r\nBcc: c@d.vn")
@example(to="a@b.vn,c@d.vn", subject="x", text="", html="", id="<1@a.vn>", language="vi")
@example(to="a@b.vn", subject="x", text="\r\n.\r\nMAIL FROM:<x@y.vn>", html="", id="<1@a.vn>", language="vi")
def test_no_input_adds_a_header_or_a_recipient(
    *, to: str, subject: str, text: str, html: str, id: str, language: str
) -> None:
    letter = mail(to=to, subject=subject, text=text, html=html, message_id=id, language=language)
    try:
        raw = composed(letter, SENDER)
    except NotSent as failure:
        assert failure.outcome is Delivery.DEFINITE
        return
    message = read(raw)
    assert message.keys() == HEADERS
    assert [address.addr_spec for address in message["To"].addresses] == [to.strip()]
    assert raw.isascii()
    assert raw.replace(b"\r\n", b"").translate(None, b"\r\n\0") == raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))


@pytest.mark.parametrize(
    "bad", ["\0", "\r", "\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\ud800"]
)
@pytest.mark.parametrize("field", ["to", "subject", "message_id", "language"])
def test_a_line_end_of_any_kind_is_refused_in_every_header(field: str, bad: str) -> None:
    good = mail()
    with pytest.raises(NotSent):
        composed(mail(**{field: getattr(good, field)[:1] + bad + getattr(good, field)[1:]}), SENDER)


def test_composing_costs_a_fraction_of_what_the_standard_library_takes() -> None:
    letter = mail(text="Câu hỏi của bạn không thuộc phạm vi.\n" * 40, html="<p>Câu hỏi của bạn</p>\n" * 40)

    def took(work: Any) -> float:
        composed(letter, SENDER)
        began = time.process_time()
        for _ in range(40):
            work()
        return time.process_time() - began

    ours = min(took(lambda: composed(letter, SENDER)) for _ in range(3))
    assert 5 * ours < took(lambda: by_the_standard_library(letter).as_bytes())


class TestSignature:
    KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(self, folder: Path, key: Any) -> Path:
        file = folder / "dkim.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file

    def txt(self, name: bytes, timeout: int = 5) -> bytes:
        assert name == b"thu-bao._domainkey.bhxh.example.vn."
        public = self.KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + b64encode(public)

    def signed(self, folder: Path) -> bytes:
        file = self.pem(folder, self.KEY)
        signer = Smtp(NotifierSettings(environment="local", dkim_key_file=file)).signer
        assert signer is not None
        return composed(mail(text="Kính gửi \n\n một  dòng \t\n\n\n"), SENDER, signer)

    def test_a_receiver_finds_the_signature_good(self, tmp_path: Path) -> None:
        raw = self.signed(tmp_path)
        assert dkim.verify(raw, dnsfunc=self.txt)
        signature = " ".join(str(read(raw)["DKIM-Signature"]).split())
        signed = "h=from: from: to: reply-to: subject: date: message-id: mime-version: content-type;"
        assert "c=relaxed/relaxed; d=bhxh.example.vn; s=thu-bao;" in signature
        assert signed in signature

    def test_what_relays_do_to_white_space_does_no_harm(self, tmp_path: Path) -> None:
        raw = (
            self.signed(tmp_path).replace(b"Subject: ", b"subject:   ").replace(b"\r\n\r\n--", b"\r\n\r\n--")
        )
        assert dkim.verify(b"Received: by mx.example.vn\r\n" + raw + b"\r\n\r\n", dnsfunc=self.txt)

    @pytest.mark.parametrize(
        ("old", "new"),
        [(b"To: an@", b"To: ba@"), (b"Subject: ", b"Subject: Re: "), (b"Date: Mon", b"Date: Tue"),
         (b"<1@a.vn>", b"<2@a.vn>"), (b"To: an@", b"From: x@y.vn\r\nTo: an@"), (b"S8", b"S9"),
         (b"To: an@", b"Reply-To: x@y.vn\r\nTo: an@")],
    )  # fmt: skip
    def test_a_change_on_the_way_is_found(self, tmp_path: Path, old: bytes, new: bytes) -> None:
        raw = self.signed(tmp_path)
        assert old in raw
        assert not dkim.verify(raw.replace(old, new, 1), dnsfunc=self.txt)

    def test_without_a_key_mail_goes_out_unsigned(self) -> None:
        assert Smtp(NotifierSettings(environment="local")).signer is None

    @pytest.mark.parametrize(
        "key",
        [
            rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 (to be refused)
            ec.generate_private_key(ec.SECP256R1()),
        ],
        ids=["short", "no RSA"],
    )
    def test_a_key_that_receivers_would_not_believe_is_refused_at_the_start(
        self, tmp_path: Path, key: Any
    ) -> None:
        with pytest.raises(ValueError, match="2048 bits"):
            Signer.of_file("s", "a.vn", self.pem(tmp_path, key))
