"""Lĩnh vực: what a question is about, the words that suggest it to whoever classifies, and the unit that they
suggest."""

from collections.abc import Mapping
from typing import Any, Final

from services.qa.domain.words import fold

FIELDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "bhxh-mot-lan": (
        "Bảo hiểm xã hội một lần",
        ("một lần", "rút bảo hiểm", "rút bhxh", "lấy lại tiền bảo hiểm", "lãnh một cục"),
    ),
    "luong-huu": (
        "Lương hưu",
        ("lương hưu", "nghỉ hưu", "về hưu", "tuổi hưu", "hưu trí", "lãnh hưu", "lĩnh hưu"),
    ),
    "thai-san": (
        "Thai sản",
        ("thai sản", "sinh con", "dự sinh", "dự kiến sinh", "nghỉ sinh", "sau sinh", "sau khi sinh", "vợ đẻ",
         "thai lưu", "sảy thai", "mang thai"),
    ),
    "om-dau": (
        "Ốm đau",
        ("ốm đau", "giấy ra viện", "nghỉ ốm", "nằm viện", "con ốm", "con bệnh", "nghỉ chăm con", "trông con",
         "trông bé"),
    ),
    "tnld-bnn": (
        "Tai nạn lao động, bệnh nghề nghiệp",
        ("tai nạn lao động", "bệnh nghề nghiệp", "bụi phổi", "biên bản tai nạn"),
    ),
    "tu-tuat": ("Tử tuất", ("tử tuất", "mai táng", "tuất", "tiền tuất", "hưởng tuất", "qua đời")),
    "bhxh-tu-nguyen": ("Bảo hiểm xã hội tự nguyện", ("tự nguyện", "đóng tự nguyện")),
    "bhyt": (
        "Bảo hiểm y tế",
        ("bhyt", "bảo hiểm y tế", "thẻ bảo hiểm", "khám bệnh", "khám chữa bệnh", "nơi khám ban đầu",
         "năm liên tục", "trái tuyến", "hộ gia đình", "viện phí"),
    ),
    "bhtn": ("Bảo hiểm thất nghiệp", ("thất nghiệp", "trợ cấp thất nghiệp", "bhtn", "tìm kiếm việc làm")),
    "so-bhxh": (
        "Sổ bảo hiểm xã hội",
        ("chốt sổ", "sổ bảo hiểm", "sổ bhxh", "gộp sổ", "tk1", "quá trình đóng", "quá trình tham gia",
         "trả sổ"),
    ),
    "thu-no": (
        "Thu, chậm đóng, trốn đóng",
        ("nợ tiền bảo hiểm", "nợ bảo hiểm", "nợ bhxh", "chậm đóng", "trốn đóng", "đang nợ đóng",
         "không đóng bảo hiểm", "không đóng bhxh", "tỷ lệ đóng", "trừ lương"),
    ),
    "vssid": ("VssID, giao dịch điện tử", ("vssid", "otp", "mật khẩu", "giao dịch điện tử")),
    "khac": ("Khác", ()),
}  # fmt: skip
# A word of these outweighs the benefit that it is asked about: debts before maternity, death before pension.
OUTWEIGH: Final[Mapping[str, float]] = {
    "thu-no": 2.0, "tu-tuat": 2.5, "bhxh-tu-nguyen": 1.5, "vssid": 2.0, "tnld-bnn": 1.5,
}  # fmt: skip
OTHER: Final = "khac"
OPTIONS: Final = tuple((id, name) for id, (name, _) in FIELDS.items())
WORDS: Final = {id: [(word, f" {fold(word)} ") for word in words] for id, (_, words) in FIELDS.items()}
ARTICLES: Final = ("thanh pho ", "tp ", "tinh ")


def field_name(id: str) -> str:
    return FIELDS[id][0] if id in FIELDS else id


def suggested_field(text: str) -> tuple[str, list[str]]:
    """The field whose words say most in ``text``, and those words; none when nothing fits."""
    written = f" {fold(text)} "
    best, most, why = "", 0.0, list[str]()
    for id, words in WORDS.items():
        hits = [word for word, folded in words if folded in written]
        weight = sum(len(word) for word in hits) * OUTWEIGH.get(id, 1.0)
        if weight > most:
            best, most, why = id, weight, hits
    return best, why


def suggested_unit(
    province: str, units: Mapping[str, Mapping[str, Any]], *, field: str = "", text: str = ""
) -> str:
    """The unit that the register names for this field; else the provincial office where the asker lives, or
    which the letter names when they do not say where they live."""
    for id, unit in units.items():
        if field and field in unit.get("fields", ()):
            return id
    where, written = _place(province), f" {fold(text)} "
    for id, unit in units.items():
        if unit.get("kind") != "province":
            continue
        place = _place(str(unit["name"]).removeprefix("Bảo hiểm xã hội "))
        if where == place if where else f" {place} " in written:
            return id
    return ""


def _place(name: str) -> str:
    where = fold(name)
    for article in ARTICLES:
        where = where.removeprefix(article)
    return where
