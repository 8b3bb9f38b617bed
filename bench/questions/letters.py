"""Letters as people write them, as many as wanted, each drawn by its number: a matter in one of many
wordings, a place, figures, a circumstance, and the name of a firm that few others share."""

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from services.qa.domain.terms import terms_of

PLACES: Final = (
    "An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Cần Thơ", "Đà Nẵng", "Đắk Lắk", "Điện Biên", "Đồng Nai",
    "Đồng Tháp", "Gia Lai", "Hà Nội", "Hà Tĩnh", "Hải Phòng", "Huế", "Hưng Yên", "Khánh Hòa", "Lai Châu",
    "Lạng Sơn", "Lào Cai", "Lâm Đồng", "Nghệ An", "Ninh Bình", "Phú Thọ", "Quảng Ngãi", "Quảng Ninh",
    "Quảng Trị", "Sơn La", "Tây Ninh", "Thái Nguyên", "Thanh Hóa", "Hồ Chí Minh", "Tuyên Quang", "Vĩnh Long",
)  # fmt: skip
MATTERS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("bhyt", ("Thẻ bảo hiểm y tế chưa được gia hạn", "Đổi nơi khám chữa bệnh ban đầu",
              "Trái tuyến được trả mấy phần",
              "Cấp lại thẻ bị mất", "Năm năm liên tục được hưởng gì", "Thẻ cho trẻ mới sinh")),
    ("luong-huu", ("Cách tính lương hưu", "Nghỉ hưu trước tuổi bị trừ bao nhiêu", "Chuyển nơi nhận lương hưu",
                   "Lương hưu tháng này chưa về")),
    ("bhxh-mot-lan", ("Điều kiện rút một lần", "Hồ sơ hưởng một lần gồm gì",
                      "Rút một lần được bao nhiêu tiền")),
    ("thai-san", ("Điều kiện hưởng thai sản", "Tiền thai sản bao lâu thì có", "Chồng nghỉ khi vợ sinh con",
                  "Dưỡng sức sau sinh")),
    ("bhtn", ("Hồ sơ trợ cấp thất nghiệp", "Bảo lưu thất nghiệp khi có việc mới", "Quên khai báo việc làm")),
    ("so-bhxh", ("Công ty không chốt sổ", "Gộp hai sổ", "Sai năm sinh trên sổ", "Mất sổ xin cấp lại")),
    ("om-dau", ("Giấy ra viện và hồ sơ ốm đau", "Nghỉ chăm con ốm", "Bệnh dài ngày nghỉ tối đa bao lâu")),
    ("thu-no", ("Công ty nợ tiền bảo hiểm", "Công ty trốn đóng", "Trừ lương mà không nộp")),
    ("vssid", ("Quên mật khẩu VssID", "Không nhận được mã OTP", "VssID không hiện quá trình đóng")),
    ("bhxh-tu-nguyen", ("Mức đóng tự nguyện", "Đóng bù những năm còn thiếu")),
    ("tu-tuat", ("Trợ cấp mai táng", "Tuất hằng tháng cho con nhỏ")),
    ("tnld-bnn", ("Tai nạn trên đường đi làm", "Giám định suy giảm khả năng lao động")),
)  # fmt: skip
WEIGHTS: Final = (24, 16, 12, 12, 9, 8, 6, 5, 4, 2, 1, 1)
CIRCUMSTANCES: Final = (
    "Tôi đã gọi tổng đài nhiều lần nhưng máy bận.", "Cán bộ một cửa hẹn quay lại tuần sau.",
    "Công ty tôi làm là xưởng may đã giải thể.", "Tôi là công nhân hợp đồng thời vụ.",
    "Hiện tôi đang điều trị ở bệnh viện huyện.", "Gia đình thuộc hộ cận nghèo.",
    "Tôi mới chuyển hộ khẩu về đây.", "Kế toán trả lời không rõ ràng.",
    "Hồ sơ nộp qua bưu điện từ tháng trước.", "Tôi làm giáo viên mầm non tư thục.",
    "Vợ tôi đang nuôi con nhỏ nên khó đi lại.", "Tôi từng đi bộ đội trước khi vào nhà máy.",
    "Số điện thoại cũ tôi không còn dùng.", "Nhân sự bảo phải chờ quyết toán thuế.",
    "Tôi lái xe tải đường dài.", "Tôi bán hàng ở chợ đầu mối.", "Trước đây tôi đóng ở hai tỉnh khác nhau.",
    "Sổ ghi thiếu mấy tháng năm đầu.",
    "Tôi làm nghề chế biến thủy sản.", "Mẹ tôi tuổi cao không biết chữ.",
)  # fmt: skip
ONSETS: Final = (
    "b", "c", "ch", "d", "g", "h", "kh", "l", "m", "n", "ng", "nh", "ph", "r", "s", "t", "th", "tr", "v", "x",
)  # fmt: skip
RIMES: Final = (
    "a", "an", "ang", "anh", "ao", "at", "ay", "em", "en", "eo", "et", "iem", "ien", "in", "inh", "oan", "oc",
    "oi", "on", "ong", "uan", "ung",
)  # fmt: skip
SYLLABLES: Final = [onset + rime for onset in ONSETS for rime in RIMES]


TOLD: Final = 20_000  # different letters, beside their firms


class Drawn(NamedTuple):
    subject: str
    text: str
    field: str
    place: str
    terms: tuple[str, ...]


def letter(number: int) -> Drawn:
    """The one of this number, always the same."""
    told = _told(number % TOLD)
    firm = tuple(SYLLABLES[number * prime % len(SYLLABLES)] for prime in (7919, 104_729))
    return told._replace(text=f"{told.text} Đơn vị {' '.join(firm)}.", terms=(*firm, *told.terms))


@lru_cache(maxsize=TOLD)
def _told(number: int) -> Drawn:
    draw = random.Random(number)
    field, subjects = draw.choices(MATTERS, WEIGHTS)[0]
    subject, about, place = draw.choice(subjects), draw.choice(subjects), draw.choice(PLACES)
    figures = (
        f"đóng {draw.randrange(1, 30)} năm {draw.randrange(1, 12)} tháng",
        f"lương {draw.randrange(40, 300)} nghìn, sinh năm {draw.randrange(1960, 2010)}",
    )
    text = f"{about}. Tôi ở {place}, {', '.join(figures)}. {' '.join(draw.sample(CIRCUMSTANCES, 3))}"
    subject = f"{subject}, {place}"
    return Drawn(subject, text, field, place, tuple(terms_of(subject, text)))
