"""What the regulation says of content: states, roles, time limits and the workflow, each with its clause.

Quy chế hoạt động Cổng Thông tin điện tử ban hành kèm theo Quyết định 1582/QĐ-BHXH năm 2021, Điều 8 và Điều 11
khoản 1 điểm a. The sentences quoted here are the regulation's own.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.contracts.content import ContentClass
from shared.workflow import Step, Workflow


class Status(StrEnum):
    """Where a submission (tin, bài gửi đăng) stands."""

    SUBMITTED = "submitted"  # chờ biên tập, chờ duyệt
    RETURNED = "returned"  # trả lại đơn vị
    APPROVED = "approved"  # đã duyệt, chờ đăng
    PUBLISHED = "published"  # đã đăng
    WITHDRAWN = "withdrawn"  # đã gỡ


class Role(StrEnum):
    AUTHOR = "author"  # người soạn của đơn vị
    EDITOR = "editor"  # biên tập viên, Trung tâm Truyền thông
    APPROVER = "approver"  # người duyệt, Ban Biên tập


STATUS_NAMES: Final = {
    Status.SUBMITTED: "Chờ duyệt",
    Status.RETURNED: "Đã trả lại đơn vị",
    Status.APPROVED: "Đã duyệt, chờ đăng",
    Status.PUBLISHED: "Đã đăng",
    Status.WITHDRAWN: "Đã gỡ",
}
ACT_NAMES: Final = {
    "submit": "gửi bài",
    "edit": "biên tập",
    "return": "trả lại đơn vị",
    "resubmit": "hoàn thiện, gửi lại",
    "approve": "duyệt",
    "permit": "ghi nhận được phép công bố",
    "publish": "đăng",
    "withdraw": "gỡ bài",
}

# Điều 8 khoản 1, 2: what the approver attests for one version of the text.
CONFORMITY: Final = "dieu-8#khoan-1"
TRUTH: Final = "dieu-8#khoan-2"
# Điều 8 khoản 3: «Khi trích dẫn, sử dụng lại thông tin để đăng trên Cổng Thông tin điện tử phải lấy từ
# nguồn tin chính thức và ghi rõ thông tin về tác giả, nguồn của thông tin.»
SOURCES: Final = "dieu-8#khoan-3"
# «Các đơn vị trực thuộc chủ động cung cấp đầy đủ, chính xác và kịp thời các nội dung thông tin, dữ liệu về
# các lĩnh vực thuộc phạm vi chức năng, nhiệm vụ của cơ quan, đơn vị mình»
SUPPLY: Final = "dieu-11#yeu-cau-ban-bien-tap"
# «phối hợp cung cấp thông tin cho Trung tâm Truyền thông biên tập, đăng tải lên Cổng Thông tin điện tử»
REVIEW: Final = "dieu-11#nhuan-but"
# «được phép công bố»: Điều 11.1.a, văn bản; the same words bind contact details.
PERMISSION: Final = "dieu-11#van-ban"


class Attestation(StrEnum):
    """One statement of Article 8.1 or 8.2 that the approver makes for one version of the text (cam kết)."""

    POLICY = "policy"
    ACCURACY = "accuracy"
    STATE_SECRETS = "state_secrets"
    PRESS = "press"
    INTELLECTUAL_PROPERTY = "intellectual_property"
    INTERNET = "internet"


ATTESTATIONS: Final = {
    # cam kết: (câu trên trang, căn cứ)
    Attestation.POLICY: (
        "Phù hợp quan điểm, chủ trương, đường lối của Đảng, chính sách, pháp luật của Nhà nước",
        CONFORMITY,
    ),
    Attestation.ACCURACY: ("Chính xác, khách quan, kịp thời", TRUTH),
    Attestation.STATE_SECRETS: ("Không chứa bí mật Nhà nước", TRUTH),
    Attestation.PRESS: ("Tuân thủ pháp luật về báo chí", TRUTH),
    Attestation.INTELLECTUAL_PROPERTY: ("Tuân thủ pháp luật về sở hữu trí tuệ", TRUTH),
    Attestation.INTERNET: ("Tuân thủ quy định về quản lý thông tin trên Internet", TRUTH),
}


class ReturnReason(StrEnum):
    """Why a submission goes back to its unit."""

    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"
    WRONG_FORM = "wrong_form"
    OTHER = "other"


RETURN_REASONS: Final = {
    ReturnReason.INCOMPLETE: "Chưa đầy đủ",
    ReturnReason.UNCLEAR: "Chưa rõ nội dung",
    ReturnReason.WRONG_FORM: "Chưa đúng thể thức",
    ReturnReason.OTHER: "Lý do khác",
}


INCOMPLETE_REASONS: Final = frozenset({ReturnReason.INCOMPLETE, ReturnReason.WRONG_FORM})


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a unit has to supply one class: ``working_days`` None has no limit, 0 is the same day."""

    name: str
    working_days: int | None
    starts: str
    basis: str
    quote: str
    needs_permission: bool = False

    @property
    def words(self) -> str:
        if self.working_days is None:
            return "trước, trong hoặc sau sự kiện"
        if self.working_days == 0:
            return "ngay trong ngày"
        return f"{self.working_days:02d} ngày làm việc"


LIMITS: Final = {
    ContentClass.CONTACT: Limit(
        "Thông tin liên hệ",
        1,
        "ngày có thay đổi thông tin và được phép công bố",
        "dieu-11#lien-he",
        "Trong 01 ngày làm việc kể từ khi có sự thay đổi thông tin và được phép công bố.",
        needs_permission=True,
    ),
    ContentClass.NEWS_EVENT: Limit(
        "Tin tức – Sự kiện",
        None,
        "ngày diễn ra sự kiện",
        "dieu-11#tin-tuc-su-kien",
        "Có thể trước, trong hoặc sau khi hoạt động, sự kiện xảy ra nhằm bảo đảm đưa tin lên Cổng Thông tin"
        " điện tử được nhanh chóng và chính xác.",
    ),
    ContentClass.ACTIVITY: Limit(
        "Hoạt động của đơn vị",
        1,
        "ngày có thông tin mới",
        "dieu-11#hoat-dong",
        "Trong 01 ngày làm việc kể từ khi có thông tin mới.",
    ),
    ContentClass.DOCUMENT: Limit(
        "Văn bản",
        1,
        "ngày hoàn thiện xong thông tin và được phép công bố",
        "dieu-11#van-ban",
        "Cơ quan chủ trì, soạn thảo văn bản cung cấp trong 01 ngày làm việc kể từ khi hoàn thiện xong thông"
        " tin và được phép công bố.",
        needs_permission=True,
    ),
    ContentClass.DRAFT_CONSULTATION: Limit(
        "Dự thảo văn bản xin ý kiến",
        0,
        "ngày đơn vị cần xin ý kiến",
        "dieu-11#du-thao",
        "Thời gian gửi dự thảo: Ngay khi đơn vị cần xin ý kiến cho dự thảo văn bản.",
    ),
    ContentClass.GUIDANCE: Limit(
        "Giới thiệu, tuyên truyền, hướng dẫn",
        10,
        "ngày văn bản pháp luật, chính sách, chế độ chính thức được ban hành",
        "dieu-11#huong-dan",
        "Trong 10 ngày làm việc kể từ khi văn bản pháp luật, chính sách, chế độ chính thức được ban hành.",
    ),
}

# What says nothing of an author or a source, and what joins it: «Sưu tầm trên mạng» counts as missing (Điều 8
# khoản 3).
NOT_A_NAME: Final = (
    "mang xa hoi", "mang internet", "internet", "mang", "suu tam", "tong hop", "nhieu nguon", "khong ro",
    "an danh", "khuyet danh", "facebook", "zalo", "google", "st", "na", "n a", "none", "admin",
)  # fmt: skip
JOINING: Final = frozenset({"tren", "tu", "o", "cua", "theo", "va", "nguon", "tac", "gia"})


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices that the text leaves open, each with its clause and default."""

    # Điều 11.1.a, dự thảo: «Ngay khi đơn vị cần xin ý kiến» names no length; 0 reads it as the same day.
    draft_working_days: int = 0
    # Điều 11.1.a: «cung cấp đầy đủ»: returned for one of these, the supply was not complete, and the unit's
    # clock runs on from its first start.
    incomplete_reasons: frozenset[ReturnReason] = INCOMPLETE_REASONS
    # How far a unit's clock may run ahead of ours before a time counts as in the future; seconds.
    clock_tolerance: int = 120


S, R = Status, Role
WORKFLOW: Final = Workflow(
    #    đang ở       việc        ai          thành        căn cứ
    Step(S.SUBMITTED, "edit", R.EDITOR, S.SUBMITTED, REVIEW),
    Step(S.SUBMITTED, "return", R.EDITOR, S.RETURNED, TRUTH),
    Step(S.SUBMITTED, "return", R.APPROVER, S.RETURNED, TRUTH),
    Step(S.RETURNED, "resubmit", R.AUTHOR, S.SUBMITTED, SUPPLY),
    Step(S.SUBMITTED, "permit", R.AUTHOR, S.SUBMITTED, PERMISSION),
    Step(S.RETURNED, "permit", R.AUTHOR, S.RETURNED, PERMISSION),
    Step(S.APPROVED, "permit", R.AUTHOR, S.APPROVED, PERMISSION),
    Step(S.SUBMITTED, "approve", R.APPROVER, S.APPROVED, CONFORMITY),
    Step(S.APPROVED, "edit", R.EDITOR, S.SUBMITTED, CONFORMITY),
    Step(S.APPROVED, "return", R.APPROVER, S.RETURNED, TRUTH),
    Step(S.APPROVED, "publish", R.APPROVER, S.PUBLISHED, REVIEW),
    Step(S.APPROVED, "publish", R.EDITOR, S.PUBLISHED, REVIEW),
    Step(S.PUBLISHED, "withdraw", R.APPROVER, S.WITHDRAWN, TRUTH),
    what_vi="bài",
    acts_vi=ACT_NAMES,
    states_vi=STATUS_NAMES,
)
