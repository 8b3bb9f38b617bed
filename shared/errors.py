"""What can go wrong, as a small tree. Each error knows its HTTP status, its stable code and its title in
Vietnamese and English; `detail` says in the field's own words what happened to this request."""

from typing import Any, ClassVar


class PortalError(Exception):
    """The root: something the caller is told about in words."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title_vi: ClassVar[str] = "Lỗi hệ thống"
    title_en: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title_vi)
        self.detail = detail
        self.extra = extra


class InvalidInput(PortalError):
    """What was sent breaks a rule of form; ``extra["errors"]`` names each field."""

    status, code = 422, "invalid_input"
    title_vi, title_en = "Dữ liệu gửi lên chưa đúng", "Invalid input"


class MalformedBody(PortalError):
    status, code = 400, "malformed_body"
    title_vi, title_en = "Nội dung gửi lên không đọc được", "The body cannot be read"


class TooLarge(PortalError):
    status, code = 413, "too_large"
    title_vi, title_en = "Nội dung gửi lên quá lớn", "The body is too large"


class Unauthenticated(PortalError):
    status, code = 401, "unauthenticated"
    title_vi, title_en = "Chưa đăng nhập hoặc phiên đã hết hạn", "Not signed in"


class Forbidden(PortalError):
    """The person is known but may not do this (không có thẩm quyền)."""

    status, code = 403, "forbidden"
    title_vi, title_en = "Không có thẩm quyền thực hiện việc này", "Not allowed"


class NotFound(PortalError):
    status, code = 404, "not_found"
    title_vi, title_en = "Không tìm thấy", "Not found"


class IllegalTransition(PortalError):
    """The record's state does not allow this action (sai bước quy trình)."""

    status, code = 409, "illegal_transition"
    title_vi, title_en = "Bước này không thực hiện được ở trạng thái hiện tại", "Not possible in this state"


class VersionConflict(PortalError):
    """Someone else changed the record between reading and writing."""

    status, code = 409, "version_conflict"
    title_vi, title_en = "Hồ sơ vừa được người khác thay đổi", "The record has just been changed"


class PreconditionFailed(PortalError):
    """`If-Match` names another version than the current one."""

    status, code = 412, "precondition_failed"
    title_vi, title_en = "Bản đang sửa không còn là bản mới nhất", "This is no longer the newest version"


class PreconditionRequired(PortalError):
    status, code = 428, "precondition_required"
    title_vi, title_en = "Thiếu phiên bản đang sửa (If-Match)", "If-Match is required"


class IdempotencyKeyMissing(PortalError):
    status, code = 400, "idempotency_key_missing"
    title_vi, title_en = "Thiếu Idempotency-Key", "Idempotency-Key is required"


class IdempotencyKeyReused(PortalError):
    """The same `Idempotency-Key` came with another body."""

    status, code = 422, "idempotency_key_reused"
    title_vi, title_en = (
        "Idempotency-Key đã dùng cho yêu cầu khác",
        "Idempotency-Key used for another request",
    )


class RuleBroken(PortalError):
    """A rule of the regulation forbids this; subclasses name the rule (trái quy chế)."""

    status, code = 422, "rule_broken"
    title_vi, title_en = "Trái quy định của Quy chế", "Against the regulation"


class TooManyRequests(PortalError):
    status, code = 429, "too_many_requests"
    title_vi, title_en = "Quá nhiều yêu cầu, vui lòng thử lại sau", "Too many requests"


class Unavailable(PortalError):
    """Infrastructure does not answer: try again after ``extra["retry_after"]`` seconds."""

    status, code = 503, "unavailable"
    title_vi, title_en = "Hệ thống tạm thời chưa phục vụ được", "Temporarily unavailable"
