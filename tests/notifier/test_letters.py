"""What a person reads in a mail: what, why, by when, under which clause, what to do next."""

import re
from datetime import date
from pathlib import Path

import pytest

from services.notifier import regulation
from services.notifier.gateways import Mail
from services.notifier.letters import LANGUAGES, VERSIONS, LetterIncomplete, digest_mail, mail_for, memo_mail
from services.notifier.letters.samples import ASKER
from services.notifier.letters.staff import signal_for
from services.notifier.letters.wording import CITED_EN, DUTIES_EN, SUBJECTS, en_day
from services.notifier.regulation_clauses import CITED
from shared.testing import local
from tests.notifier.goldens import (
    ASKERS,
    FACTS,
    FOLDER,
    LOOK,
    SENT,
    digest,
    every_letter,
    files_of,
    letter,
    memo,
)

LETTERS = list(every_letter())


@pytest.mark.parametrize(("name", "mail"), LETTERS, ids=[name for name, _ in LETTERS])
def test_a_letter_reads_as_it_was_read_and_found_good(name: str, mail: Mail) -> None:
    for file, content in files_of(name, mail):
        assert content == file.read_text(encoding="utf-8"), "read it, then python -m tests.notifier.goldens"


def test_no_letter_lies_about_that_nobody_makes() -> None:
    made = {file for name, mail in LETTERS for file, _ in files_of(name, mail)}
    assert {file for file in FOLDER.rglob("*") if file.is_file()} == made


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_its_words_in_each_language_version_and_form(language: str) -> None:
    folder = Path(regulation.__file__).parent / "templates" / "mail"
    for kind in regulation.BY_MAIL:
        assert kind in SUBJECTS[language]  # type: ignore[index]
        for version in VERSIONS:
            assert {
                (folder / version / language / f"{kind}.{form}").is_file() for form in ("txt", "html")
            } == {True}


def test_every_duty_and_clause_has_an_english_name() -> None:
    assert set(DUTIES_EN) == set(regulation.DUTIES)
    assert set(CITED_EN) == set(CITED)


@pytest.mark.parametrize(("name", "mail"), LETTERS, ids=[name for name, _ in LETTERS])
def test_both_forms_of_a_letter_say_the_same(name: str, mail: Mail) -> None:
    """Each number, date and clause of the text stands in the HTML too."""
    told = re.sub(r"<[^>]+>", " ", mail.html.replace("&amp;", "&"))
    for fact in re.findall(r"\d[\d/.:]*\d", mail.text.replace("http://", "")):
        assert fact in told or fact in mail.html, fact


@pytest.mark.parametrize("kind", ASKERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_names_its_clause_and_no_other_asker_secret(kind: str, language: str) -> None:
    mail = letter(kind, language)  # type: ignore[arg-type]
    assert "1582/QĐ-BHXH" in mail.text
    assert "Cấp lại sổ đỏ & thuế" in mail.text
    assert "Cấp lại sổ đỏ &amp; thuế" in mail.html
    assert (FACTS["tracking_code"] in mail.text) is (kind == "acknowledgement")
    assert mail.language == language


def test_an_asker_is_written_to_in_vietnamese_unless_the_letter_says_otherwise() -> None:
    facts = {"message_id": "<1@x>", "at": SENT}
    assert mail_for(LOOK, "answer", FACTS, **facts).language == "vi"  # type: ignore[arg-type]
    english = mail_for(LOOK, "answer", FACTS | {"language": "en"}, **facts)  # type: ignore[arg-type]
    assert english.subject.startswith("Reply to your question")


@pytest.mark.parametrize(
    ("kind", "field"),
    [("acknowledgement", "tracking_code"), ("acknowledgement", "triage_due"), ("refusal", "explanation"),
     ("refusal", "ask_url"), ("progress", "words"), ("progress", "promised_for"), ("progress", "unit_name"),
     ("answer", "answer"), ("answer", "name"), ("answer", "number"), ("answer", "subject")],
)  # fmt: skip
@pytest.mark.parametrize("lacks", ["the field", "its words"])
def test_a_letter_with_a_hole_is_refused_by_the_name_of_the_hole(kind: str, field: str, lacks: str) -> None:
    facts = {name: value for name, value in FACTS.items() if name != field}
    if lacks == "its words":
        facts |= {field: "  "}
    with pytest.raises(LetterIncomplete, match=field) as refused:
        mail_for(LOOK, kind, facts, message_id="<1@x>", at=SENT)
    assert FACTS["name"] not in str(refused.value)
    assert FACTS["email"] not in str(refused.value)


def test_a_transfer_without_its_agency_is_no_letter() -> None:
    with pytest.raises(LetterIncomplete, match="agency"):
        letter("refusal", referral="transferred_by_centre", agency=" ")


def test_a_kind_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(LetterIncomplete):
        letter("greeting")


def test_an_unclear_question_is_asked_for_again() -> None:
    mail = letter("refusal", ground="unclear", referral=None, agency="", explanation="Chưa rõ chế độ nào.")
    assert "chưa đủ rõ" in mail.text
    assert "gửi lại câu hỏi với nội dung đầy đủ tại http://qa/ask" in mail.text
    assert "không thuộc phạm vi, chức năng" not in mail.text


@pytest.mark.parametrize(("at", "late"), [("2026-11-23T23:59:59.999", False), ("2026-11-24T00:00", True)])
def test_a_notice_that_missed_its_day_says_so(at: str, late: bool) -> None:
    """«…thông báo ngay trong ngày…»: nothing is backdated, and the asker is told."""
    mail = letter("refusal", at=local(at))
    for words in (mail.text, mail.html):
        assert ("Lẽ ra thư này phải được gửi chậm nhất hết thứ Hai 23/11/2026." in words) is late


def test_a_memo_of_an_unknown_clause_is_not_sent_without_one() -> None:
    with pytest.raises(Exception, match="dieu-99"):
        memo_mail(LOOK, "breach", memo("breach", "vi", basis="dieu-99#khoan-1"), message_id="<1@x>", at=SENT)


def test_a_morning_mail_names_no_part_that_is_empty() -> None:
    some = digest("vi", today=(), today_count=0, soon=(), soon_count=0)
    mail = digest_mail(LOOK, some, message_id="<1@x>", at=SENT)
    assert mail.subject.endswith(": 38 quá hạn")
    assert "Đến hạn hôm nay" not in mail.text + mail.html


def test_a_line_of_sms_keeps_its_link_whole_and_fits_a_telephone() -> None:
    long = memo("breach", "vi", label="HD-2026-11-7K3QZ4M " + "dài " * 60)
    signal = signal_for("breach", long, message_id="<1@x>", at=SENT)
    assert len(signal.short) <= 160
    assert signal.short.endswith(" http://notifier/desk/deadlines/95ffe331")
    assert "dài dài" in signal.text


def test_an_english_day_is_the_day_in_vietnam() -> None:
    assert en_day(local("2026-11-24T00:30")) == "Tuesday 24 November 2026"
    assert en_day(date(2026, 1, 2)) == "Friday 2 January 2026"


@pytest.mark.parametrize(
    ("language", "words"), [("vi", "bạn cứ trả lời thư này"), ("en", "reply to it from")]
)
def test_a_letter_that_may_be_answered_invites_an_answer(language: str, words: str) -> None:
    facts = {**ASKER, "language": language}
    there, nowhere = (
        mail_for(LOOK, "acknowledgement", facts | more, message_id="<1@x.vn>", at=SENT)
        for more in ({"reply_to": "hoi+abc@bhxh.example.vn"}, {})
    )
    assert (there.reply_to, nowhere.reply_to) == ("hoi+abc@bhxh.example.vn", "")
    assert words in " ".join(there.text.split())
    assert words in there.html
    assert words not in nowhere.text + nowhere.html
