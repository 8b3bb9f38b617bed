"""REST of hỏi đáp: parse, execute, view."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.qa import bodies, handlers, views
from services.qa.asking import Asking, codes_of, look_up
from services.qa.bodies import acts as bodies_acts
from services.qa.domain import Question
from services.qa.domain.terms import searched
from services.qa.files import owning, store_of
from services.qa.mail.addresses import Addresses
from services.qa.queries import answers, lists
from services.qa.regulation import Policy, Role, Status
from services.qa.rush import unhurried
from services.qa.views import asker as views_asker
from shared.contracts.qa import NoticeKind
from shared.desk import Desk
from shared.directory import SERVICE_ROLE
from shared.errors import Forbidden
from shared.web.edge import ANONYMOUS, Edge, PublicDesk, Staff, StaffDesk, edge_of, tagged
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
    """Không cần tài khoản. Gửi lại cùng nội dung trong 24 giờ thì nhận lại câu hỏi đầu. Hệ thống của đơn vị,
    bằng tài khoản của mình, gửi thay người hỏi."""
    codes = codes_of(request)
    if desk.by is ANONYMOUS:
        unhurried(request)
    facts = {"channel": "unit", "entered_by": desk.by.unit} if Role.INTAKE in desk.by.roles else {}
    command = body.command(codes, **facts)
    question = await desk.run(owning(store_of(request), handlers.receive_question), command)
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
    request: Request,
    status: Status | None = None,
    unit: Annotated[OptionalLine, Query()] = "",
    q: Annotated[
        OptionalLine, Query(description="Số tiếp nhận, chữ trong câu hỏi; không dấu cũng được")
    ] = "",
    field: Annotated[OptionalLine, Query()] = "",
    since: Annotated[AwareDatetime | None, Query(description="Nhận từ lúc này.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Nhận trước lúc này.")] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Questions:
    """Trung tâm thấy tất cả; đơn vị thấy câu hỏi được chuyển đến, được hỏi ý kiến, và câu hỏi mình gửi thay
    người dân. Việc đang mở xếp theo hạn, còn lại xếp mới trước. Trang tìm theo chữ có thể ít mục hơn `limit`
    mà vẫn có `next`."""
    words = tuple(codes_of(request).words(searched(q)))
    wanted = lists.Wanted(status=status, unit=unit, words=words, field=field, since=since, until=until)
    page = await lists.questions(edge.database, wanted, by, cursor=cursor, limit=limit)
    return Questions(items=[views.row_out(row) for row in page.rows], next=page.next)


@router.get("/v1/questions/{question_id}", tags=["cán bộ"], summary="Hồ sơ một câu hỏi")
async def question(question_id: UUID, by: Staff, edge: EdgeOf, response: Response) -> views.QuestionOut:
    file = await views.file_in_reach(edge, question_id, by)
    tagged(response, file.version)
    return await views.question_out(edge, file, by, now())


class StaffAct(NamedTuple):
    """``POST /v1/questions/{id}/{path}``: a strict body, the handler that does it, what it is called."""

    path: str
    body: type[bodies.CommandBody]
    handler: Callable[[Any, Desk[Policy]], Awaitable[Question]]
    title: str


STAFF_ACTS: Final = (
    StaffAct("forwarding", bodies.Forward, handlers.forward_question, "Chuyển đơn vị trả lời"),
    StaffAct("refusal", bodies.Refuse, handlers.refuse_question, "Báo không thuộc diện trả lời"),
    StaffAct("merging", bodies_acts.Merge, handlers.merge_question, "Gộp câu hỏi trùng"),
    StaffAct("setting-aside", bodies_acts.SetAside, handlers.set_aside, "Gạt ra vì nghi thư rác"),
    StaffAct(
        "setting-aside-confirmation", bodies_acts.ConfirmSetAside, handlers.confirm_set_aside,
        "Xác nhận là thư rác",
    ),
    StaffAct("restoration", bodies_acts.Restore, handlers.restore_question, "Đưa lại hàng chờ phân loại"),
    StaffAct("splitting", bodies_acts.Split, handlers.split_question, "Tách thành nhiều phần"),
    StaffAct("return", bodies_acts.GiveBack, handlers.give_back_question, "Đơn vị trả lại"),
    StaffAct("complexity", bodies_acts.Complex, handlers.make_complex, "Xác định câu hỏi phức tạp"),
    StaffAct("advice", bodies_acts.Advise, handlers.give_advice, "Góp ý cho đơn vị chủ trì"),
    StaffAct("progress", bodies.Progress, handlers.report_progress, "Thông báo quá trình xử lý"),
    StaffAct("answer", bodies.Answer, handlers.answer_question, "Trả lời"),
    StaffAct(
        "answer-return", bodies_acts.SendBack, handlers.send_back_answer, "Trả lại câu trả lời chưa đạt"
    ),
    StaffAct("release", bodies.Release, handlers.release_answer, "Gửi câu trả lời tới người hỏi"),
    StaffAct("publication", bodies.Publish, handlers.publish_answer, "Đăng công khai"),
    StaffAct("withholding", bodies.Withhold, handlers.withhold_answer, "Không đăng công khai"),
    StaffAct("correction", bodies_acts.Correct, handlers.correct_answer, "Đính chính câu trả lời"),
    StaffAct("reopening", bodies_acts.Reopen, handlers.reopen_question, "Mở lại theo văn bản"),
    StaffAct("assignment", bodies_acts.Assign, handlers.assign_question, "Giao cho cán bộ"),
    StaffAct("notes", bodies_acts.Note, handlers.take_note, "Ghi chú nội bộ"),
    StaffAct("erasure", bodies_acts.Erase, handlers.erase_asker, "Xóa dữ liệu cá nhân của người hỏi"),
)  # fmt: skip


def _offer(act: StaffAct) -> None:
    async def do(question_id: UUID, body: Any, acting: ActingOf) -> views.QuestionOut:
        body = await views.check_units(acting.edge, body, acting.desk.now)
        command = await views.to_colleague(acting.edge, body.command(question_id), acting.desk.by)
        return await acting.do(act.handler, command)

    do.__name__ = act.path.replace("-", "_")
    do.__doc__ = act.body.__doc__
    do.__annotations__["body"] = act.body
    router.post(f"/v1/questions/{{question_id}}/{act.path}", tags=["cán bộ"], summary=act.title)(do)


for _act in STAFF_ACTS:
    _offer(_act)


@router.get("/v1/answers", tags=["công khai"], summary="Tìm câu hỏi đã trả lời")
async def published(
    *,
    request: Request,
    edge: EdgeOf,
    q: Annotated[OptionalLine, Query(description="Có dấu hay không dấu đều được.")] = "",
    field: Annotated[OptionalLine, Query()] = "",
    unit: Annotated[OptionalLine, Query(description="Đơn vị trả lời.")] = "",
    year: Annotated[int | None, Query(ge=2000, le=2999, description="Năm đăng.")] = None,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Answers:
    """Đặt trong ngoặc kép để tìm nguyên cụm từ. Mới trước."""
    url = request.app.state.service.settings.qa_url
    asked = answers.Asked(q, field, unit, year)
    page = await answers.answers(edge.database, asked, cursor=cursor, limit=limit)
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
    round: Annotated[int, Query(ge=1, description="Thư thứ mấy của loại ấy.")] = 1,
) -> dict[str, Any]:
    """Chỉ giao cho dịch vụ gửi thư, đúng lúc gửi."""
    settings = request.app.state.service.settings
    if SERVICE_ROLE not in by.roles or by.subject != settings.letters_for:
        raise Forbidden("Chỉ dịch vụ gửi thư được lấy nội dung này.")
    response.headers["Cache-Control"] = "no-store"
    file = await views.file_for(edge, question_id)
    codes = codes_of(request)
    return await views_asker.letter_out(
        edge, file, kind, round, codes=codes, url=settings.qa_url,
        reply_to=Addresses.of(settings.mail_address, codes).reply_to(question_id),
    )  # fmt: skip
