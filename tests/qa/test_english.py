"""English second: every public page, each moment of a question, chosen by address, cookie or browser; what
stays Vietnamese says so."""

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any, Final

import pytest
from lxml import html

from services.qa.asking.acts import ASKER_ACTS
from shared.contracts.qa import NoticeKind
from shared.web.spoken import chosen
from tests.qa.attached import PDF, PNG, asked_with
from tests.qa.conftest import Edges
from tests.qa.test_asker_pages import PARTS, UNCLEAR, heard, opened, sent, unclear
from tests.qa.test_pages import PUBLIC
from tools.words import CATALOGUES, Words

VIETNAMESE: Final = re.compile("[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]", re.I)
# Names of people, places, offices and days are the same in each language, and a page is called as its answer.
NAMES: Final = ("Nguyễn Thị Hoa", "Hà Nội", "Bảo hiểm xã hội thành phố", "Tiếng Việt", "Hùng", "Rút một lần")


@pytest.mark.parametrize("words", CATALOGUES, ids=lambda words: words.file.stem)
def test_every_sentence_of_a_public_page_has_its_english(words: Words) -> None:
    """A new one is added by ``python -m tools.words`` and translated by a person."""
    kept, mended = words.kept(), words.mended()
    assert {message.id for message in kept} == {message.id for message in mended}
    for message in kept:
        if not message.id:
            continue
        pair = [(message.id, message.string)]
        if isinstance(message.id, tuple):
            pair = list(zip(message.id, message.string, strict=True))
        for vietnamese, english in pair:
            assert english, vietnamese
            assert set(re.findall(r"%\(\w+\)s", english)) == set(re.findall(r"%\(\w+\)s", vietnamese))
            assert not re.search(r'["<>&]', english), "it may stand in an attribute"


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "told"),
    [
        ("en", "vi", "vi", "en"), ("", "en", "vi", "en"), ("", "", "en-US,en;q=0.9,vi;q=0.8", "en"),
        ("", "", "vi-VN,vi;q=0.9,en-US;q=0.8", "vi"), ("", "", "", "vi"), ("", "", "fr,de;q=0.5", "vi"),
        ("", "", "fr,en;q=0.3,vi;q=0.2", "en"), ("fr", "de", "en;q=0", "vi"), ("", "", "en;q=x,;,", "vi"),
    ],
)  # fmt: skip
def test_the_address_outweighs_the_cookie_and_the_cookie_the_browser(
    asked: str, remembered: str, accepted: str, told: str
) -> None:
    assert chosen(asked, remembered, accepted, ("vi", "en")) == told


def vietnamese_in(page: str) -> list[str]:
    """What a reader of English meets in Vietnamese, unless it is marked so or stands in brackets."""
    root = html.fromstring(page)
    assert root.get("lang") == "en"
    for marked in [*root.xpath("//*[@lang='vi']"), *root.xpath("//script | //select[@id='province']")]:
        marked.drop_tree()
    for meta in root.xpath("//meta"):
        meta.drop_tree()
    attributes = root.xpath("//@aria-label | //@title | //@placeholder")
    found = []
    for text in [*root.itertext(), *attributes]:
        left = re.sub(r"\([^)]*\)", "", unescape(str(text)))
        for name in NAMES:
            left = left.replace(name, "")
        if VIETNAMESE.search(left):
            found.append(left.strip())
    return found


async def correction(edges: Edges) -> dict[str, Any]:
    asked = await sent(edges)
    await edges.done(asked, "publication", PUBLIC, "u-khoi")
    await edges.done(asked, "correction", {"text": "Sửa.", "reason": "Sai số."}, "u-tuan")
    await edges.done(asked, "release", {}, "u-khoi")
    await edges.letter_accepted(asked, NoticeKind.CORRECTION)
    return asked


async def split(edges: Edges) -> dict[str, Any]:
    asked = await edges.asked()
    await edges.done(asked, "splitting", PARTS, "u-ha")
    await heard(edges)
    return asked


async def promised(edges: Edges) -> dict[str, Any]:
    asked = await edges.forwarded()
    notice = {"words": "Đang đối chiếu.", "promised_for": "2027-12-01"}
    await edges.done(asked, "progress", notice, "u-tuan")
    return asked


async def refused(edges: Edges) -> dict[str, Any]:
    asked = await edges.asked()
    refusal = {
        "ground": "out_of_scope", "explanation": "Việc của xã.", "referral": "transferred_by_centre",
        "agency": "UBND xã", "reference": "12/CV-CSKH", "transferred_on": "2026-11-30",
    }  # fmt: skip
    await edges.done(asked, "refusal", refusal, "u-ha")
    return asked


async def with_files(edges: Edges) -> dict[str, Any]:
    return await asked_with(edges, PDF, PNG)


async def withdrawn(edges: Edges) -> dict[str, Any]:
    asked = await edges.forwarded()
    proof = {"code": asked["tracking_code"], "email": asked["email"]}
    await edges.project()
    await edges.post("/v1/tracking/information", proof | {"words": "Thêm."})
    await edges.post("/v1/tracking/withdrawal", proof)
    return asked


@pytest.mark.parametrize(
    "moment",
    [
        Edges.asked,
        Edges.forwarded,
        Edges.answered,
        promised,
        sent,
        unclear,
        refused,
        correction,
        split,
        withdrawn,
        with_files,
    ],
    ids=lambda moment: moment.__name__,
)
async def test_each_moment_of_a_question_is_told_in_english(
    edges: Edges, moment: Callable[[Edges], Awaitable[dict[str, Any]]]
) -> None:
    asked = await moment(edges)
    await opened(edges, asked)
    page = await edges.page("/track?lang=en")
    assert asked["number"] in page.text
    assert vietnamese_in(page.text) == []
    for path in ASKER_ACTS:
        act = await edges.page(f"/track/{path}")
        assert act.status_code == 303 or vietnamese_in(act.text) == [], path


async def test_asking_is_told_in_english_with_its_errors_and_letters_come_in_english(edges: Edges) -> None:
    start = await edges.page("/ask?lang=en")
    assert "lang=en; Path=/" in start.headers["set-cookie"]
    assert (start.headers["content-language"], "Accept-Language" in start.headers["vary"]) == ("en", True)
    assert vietnamese_in(start.text) == []
    assert '<a href="/ask?lang=vi" hreflang="vi" lang="vi"' in start.text
    wrong = {"step": "words", "subject": "Pension", "text": "a" * 5001}
    page = (await edges.form("/ask", wrong)).text
    assert (vietnamese_in(page), "longer than 5000" in page) == ([], True)
    wrong = {"step": "check", "subject": "Pension", "email": "x", "phone": "1", "text": "When?"}
    page = (await edges.form("/ask", wrong)).text
    assert vietnamese_in(page) == []
    for said in ("Please give your full name.", "8 to 15 digits", "We need your consent"):
        assert said in page
    good = {"step": "check", "name": "Ann Lee", "email": "ann@mail.example", "subject": "Pension?",
            "text": "When is it paid?", "consent": "1"}  # fmt: skip
    page = (await edges.form("/ask", good)).text
    assert (vietnamese_in(page), 'name="language" value="en"' in page) == ([], True)
    await edges.form("/ask", {**good, "step": "send", "language": "en"})
    receipt = (await edges.page("/ask/received")).text
    assert vietnamese_in(receipt) == []
    assert re.search(r"\d{1,2} (November|December|January) \d{4}", receipt)
    assert not re.search(r"\d\d/\d\d/\d{4}", receipt)


async def test_answers_are_found_in_english_and_marked_as_vietnamese(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.done(asked, "publication", PUBLIC | {"field": "bhxh-mot-lan"}, "u-khoi")
    await edges.project()
    for path in ("/answers?lang=en", "/answers?q=rut", "/answers?q=zzz", f"/answers/{asked['id']}", "/track"):
        assert vietnamese_in((await edges.page(path)).text) == [], path
    answer = (await edges.page(f"/answers/{asked['id']}")).text
    assert 'lang="vi">Rút một lần</h1>' in answer
    assert f'hreflang="vi" href="http://127.0.0.1:8002/answers/{asked["id"]}"' in answer


@pytest.mark.parametrize(
    ("path", "status"), [("/no-such", 404), ("/answers/00000000-0000-0000-0000-000000000000", 404)]
)
async def test_an_error_is_a_page_in_english_too(edges: Edges, path: str, status: int) -> None:
    page = await edges.page(f"{path}?lang=en")
    assert page.status_code == status
    assert vietnamese_in(page.text) == []


async def test_a_wrong_code_and_too_many_tries_are_told_in_english(edges: Edges) -> None:
    await edges.page("/track?lang=en")
    for _ in range(6):
        answer = await edges.form("/track", {"code": "AAAA", "email": "a@x.vn"})
        assert vietnamese_in(answer.text) == []
    assert (answer.status_code, "Too many tries" in answer.text) == (429, True)


async def test_staff_and_machines_are_told_in_vietnamese_whatever_was_chosen(edges: Edges) -> None:
    asked = await edges.forwarded()
    await edges.page("/ask?lang=en")
    desk = await edges.page(f"/desk/unit/{asked['id']}?lang=en", "u-tuan")
    assert '<html lang="vi"' in desk.text
    assert "Chuyển đến Bảo hiểm xã hội thành phố Hà Nội" in desk.text
    proof = {"code": asked["tracking_code"], "email": asked["email"]}
    await edges.project()
    told = (await edges.post("/v1/tracking", proof, Accept_Language="en")).json()
    assert (told["status_vi"], told["status_en"]) == ("Đang soạn trả lời", "The answer is being written")
    assert told["sentence_en"].startswith("Bảo hiểm xã hội thành phố Hà Nội answers")
    assert told["history"][-1]["title"] == "Bạn gửi câu hỏi"
    assert told["history"][-1]["title_en"] == "You sent the question"


def test_the_ground_of_a_refusal_keeps_its_legal_words() -> None:
    assert UNCLEAR["ground"] == "unclear"
    qa = CATALOGUES[1].kept()
    for legal in ("Câu hỏi chưa rõ nghĩa", "Lương hưu"):
        message = qa.get(legal)
        assert message
        assert VIETNAMESE.search(str(message.string)), "the Vietnamese term stands in brackets"
