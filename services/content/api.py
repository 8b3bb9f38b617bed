"""REST: parse, execute, view."""

from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field

from services.content import handlers
from services.content.domain.body import Body as Words
from services.content.domain.decisions import (
    Approve,
    Publish,
    RecordPermission,
    ReturnToUnit,
    RewriteText,
    Submit,
    Withdraw,
)
from services.content.domain.submission import Submission
from services.content.queries import articles as article_queries
from services.content.queries import submissions as desk_queries
from services.content.regulation import Attestation, ReturnReason, Status
from services.content.views import (
    ArticleOut,
    Articles,
    SubmissionOut,
    SubmissionRow,
    Submissions,
    article_row,
    article_view,
    submission_view,
)
from shared.contracts.content import ContentClass
from shared.errors import NotFound, PortalError
from shared.web.edge import EditingDesk, Staff, StaffDesk, edge_of, tagged
from shared.web.forms import Body, Line, LongText, OptionalLine, OptionalText, Text

staff: Final = APIRouter(prefix="/v1/submissions", tags=["Tin, bài gửi đăng"])
public: Final = APIRouter(prefix="/v1/articles", tags=["Tin, bài đã đăng"])

Cursor = Annotated[str, Query(max_length=300, description="«next» của trang trước.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Số mục mỗi trang.")]


class Gone(PortalError):
    status = 410


class Withdrawn(Gone):
    """The item was taken down (đã gỡ); whoever shows it must stop."""

    code = "withdrawn"
    title_vi, title_en = "Bài đã được gỡ khỏi Cổng", "The item was withdrawn"


class Superseded(Gone):
    code = "superseded"
    title_vi, title_en = "Phiên bản này đã được thay thế", "A newer version stands in its place"


def _sane(moment: Any) -> Any:
    if not 1990 <= moment.year <= 2100:
        raise ValueError("Năm phải từ 1990 đến 2100 (the year must be between 1990 and 2100).")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_sane)]


class TextIn(Body):
    title: Line = Field(description="Tiêu đề.", examples=["Thay đổi số điện thoại đường dây nóng"])
    summary: OptionalText = Field("", max_length=1000, description="Tóm tắt, vài câu.")
    html: LongText = Field(
        description="Nội dung: HTML hoặc văn bản thường. Chỉ giữ đề mục, đoạn, danh sách, bảng, liên kết,"
        " hình ảnh có mô tả.",
        examples=["<h2>Địa chỉ mới</h2><p>Số 12, đường Mẫu.</p>"],
    )
    author_name: OptionalLine = Field("", description="Tác giả; bắt buộc với bài trích dẫn (Điều 8 khoản 3).")
    source_name: OptionalLine = Field(
        "", description="Nguồn; với bài trích dẫn phải là nguồn tin chính thức (Điều 8 khoản 3)."
    )
    quoted: bool = Field(False, description="Trích dẫn, sử dụng lại thông tin của nơi khác.")

    def words(self) -> Words:
        return Words(self.title, self.summary, self.html, self.author_name, self.source_name, self.quoted)


class SubmissionIn(TextIn):
    content_class: ContentClass = Field(description="Loại thông tin (Điều 11.1.a).", examples=["activity"])
    event_at: Moment = Field(
        description="Mốc tính thời hạn cung cấp: liên hệ: khi thay đổi; hoạt động: khi có thông tin mới;"
        " văn bản: khi hoàn thiện; dự thảo: khi cần xin ý kiến; hướng dẫn: khi văn bản được ban hành;"
        " tin: khi diễn ra.",
        examples=["2026-11-23T09:00:00+07:00"],
    )
    permitted_at: Moment | None = Field(
        None, description="Khi được phép công bố (liên hệ, văn bản); bỏ trống nếu chưa."
    )


class EditedTextIn(TextIn):
    note: OptionalText = Field("", max_length=1000, description="Đã sửa gì, vì sao.")


class ReturnIn(Body):
    reason: ReturnReason = Field(description="Lý do.")
    words: OptionalText = Field("", max_length=2000, description="Cần hoàn thiện gì.")


class ApprovalIn(Body):
    text_version: int = Field(ge=1, description="Phiên bản văn bản đã đọc.")
    attestations: list[Attestation] = Field(
        max_length=20, description="Sáu cam kết theo Điều 8, cho đúng phiên bản ấy."
    )
    publish: bool = Field(True, description="Đăng ngay khi được phép công bố.")


class PermissionIn(Body):
    permitted_at: Moment = Field(description="Thời điểm được phép công bố.")


class WithdrawalIn(Body):
    reason: Text = Field(max_length=2000, description="Vì sao gỡ.")


class Nothing(Body):
    pass


async def _told(request: Request, response: Response, submission: Submission, desk: Any) -> SubmissionOut:
    tagged(response, desk.version(submission))
    body = await handlers.body_of(desk, submission.body_ref)
    return await submission_view(request, submission, body, desk.version(submission), desk.by)


@staff.post("", status_code=201, summary="Gửi tin, bài")
async def submit(request: Request, response: Response, body: SubmissionIn, desk: StaffDesk) -> SubmissionOut:
    command = Submit(uuid4(), body.content_class, body.words(), body.event_at, body.permitted_at)
    submission = await desk.run(handlers.submit_text, command)
    response.headers["Location"] = f"/v1/submissions/{submission.id}"
    return await _told(request, response, submission, desk)


@staff.get("", summary="Danh sách tin, bài")
async def submissions(  # noqa: PLR0917 (FastAPI passes them by name)
    request: Request, actor: Staff, status: Status | None = None,
    unit: Annotated[str, Query(max_length=100)] = "", cursor: Cursor = "", limit: Limit = 20,
) -> Submissions:  # fmt: skip
    which = [desk_queries.visible_to(actor)]
    if status:
        which.append({"status": status.value})
    if unit:
        which.append({"unit": {"$eq": unit}})
    found = await desk_queries.submissions(
        edge_of(request).database, {"$and": which}, cursor=cursor, limit=limit
    )
    return Submissions(items=[SubmissionRow(id=row["_id"], **row) for row in found.items], next=found.next)


@staff.get("/{id}", summary="Một tin, bài")
async def submission(request: Request, response: Response, id: UUID, actor: Staff) -> SubmissionOut:
    desk = edge_of(request).desk(actor)
    return await _told(request, response, await desk_queries.read(desk, id), desk)


@staff.put("/{id}/text", summary="Biên tập, hoặc hoàn thiện bài bị trả lại")
async def put_text(
    request: Request, response: Response, id: UUID, body: EditedTextIn, desk: EditingDesk
) -> SubmissionOut:
    done = await desk.run(handlers.rewrite_text, RewriteText(id, body.words(), body.note))
    return await _told(request, response, done, desk)


@staff.post("/{id}/return", summary="Trả lại đơn vị")
async def give_back(
    request: Request, response: Response, id: UUID, body: ReturnIn, desk: StaffDesk
) -> SubmissionOut:
    done = await desk.run(handlers.return_to_unit, ReturnToUnit(id, body.reason, body.words))
    return await _told(request, response, done, desk)


@staff.post("/{id}/approval", summary="Duyệt, với cam kết theo Điều 8")
async def approval(
    request: Request, response: Response, id: UUID, body: ApprovalIn, desk: StaffDesk
) -> SubmissionOut:
    register = await desk_queries.source_register(edge_of(request).database)
    command = Approve(id, body.text_version, frozenset(body.attestations), register, body.publish)
    return await _told(request, response, await desk.run(handlers.approve_submission, command), desk)


@staff.post("/{id}/permission", summary="Ghi nhận được phép công bố")
async def permission(
    request: Request, response: Response, id: UUID, body: PermissionIn, desk: StaffDesk
) -> SubmissionOut:
    done = await desk.run(handlers.record_permission, RecordPermission(id, body.permitted_at))
    return await _told(request, response, done, desk)


@staff.post("/{id}/publication", summary="Đăng bài đã duyệt")
async def publication(
    request: Request, response: Response, id: UUID, _: Nothing, desk: StaffDesk
) -> SubmissionOut:
    return await _told(request, response, await desk.run(handlers.publish_submission, Publish(id)), desk)


@staff.post("/{id}/withdrawal", summary="Gỡ bài")
async def withdrawal(
    request: Request, response: Response, id: UUID, body: WithdrawalIn, desk: StaffDesk
) -> SubmissionOut:
    done = await desk.run(handlers.withdraw_submission, Withdraw(id, body.reason))
    return await _told(request, response, done, desk)


@public.get("", summary="Tìm tin, bài đã đăng, có dấu hay không dấu")
async def articles(  # noqa: PLR0917 (FastAPI passes them by name)
    request: Request, q: Annotated[str, Query(max_length=300)] = "",
    content_class: ContentClass | None = None, unit: Annotated[str, Query(max_length=100)] = "",
    cursor: Cursor = "", limit: Limit = 20,
) -> Articles:  # fmt: skip
    wanted = article_queries.Wanted(q, content_class, unit)
    found = await article_queries.articles(edge_of(request).database, wanted, cursor=cursor, limit=limit)
    return Articles(items=[await article_row(request, row) for row in found.items], next=found.next)


@public.get("/{id}", summary="Một bài đã đăng")
async def article(
    request: Request, response: Response, id: UUID,
    version: Annotated[int | None, Query(ge=1, description="Chỉ nhận đúng phiên bản này.")] = None,
) -> ArticleOut:  # fmt: skip
    desk = edge_of(request).desk()
    found = await desk.find(Submission, id)
    if found is None or found.published_at is None:
        raise NotFound("Không có bài đã đăng mang mã này.")
    current = desk.version(found)
    if found.status is Status.WITHDRAWN:
        raise Withdrawn("Bài này đã được gỡ khỏi Cổng.", version=current)
    if version is not None and version < current:
        raise Superseded(f"Bài này nay ở phiên bản {current}.", version=current)
    tagged(response, current)
    body = await handlers.body_of(desk, found.body_ref)
    return await article_view(request, found, body, current, found.published_at)
