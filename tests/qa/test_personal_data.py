"""What is found and masked before a question and its answer are published."""

import pytest

from services.qa.domain.personal_data import (
    CARD_MASK,
    CITIZEN_MASK,
    EMAIL_MASK,
    INSURANCE_MASK,
    NAME_MASK,
    PHONE_MASK,
    mask,
    suggest,
)

HOA = "Nguyễn Thị Hoa"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("gọi 0912 345 678 giúp tôi", (PHONE_MASK,)),
        ("gọi 0912.345.678", (PHONE_MASK,)),
        ("gọi +84 912 345 678", (PHONE_MASK,)),
        ("căn cước 001191012345.", (CITIZEN_MASK,)),
        ("sổ bảo hiểm 0100000001", (INSURANCE_MASK,)),
        ("mã số BHXH: 7916123456,", (INSURANCE_MASK,)),
        ("thẻ BHYT DN4797916123456", (CARD_MASK,)),
        ("thẻ GD 4 01 01 2345 6789 hết hạn", (CARD_MASK,)),
        ("thư hoa.nguyen@hopthu.example.vn", (EMAIL_MASK,)),
        ("Tôi là Nguyễn Thị Hoa", (NAME_MASK,)),
        ("toi la nguyen thi hoa", (NAME_MASK,)),
        ("NGUYỄN  THỊ HOA", (NAME_MASK,)),
        ("0912345678 và hoa@x.vn", (EMAIL_MASK, PHONE_MASK)),
    ],
)
def test_what_tells_who_asks_is_found(text: str, kinds: tuple[str, ...]) -> None:
    masked = mask(text, HOA)
    assert masked.kinds == kinds
    assert mask(masked.text, HOA).kinds == ()


@pytest.mark.parametrize(
    "text",
    [
        "tổng đài 1900 9068", "1800 588 873", "Luật số 41/2024/QH15", "Nghị định 135/2020/NĐ-CP",
        "từ ngày 01/07/2025 đến 31/12/2026", "40.000.000 đồng", "mức 2.340.000 đồng, hưởng 45%",
        "đủ 15 năm 4 tháng", "hoa hồng nở", "mẫu 14-HSB, TK1-TS", "5 năm 2019 2020 2021",
    ],
)  # fmt: skip
def test_what_everybody_may_know_stays(text: str) -> None:
    assert mask(text, HOA) == mask(text, "")
    assert mask(text, HOA).text == text


def test_the_draft_drops_the_given_name_after_a_form_of_address() -> None:
    assert suggest("Kính gửi bà Hoa,", HOA) == f"Kính gửi bà {NAME_MASK},"
    assert suggest("Tôi tên Hoa, sinh năm 1991", HOA) == f"Tôi tên {NAME_MASK}, sinh năm 1991"
    assert suggest("em ten thuy, o Ha Noi", "Pham Thi Thuy") == f"em ten {NAME_MASK}, o Ha Noi"
    assert suggest("mùa hoa phượng", HOA) == "mùa hoa phượng"


def test_a_name_of_one_word_is_left_to_the_reader() -> None:
    assert mask("An hỏi về an sinh", "An").kinds == ()
