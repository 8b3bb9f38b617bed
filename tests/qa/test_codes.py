"""Tracking codes, numbers, marks and seals: what is derived, and that nobody can without the secret."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.qa.domain.codes import ALPHABET, Codes, number_of, question_id_of
from services.qa.domain.words import fold
from tests.qa.world import CODES

ID = UUID("57aec37d-172b-5d2b-9678-073dd22f5346")


def test_a_tracking_code_has_130_bits_and_no_letter_to_misread() -> None:
    code = CODES.tracking_code(ID)
    letters = code.replace("-", "")
    assert (len(letters), code.count("-")) == (26, 4)
    assert set(letters) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)


def test_a_code_is_the_same_again_and_another_for_another_question_or_secret() -> None:
    other = Codes("another secret of thirty-two letters")
    assert CODES.tracking_code(ID) == CODES.tracking_code(ID)
    assert len({CODES.tracking_code(ID), CODES.tracking_code(uuid4()), other.tracking_code(ID)}) == 3


@given(st.sampled_from([str.lower, str.upper, lambda c: c.replace("-", " "), lambda c: c.replace("-", "")]))
def test_a_code_is_found_however_it_was_typed(typed: object) -> None:
    code = CODES.tracking_code(ID)
    assert CODES.mark(typed(code)) == CODES.mark(code)  # type: ignore[operator]
    assert CODES.mark(code.replace("0", "O").replace("1", "l")) == CODES.mark(code)


def test_a_mark_does_not_tell_its_code() -> None:
    assert CODES.tracking_code(ID).replace("-", "") not in CODES.mark(CODES.tracking_code(ID)).upper()


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Codes("short")


def test_a_number_tells_its_month_and_nothing_else() -> None:
    number = number_of(ID, date(2026, 11, 24))
    assert number.startswith("HD-2026-11-")
    assert len(number) == len("HD-2026-11-7K3QZ4M")
    assert number_of(uuid4(), date(2026, 11, 24)) != number


@pytest.mark.parametrize(
    ("text", "same"),
    [("Tôi hỏi về  BHXH một lần!", True), ("toi hoi ve bhxh mot lan", True), ("tôi hỏi việc khác", False)],
)
def test_the_same_words_are_recognised_with_or_without_diacritics(text: str, same: bool) -> None:
    first = CODES.same_letter("hoa@x.vn", "Hỏi", "Tôi hỏi về BHXH một lần")
    assert (CODES.same_letter("HOA@x.vn", "hoi", text) == first) is same


def test_the_same_words_of_somebody_else_are_another_letter() -> None:
    letters = {CODES.same_letter(f"{who}@x.vn", "Hỏi", "Tôi hỏi") for who in ("a", "b")}
    assert len({question_id_of(letter, date(2026, 11, 24)) for letter in letters}) == 2


def test_a_sealed_value_opens_until_its_time_and_never_when_changed() -> None:
    sealed = CODES.sealed(str(ID), 2_000)
    assert CODES.unsealed(sealed, 1_999) == str(ID)
    assert CODES.unsealed(sealed, 2_000) is None
    for forged in (
        sealed.replace(".2000.", ".9000."),
        sealed.replace("57aec37d", "67aec37d"),
        sealed[:-1],
        "",
        "a.b",
        "...",
    ):
        assert CODES.unsealed(forged, 1) is None


@given(st.text(max_size=200))
def test_no_value_breaks_the_seal(value: str) -> None:
    assert CODES.unsealed(value, 0) is None


@given(st.text(max_size=200))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_knows_vietnamese() -> None:
    assert fold("Đặng Thị Ưu: «Sổ BHXH» ghi SAI!") == "dang thi uu so bhxh ghi sai"


def test_the_token_of_a_thread_names_its_question_however_it_is_written() -> None:
    id = uuid4()
    token = CODES.thread(id)
    assert CODES.thread_of(token) == CODES.thread_of(token.upper()) == id
    assert len(f"hoi+{token}") <= 64


def test_a_token_that_we_did_not_make_names_nothing() -> None:
    token, other = CODES.thread(uuid4()), CODES.thread(uuid4())
    forged = (token[:-1], token + "0", token[:26] + other[26:], "", "hoi", "ü" * len(token), "\udcff" * 42)
    assert [CODES.thread_of(each) for each in forged] == [None] * len(forged)
    assert Codes("f" * 32).thread_of(token) is None
