"""Từ để tìm và so: the words of a text that say what it is about, and the matters that people name in many
ways. All of them folded, so that diacritics make no difference."""

import re
from collections.abc import Mapping
from typing import Final

from services.qa.domain.words import fold

MOST_TERMS: Final = 200  # distinct words kept of one text: the first ones
MOST_SEARCHED: Final = 8
# Words that say nothing about the matter of a question; none that reads as one that does when its marks fall
# away, as «thế» reads as «thẻ».
EMPTY_WORDS = """
toi em chi anh ba ong chau cho hoi ve la co khong thi duoc bi va cua o di nao gi bao hiem xa hoi bhxh xin
nhu roi ma da dang se khi mot cac nhung nay kia voi de den trong ra lam sao phai can a ko k dc
vay j minh muon toi nha gio bao nhieu hay cung nen vao thay
"""
EMPTY: Final = frozenset(EMPTY_WORDS.split())
# Một việc, nhiều cách nói. What people ask about, by the ways in which they say it.
MATTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "rút một lần": ("một lần", "1 lần", "một cục", "lấy lại tiền", "rút bảo hiểm", "rút bhxh", "rút luôn"),
    "ra nước ngoài": ("nước ngoài", "định cư", "sang mỹ", "sang úc", "xuất cảnh", "ở nhật", "sinh sống hẳn"),
    "hồ sơ": ("hồ sơ", "thủ tục", "giấy tờ"),
    "mức hưởng": ("bao nhiêu tiền", "được bao nhiêu", "tính thế nào", "cách tính", "mức hưởng", "ntn"),
    "tỷ lệ": ("phần trăm", "mấy phần", "giảm thế nào", "tỷ lệ"),
    "ủy quyền": ("ủy quyền", "nhận thay", "lãnh giùm", "lấy giùm", "nhờ người", "nhờ em", "giùm"),
    "hưu trí": ("lương hưu", "nghỉ hưu", "về hưu", "hưu trí", "lãnh hưu", "lĩnh hưu", "nhận hưu", "tuổi hưu"),
    "hưu sớm": ("trước tuổi", "hưu sớm", "về hưu trước", "mỗi năm sớm"),
    "chuyển nơi nhận": ("chuyển nơi nhận", "chỗ ở mới", "chuyển chỗ nhận", "chuyển vào"),
    "qua tài khoản": ("qua tài khoản", "chuyển khoản", "vào tài khoản", "thẻ atm", "ngân hàng", "tiền mặt"),
    "bị dừng": ("tạm dừng", "bị cắt", "bị dừng", "dừng trả", "dung tro cap"),
    "sinh con": ("thai sản", "sinh con", "sinh bé", "nghỉ sinh", "dự sinh", "sau sinh", "đẻ", "sinh mổ",
                 "sinh xong"),
    "mang thai": ("mang thai", "bầu", "khám thai"),
    "người chồng": ("chồng", "vợ tôi", "vợ em", "vợ đẻ", "vợ sinh"),
    "dưỡng sức": ("dưỡng sức", "phục hồi sức khỏe", "còn yếu", "sức khỏe chưa ổn"),
    "mất thai": ("sảy thai", "thai lưu", "phá thai", "nạo thai"),
    "con nuôi": ("con nuôi",),
    "ốm": ("ốm đau", "nghỉ ốm", "giấy ra viện", "nằm viện", "nhập viện", "bị ốm"),
    "con ốm": ("con ốm", "con bệnh", "trông con", "trông bé", "chăm con"),
    "dài ngày": ("dài ngày", "ung thư", "dài hạn", "hóa trị", "chạy thận"),
    "tai nạn": ("tai nạn", "bị tông", "đụng xe", "xe máy va", "gãy tay", "gãy chân"),
    "đi làm về": ("đi làm về", "đường đi làm", "tan ca", "đến công ty", "về nhà"),
    "nghề nghiệp": ("bệnh nghề nghiệp", "bụi phổi", "phổi nghề nghiệp", "bệnh phổi", "mỏ đá", "làm mỏ"),
    "giám định": ("giám định", "suy giảm khả năng lao động"),
    "người mất": ("tử tuất", "mai táng", "tuất", "qua đời", "bố mất", "mẹ mất", "ông mất", "vừa mất",
                  "thì mất"),
    "tự nguyện": ("tự nguyện", "tự đóng", "đóng tiếp", "đóng nối tiếp", "đóng bù"),
    "còn thiếu": ("còn thiếu", "cho đủ năm", "bù một lần", "đóng bù", "năm thiếu"),
    "mất thẻ": ("mất thẻ", "rơi thẻ", "thẻ bị mất", "cấp lại thẻ", "làm lại thẻ", "cấp thẻ mới", "rớt"),
    "nơi khám": ("nơi khám", "nơi đăng ký khám", "chuyển bệnh viện", "đổi bệnh viện",
                 "khám chữa bệnh ban đầu", "đổi sang bệnh viện", "ghi bệnh viện"),
    "trái tuyến": ("trái tuyến", "chuyển viện", "chuyển tuyến", "tuyến trung ương", "tự đi khám"),
    "trẻ nhỏ": ("mới sinh", "sơ sinh", "trẻ em", "giấy chứng sinh", "em bé", "tuần tuổi", "dưới 6 tuổi"),
    "học sinh": ("học sinh", "nhà trường", "ở trường", "sinh viên", "cô giáo"),
    "hộ nghèo": ("hộ nghèo", "cận nghèo"),
    "viện phí": ("viện phí", "thanh toán trực tiếp", "tự trả tiền", "thanh toán lại", "hóa đơn", "hoàn lại"),
    "căn cước": ("căn cước", "cccd", "vneid", "cmnd"),
    "thất nghiệp": ("thất nghiệp", "bhtn"),
    "quá hạn": ("quá 3 tháng", "trễ", "trễ hạn", "quá hạn", "nộp muộn"),
    "việc mới": ("việc mới", "tìm được việc", "việc làm mới", "công ty khác", "bảo lưu", "cộng dồn"),
    "tìm việc": ("tìm kiếm việc làm", "khai báo việc làm", "thông báo việc làm", "khai báo"),
    "nghỉ ngang": ("nghỉ ngang", "tự ý nghỉ", "đơn phương", "bỏ việc", "không báo trước"),
    "nghỉ việc": ("nghỉ việc", "nghỉ làm", "nghỉ công ty", "hết làm", "chấm dứt hợp đồng"),
    "chốt sổ": ("chốt sổ", "chốt và trả sổ", "trả sổ", "giữ sổ", "không chốt", "chưa chốt"),
    "gộp sổ": ("gộp sổ", "gộp hai sổ", "gộp 2 sổ", "hai số sổ", "2 số sổ"),
    "sai thông tin": ("sai ngày", "sai năm sinh", "sai họ tên", "không khớp", "điều chỉnh thông tin",
                      "đính chính", "ghi sai", "ghi năm sinh khác"),
    "mất sổ": ("mất sổ", "cấp lại sổ"),
    "quá trình đóng": ("quá trình đóng", "quá trình tham gia", "đóng được bao nhiêu năm", "được mấy năm",
                       "thông tin đóng"),
    "nợ": ("nợ tiền", "nợ bảo hiểm", "nợ đóng", "chậm đóng", "không nộp", "trừ lương", "nợ bhxh"),
    "trốn đóng": ("trốn đóng", "không đóng bảo hiểm", "không tham gia", "không đóng bhxh"),
    "mật khẩu": ("mật khẩu",),
    "mã xác thực": ("otp", "mã xác thực"),
    "tài khoản": ("đăng ký tài khoản", "phê duyệt", "giao dịch điện tử", "đk tk"),
    "trống": ("trống", "trắng trơn", "không hiện", "không có gì"),
}  # fmt: skip


def _folded(matters: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(f" {fold(way)} " for way in ways) for name, ways in matters.items()}


WAYS: Final = _folded(MATTERS)


def words_of(*texts: str) -> list[str]:
    """The distinct words that say something, in the order in which they come; at most ``MOST_TERMS``."""
    words = dict.fromkeys(word for text in texts for word in fold(text).split())
    return [word for word in words if len(word) > 1 and word not in EMPTY][:MOST_TERMS]


NUMBER: Final = re.compile(r"\bHD-(?:\d{4}-\d\d-)?([0-9A-Z]{7})(?:-\d+)?\b", re.IGNORECASE)


def searched(typed: str) -> list[str]:
    """The words to look for: of a receipt number, however much of it was typed, the letters that tell it from
    others. Words that say nothing are not looked for."""
    return words_of(NUMBER.sub(r" \1 ", typed))[:MOST_SEARCHED]


def terms_of(*texts: str) -> list[str]:
    """By what a text is found: its words, and its matters, told from words by a sign."""
    return [*words_of(*texts), *sorted(f"={matter}" for matter in matters_of(*texts))]


def matters_of(*texts: str) -> frozenset[str]:
    """What is asked about, in whatever words."""
    written = f" {fold(' . '.join(texts))} "
    return frozenset(name for name, ways in WAYS.items() if any(way in written for way in ways))
