"""Việc trên bàn làm việc: each act that a page's form does, what the form carries, which handler does it,
what is said afterwards."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.qa import bodies, handlers, views
from services.qa.asking import codes_of
from services.qa.bodies import acts
from services.qa.desk.asked import Visit
from services.qa.domain.terms import searched
from services.qa.queries import rows
from shared.desk import utc_now
from shared.errors import InvalidInput

Fields = dict[str, Any]
Prepare = Callable[[Visit, Fields], Awaitable[Fields]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Fields that a form repeats, as ``name`` of its body. ``columns``: the form's own names → the body's."""

    name: str
    columns: Mapping[str, str]
    least: int  # that an empty form shows
    most: int

    def of(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The rows that carry something, by the form's names."""
        columns = [_listed(fields.get(column)) for column in self.columns]
        width = max(map(len, columns))
        padded = [column + [""] * (width - len(column)) for column in columns]
        found = [dict(zip(self.columns, row, strict=True)) for row in zip(*padded, strict=True)]
        return [row for row in found if any(value.strip() for value in row.values())]

    def body(self, fields: Mapping[str, Any]) -> Fields:
        rest = {name: value for name, value in fields.items() if name not in self.columns}
        rows = [{self.columns[name]: value for name, value in row.items()} for row in self.of(fields)]
        return rest | {self.name: rows}

    def form_name(self, name: str) -> str:
        """`parts.1.subject` → `part_subject-1`, as the page calls it."""
        own, _, rest = name.partition(".")
        index, _, column = rest.partition(".")
        known = [form for form, of_body in self.columns.items() if of_body == column]
        return f"{known[0]}-{index}" if own == self.name and known else name


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value or "")]


@dataclass(frozen=True, slots=True)
class FormAct:
    """``path`` is its address; ``step`` its name in WORKFLOW; ``key`` the letter that opens or does it.
    ``moves``: the question leaves the list, so the next one is opened. ``free``: nobody's change stands in
    its way. ``wide``: written beside the question rather than in the narrow column."""

    path: str
    step: str
    title: str
    key: str
    body: type[bodies.CommandBody]
    handler: Callable[..., Awaitable[Any]]
    done: str
    moves: bool = False
    free: bool = False
    wide: bool = False
    rows: Rows | None = None
    prepare: Prepare | None = None

    @property
    def short(self) -> str:
        """Inside a sentence."""
        return self.title[:1].lower() + self.title[1:]

    async def given(self, visit: Visit, fields: Fields) -> bodies.CommandBody:
        """The body that the form's fields make. Raises ValidationError and InvalidInput."""
        fields = await self.prepare(visit, fields) if self.prepare else fields
        body = self.body.model_validate(self.rows.body(fields) if self.rows else fields)
        checked: bodies.CommandBody = await views.check_units(visit.edge, body, utc_now())
        return checked

    def id_of(self, name: str) -> str:
        """A field's id on the page: several forms stand on one."""
        return f"{self.path}-{self.rows.form_name(name) if self.rows else name}"


async def _merge_target(visit: Visit, fields: Fields) -> Fields:
    """A likely duplicate that was picked, or else any question by its number."""
    number = str(fields.pop("number", "")).strip()
    if number and not fields.get("into"):
        marks = codes_of(visit.request).words(searched(number))
        row = await rows.numbered(visit.edge.database, number, marks, visit.by)
        if row is None:
            message = f"Không có câu hỏi số {number}."
            raise InvalidInput(message, errors=[{"field": "number", "message": message}])
        fields["into"] = row["_id"]
    if not fields.get("into"):
        message = "Chọn câu hỏi nhận gộp, hoặc ghi số tiếp nhận của nó."
        raise InvalidInput(message, errors=[{"field": "number", "message": message}])
    return fields


_ALL: Final = (
    # phân loại
    FormAct("forwarding", "forward", "Chuyển đơn vị trả lời", "a", bodies.Forward, handlers.forward_question,
            "Đã chuyển đơn vị trả lời.", moves=True),
    FormAct("refusal", "refuse", "Không thuộc diện trả lời", "e", bodies.Refuse, handlers.refuse_question,
            "Đã ghi nhận; thư báo người hỏi được gửi ngay.", moves=True),
    FormAct("merging", "merge", "Gộp câu hỏi trùng", "m", acts.Merge, handlers.merge_question,
            "Đã gộp; người hỏi được báo câu nào tiếp tục.", moves=True, prepare=_merge_target),
    FormAct("answer", "answer", "Trả lời", "t", bodies.Answer, handlers.answer_question,
            "Đã nhận câu trả lời, chuyển bước gửi và đăng.", moves=True, wide=True),
    FormAct("splitting", "split", "Tách thành nhiều phần", "s", acts.Split, handlers.split_question,
            "Đã tách; mỗi phần là một câu hỏi chờ phân loại.", moves=True, wide=True,
            rows=Rows("parts", {"part_subject": "subject", "part_text": "text"}, 2, 10)),
    FormAct("setting-aside", "set_aside", "Nghi thư rác, gạt ra", "x", acts.SetAside, handlers.set_aside,
            "Đã gạt ra, chờ người thứ hai xem.", moves=True),
    FormAct("setting-aside-confirmation", "confirm_set_aside", "Xác nhận, không xử lý", "x",
            acts.ConfirmSetAside, handlers.confirm_set_aside, "Đã xác nhận; câu hỏi được khép lại.",
            moves=True),
    FormAct("restoration", "restore", "Không phải thư rác", "r", acts.Restore, handlers.restore_question,
            "Đã đưa lại hàng chờ phân loại.", moves=True),
    # đơn vị
    FormAct("progress", "progress", "Thông báo quá trình xử lý", "b", bodies.Progress,
            handlers.report_progress, "Đã báo quá trình xử lý; thư được gửi người hỏi."),
    FormAct("advice", "advise", "Góp ý cho đơn vị chủ trì", "v", acts.Advise, handlers.give_advice,
            "Đã gửi ý kiến cho đơn vị chủ trì.", moves=True, wide=True),
    FormAct("return", "give_back", "Trả lại Trung tâm", "r", acts.GiveBack, handlers.give_back_question,
            "Đã trả lại câu hỏi cho Trung tâm.", moves=True),
    FormAct("complexity", "make_complex", "Câu hỏi phức tạp", "c", acts.Complex, handlers.make_complex,
            "Đã ghi nhận là câu hỏi phức tạp; các đơn vị được lấy ý kiến.",
            rows=Rows("consulted", {"consulted_unit": "unit", "consulted_due": "due_on"}, 2, 20)),
    # gửi, đăng
    FormAct("release", "release", "Gửi câu trả lời tới người hỏi", "a", bodies.Release,
            handlers.release_answer, "Đã cho gửi; thư đang được chuyển đi."),
    FormAct("publication", "publish", "Đăng công khai", "p", bodies.Publish, handlers.publish_answer,
            "Đã đăng công khai.", wide=True),
    FormAct("withholding", "withhold", "Không đăng", "w", bodies.Withhold, handlers.withhold_answer,
            "Đã ghi nhận không đăng."),
    FormAct("answer-return", "send_back", "Trả lại câu trả lời chưa đạt", "r", acts.SendBack,
            handlers.send_back_answer, "Đã trả lại câu trả lời; hạn của đơn vị vẫn chạy như cũ.", moves=True),
    FormAct("correction", "correct", "Đính chính câu trả lời", "d", acts.Correct, handlers.correct_answer,
            "Đã nhận bản đính chính, chuyển bước gửi và đăng lại.", moves=True, wide=True),
    # điều hành
    FormAct("reopening", "reopen", "Mở lại theo văn bản", "o", acts.Reopen, handlers.reopen_question,
            "Đã mở lại; câu hỏi chờ phân loại từ đầu.", moves=True),
    FormAct("notes", "note", "Ghi chú nội bộ", "n", acts.Note, handlers.take_note, "Đã ghi chú.",
            free=True),
    FormAct("assignment", "assign", "Giao việc", "g", acts.Assign, handlers.assign_question,
            "Đã giao việc.", free=True),
    FormAct("identity", "disclose", "Hiện danh tính", "i", bodies.Disclose, handlers.disclose_asker,
            "Danh tính hiện trong 15 phút; việc xem đã được ghi lại.", free=True),
)  # fmt: skip
ACTS: Final[Mapping[str, FormAct]] = {act.path: act for act in _ALL}
BY_STEP: Final[Mapping[str, FormAct]] = {act.step: act for act in _ALL}
