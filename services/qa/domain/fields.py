"""Lĩnh vực: what a question is about, and the words that suggest it to whoever classifies."""

from collections.abc import Mapping
from typing import Final

from services.qa.domain.words import fold

FIELDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "bhxh-mot-lan": ("Bảo hiểm xã hội một lần", ("một lần", "rút bảo hiểm", "rút bhxh")),
    "luong-huu": ("Lương hưu", ("lương hưu", "nghỉ hưu", "tuổi hưu", "hưu trí")),
    "thai-san": ("Thai sản", ("thai sản", "sinh con", "dự sinh", "dự kiến sinh", "nghỉ sinh")),
    "om-dau": ("Ốm đau", ("ốm đau", "giấy ra viện", "nghỉ ốm", "nằm viện")),
    "tnld-bnn": ("Tai nạn lao động, bệnh nghề nghiệp", ("tai nạn lao động", "bệnh nghề nghiệp")),
    "tu-tuat": ("Tử tuất", ("tử tuất", "mai táng", "tuất")),
    "bhxh-tu-nguyen": ("Bảo hiểm xã hội tự nguyện", ("tự nguyện",)),
    "bhyt": ("Bảo hiểm y tế", ("bhyt", "bảo hiểm y tế", "thẻ bảo hiểm", "khám bệnh", "năm liên tục")),
    "bhtn": ("Bảo hiểm thất nghiệp", ("thất nghiệp", "bhtn")),
    "so-bhxh": ("Sổ bảo hiểm xã hội", ("chốt sổ", "sổ bảo hiểm", "sổ bhxh", "gộp sổ", "tk1")),
    "thu-no": ("Thu, chậm đóng, trốn đóng", ("nợ tiền bảo hiểm", "nợ bảo hiểm", "chậm đóng", "trốn đóng")),
    "vssid": ("VssID, giao dịch điện tử", ("vssid", "otp", "mật khẩu", "giao dịch điện tử")),
    "khac": ("Khác", ()),
}
OTHER: Final = "khac"
OPTIONS: Final = tuple((id, name) for id, (name, _) in FIELDS.items())


def field_name(id: str) -> str:
    return FIELDS[id][0] if id in FIELDS else id


def suggested_field(text: str) -> tuple[str, list[str]]:
    """The field whose words occur most often in ``text``, and those words; none when nothing fits."""
    written = f" {fold(text)} "
    best, why = "", list[str]()
    for id, (_, words) in FIELDS.items():
        hits = [word for word in words if f" {fold(word)} " in written]
        if sum(len(word) for word in hits) > sum(len(word) for word in why):
            best, why = id, hits
    return best, why


def suggested_unit(province: str, units: Mapping[str, Mapping[str, object]]) -> str:
    """The provincial office where the asker lives."""
    where = fold(province)
    for prefix in ("thanh pho ", "tp ", "tinh "):
        where = where.removeprefix(prefix)
    for id, unit in units.items():
        if where and unit.get("kind") == "province" and fold(str(unit["name"])).endswith(where):
            return id
    return ""
