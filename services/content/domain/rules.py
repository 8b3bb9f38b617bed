"""What the regulation and the workflow refuse, each with a stable code and words of the field."""

from shared.errors import Forbidden, PortalError, RuleBroken


class NotYourRole(Forbidden):
    code = "role_missing"


class OtherUnit(Forbidden):
    """The item belongs to another unit."""

    code = "other_unit"
    title_vi, title_en = "Bài này của đơn vị khác", "This item belongs to another unit"


class OwnWork(Forbidden):
    """Nobody approves what they wrote or edited."""

    code = "own_work"
    title_vi, title_en = "Không được duyệt bài của chính mình", "Nobody approves their own work"


class EventInFuture(RuleBroken):
    """What starts a clock has happened; only news may announce what is to come."""

    code = "event_in_future"
    title_vi, title_en = "Thời điểm chưa đến", "The moment is in the future"


class PermissionInFuture(RuleBroken):
    code = "permission_in_future"
    title_vi, title_en = "Thời điểm được phép công bố chưa đến", "The permission is in the future"


class PermissionNotNeeded(RuleBroken):
    """Only contact details and documents wait for a permission to publish."""

    code = "permission_not_needed"
    title_vi, title_en = "Loại thông tin này không cần phép công bố", "This class needs no permission"


class PermissionMissing(RuleBroken):
    """Nothing is published before it may be (chưa được phép công bố)."""

    status, code = 409, "permission_missing"
    title_vi, title_en = "Chưa được phép công bố", "Not yet permitted to publish"


class AlreadyPermitted(PortalError):
    status, code = 409, "already_permitted"
    title_vi, title_en = "Đã ghi nhận được phép công bố", "The permission is on record already"


class AttestationMissing(RuleBroken):
    """Each statement of Article 8.1 and 8.2 must be made."""

    code = "attestation_missing"
    title_vi, title_en = "Chưa đủ cam kết theo Điều 8", "Not every attestation of Article 8 is given"


class TextVersionChanged(PortalError):
    """What was read is no longer the text: read it again, and attest that."""

    status, code = 409, "text_version_changed"
    title_vi, title_en = "Văn bản đã có phiên bản mới", "The text has a newer version"
