"""REST of hỏi đáp: parse, execute, view."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.qa import bodies, handlers, views, views_asker
from services.qa.asking import Asking, codes_of, look_up
from services.qa.domain import Question
from services.qa.queries import answers, lists
from services.qa.regulation import Policy, Status
from shared.contracts.qa import NoticeKind
from shared.desk import Desk
from shared.directory import SERVICE_ROLE
from shared.errors import Forbidden
from shared.web.edge import Edge, PublicDesk, Staff, StaffDesk, edge_of, tagged
from shared.web.forms import OptionalLine

router = APIRouter()
C = TypeVar("C")
Limit = Annotated[int, Query(ge=1, le=100, description="Số mục mỗi trang.")]
Cursor = Annotated[str, Query(max_length=500, description="Con trỏ `next` của trang trước.")]


class Questions(BaseModel):
    items: list[views.RowOut]
    next: str | None


class Answers(BaseModel):
    items: list[views.AnswerOut]
    next: str | None


async def _edge(request: Request) -> Edge[Policy]:
    """A dependency that is not async would cost each request a thread."""
    return edge_of(request)


EdgeOf = Annotated[Edge[Policy], Depends(_edge)]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Acting:
    """A staff member's desk, and the answer that shows the question as it is after the act."""

    desk: Desk[Policy]
    edge: Edge[Policy]
    response: Response

    async def do(
        self, handler: Callable[[C, Desk[Policy]], Awaitable[Question]], command: C
    ) -> views.QuestionOut:
        question = await self.desk.run(handler, command)
        tagged(self.response, self.desk.version(question))
        file = await views.file_for(self.edge, question.id)
        return await views.question_out(self.edge, file, self.desk.by, now())


def acting(desk: StaffDesk, edge: EdgeOf, response: Response) -> Acting:
    return Acting(desk, edge, response)


ActingOf = Annotated[Acting, Depends(acting)]


@router.post("/v1/questions", status_code=201, tags=["người hỏi"], summary="Gửi câu hỏi")
async def ask(
    body: bodies.Ask, request: Request, response: Response, desk: PublicDesk, edge: EdgeOf
) -> views_asker.ReceiptOut:
    """Không cần tài khoản. Gửi lại cùng nội dung trong 24 giờ thì nhận lại câu hỏi đầu."""
    codes = codes_of(request)
    question = await desk.run(handlers.receive_question, body.command(codes))
    tagged(response, desk.version(question))
    response.headers["Location"] = "/track"
    return views_asker.receipt(question, desk.version(question), edge, codes)


@router.post("/v1/tracking", tags=["người hỏi"], summary="Tra cứu câu hỏi của mình")
async def track(
    body: bodies.Track, asking: Asking, response: Response, edge: EdgeOf
) -> views_asker.TrackingOut:
    """Mã sai và mã không có nhận cùng một câu trả lời, sau cùng một thời gian."""
    file = await look_up(asking, body.code, body.email)
    response.headers["Cache-Control"] = "no-store"
    return await views_asker.tracking_out(edge, file, now())


@router.get("/v1/questions", tags=["cán bộ"], summary="Danh sách câu hỏi")
async def questions(
    *,
    by: Staff,
    edge: EdgeOf,
    status: Status | None = None,
    unit: Annotated[OptionalLine, Query()] = "",
    q: Annotated[OptionalLine, Query()] = "",
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Questions:
    """Trung tâm thấy tất cả; đơn vị chỉ thấy câu hỏi được chuyển đến mình."""
    wanted = lists.Wanted(status=status, unit=unit, q=q)
    page = await lists.questions(edge.database, wanted, by, cursor=cursor, limit=limit)
    return Questions(items=[views.row_out(row) for row in page.rows], next=page.next)


@router.get("/v1/questions/{question_id}", tags=["cán bộ"], summary="Hồ sơ một câu hỏi")
async def question(question_id: UUID, by: Staff, edge: EdgeOf, response: Response) -> views.QuestionOut:
    file = await views.file_in_reach(edge, question_id, by)
    tagged(response, file.version)
    return await views.question_out(edge, file, by, now())


@router.post("/v1/questions/{question_id}/forwarding", tags=["cán bộ"], summary="Chuyển đơn vị trả lời")
async def forward(question_id: UUID, body: bodies.Forward, acting: ActingOf) -> views.QuestionOut:
    await views.check_unit(acting.edge, body.unit)
    return await acting.do(handlers.forward_question, body.command(question_id))


@router.post("/v1/questions/{question_id}/refusal", tags=["cán bộ"], summary="Báo không thuộc diện trả lời")
async def refuse(question_id: UUID, body: bodies.Refuse, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.refuse_question, body.command(question_id))


@router.post("/v1/questions/{question_id}/answer", tags=["cán bộ"], summary="Trả lời")
async def answer(question_id: UUID, body: bodies.Answer, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.answer_question, body.command(question_id))


@router.post("/v1/questions/{question_id}/progress", tags=["cán bộ"], summary="Thông báo quá trình xử lý")
async def progress(question_id: UUID, body: bodies.Progress, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.report_progress, body.command(question_id))


@router.post("/v1/questions/{question_id}/release", tags=["cán bộ"], summary="Gửi câu trả lời tới người hỏi")
async def release(question_id: UUID, body: bodies.Release, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.release_answer, body.command(question_id))


@router.post("/v1/questions/{question_id}/publication", tags=["cán bộ"], summary="Đăng công khai")
async def publish(question_id: UUID, body: bodies.Publish, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.publish_answer, body.command(question_id))


@router.post("/v1/questions/{question_id}/withholding", tags=["cán bộ"], summary="Không đăng công khai")
async def withhold(question_id: UUID, body: bodies.Withhold, acting: ActingOf) -> views.QuestionOut:
    return await acting.do(handlers.withhold_answer, body.command(question_id))


@router.get("/v1/answers", tags=["công khai"], summary="Tìm câu hỏi đã trả lời")
async def published(
    *,
    request: Request,
    edge: EdgeOf,
    q: Annotated[OptionalLine, Query(description="Có dấu hay không dấu đều được.")] = "",
    field: Annotated[OptionalLine, Query()] = "",
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Answers:
    url = request.app.state.service.settings.qa_url
    page = await answers.answers(edge.database, q=q, field=field, cursor=cursor, limit=limit)
    return Answers(items=[views.answer_out(row, url) for row in page.rows], next=page.next)


@router.get("/v1/answers/{question_id}", tags=["công khai"], summary="Một câu trả lời đã đăng")
async def published_answer(
    question_id: UUID, request: Request, response: Response, edge: EdgeOf
) -> views.AnswerOut:
    row = await answers.answer(edge.database, str(question_id))
    response.headers["ETag"] = f'"{row["version"]}"'
    return views.answer_out(row, request.app.state.service.settings.qa_url)


@router.get("/v1/letters/{question_id}/{kind}", tags=["dịch vụ"], summary="Nội dung một lá thư gửi người hỏi")
async def letter(
    question_id: UUID,
    kind: NoticeKind,
    *,
    by: Staff,
    request: Request,
    response: Response,
    edge: EdgeOf,
    round: Annotated[int, Query(ge=1, description="Thông báo quá trình xử lý lần thứ mấy.")] = 1,
) -> dict[str, Any]:
    """Chỉ giao cho dịch vụ gửi thư, đúng lúc gửi."""
    settings = request.app.state.service.settings
    if SERVICE_ROLE not in by.roles or by.subject != settings.letters_for:
        raise Forbidden("Chỉ dịch vụ gửi thư được lấy nội dung này.")
    response.headers["Cache-Control"] = "no-store"
    file = await views.file_for(edge, question_id)
    return await views_asker.letter_out(edge, file, kind, round, codes=codes_of(request), url=settings.qa_url)
