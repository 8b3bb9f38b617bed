"""What the dead letters' pages say in words: what an error means and asks for, what a replay has come to,
what was done to a letter and by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from shared.contracts.base import Event
from shared.contracts.operations import (
    DeadLetterDiscarded,
    DeadLetterEdited,
    DeadLetterReplayed,
    DeadLetterReplayFailed,
)
from shared.directory import Directory
from shared.errors import InvalidInput
from shared.journal import Commit
from shared.messaging.dead_letters import BLOCKED, State
from shared.messaging.masking import mask_text
from shared.messaging.replay import HALT_AFTER
from shared.messaging.runs import MOST_TOLD, AskReplay, Doing, Run
from shared.web.problems import field_errors
from shared.web.vietnamese import number
from shared.workflow import SYSTEM

STATES: Final = {
    #  trạng thái     trên thẻ          màu      biểu tượng
    State.BURIED: ("Còn nằm lại", "bad", "mail-x"),
    State.REPLAYED: ("Đã xử lý lại", "ok", "mail-check"),
    State.DISCARDED: ("Đã bỏ qua", "", "archive"),
}


@dataclass(frozen=True)
class Meaning:
    """Why it lies here, and what helps."""

    cause: str
    cure: str


_CONTRACT: Final = Meaning(
    "Nội dung hoặc tiêu đề không đúng hợp đồng của sự kiện.",
    "Sửa dịch vụ phát ra nó; rồi sửa thư này và thử lại, hoặc bỏ qua.",
)
_DISAGREE: Final = Meaning(
    "Hai dịch vụ hiểu khác nhau về trạng thái của hồ sơ.", "Đọc lịch sử của hồ sơ trước khi làm gì khác."
)
_SILENT: Final = Meaning(
    "Hàm xử lý không trả lời dù cơ sở dữ liệu vẫn tốt.", "Sửa hàm xử lý, nâng cấp, rồi thử và xử lý lại."
)
_MEANINGS: Final[Mapping[str, Meaning]] = {
    BLOCKED: Meaning(
        "Chờ một thư trước đó của cùng hồ sơ.", "Xử lý xong thư trước thì thư này tự đi theo, đúng thứ tự."
    ),
    "UnknownEvent": Meaning(
        "Dịch vụ phát đã lên bản mới hơn dịch vụ này.", "Nâng cấp dịch vụ này, rồi thử và xử lý lại."
    ),
    "Hung": _SILENT,
    "TimeoutError": _SILENT,
    "ValidationError": _CONTRACT,
    "KeyError": _CONTRACT,
    "ValueError": _CONTRACT,
    "UnicodeDecodeError": _CONTRACT,
    "UnicodeEncodeError": _CONTRACT,
    "IllegalTransition": _DISAGREE,
    "RuleBroken": _DISAGREE,
}
_FAULT: Final = Meaning(
    "Có lẽ là một lỗi trong bản đang chạy.", "Sửa lỗi, nâng cấp dịch vụ, rồi thử và xử lý lại."
)
_EMPTY: Final = {"reason": "Hãy ghi lý do.", "sure": "Hãy đánh dấu là đã hiểu."}


def meaning_of(error: str) -> Meaning:
    return _MEANINGS.get(error, _FAULT)


def errors_of(error: ValidationError | InvalidInput) -> dict[str, str]:
    """Field → sentence."""
    if isinstance(error, InvalidInput):
        given = error.extra.get("errors", [])
        return {e["field"]: e.get("message") or error.detail for e in given} or {"": error.detail}
    found = {}
    for each in field_errors(error.errors()):
        absent = each["type"] in ("missing", "string_too_short")
        found[each["field"]] = _EMPTY.get(each["field"], each["message"]) if absent else each["message"]
    return found


def wish_in_words(wish: AskReplay) -> str:
    """Which letters, as a phrase."""
    if wish.release:
        return f"những thư đứng sau trên hồ sơ {mask_text(wish.release)}"
    if wish.ids:
        return f"thư {wish.ids[0]}" if len(wish.ids) == 1 else f"{len(wish.ids)} thư đã chọn"
    names = {"error": "lỗi", "event": "sự kiện", "topic": "chủ đề", "key": "hồ sơ"}
    given = [f"{names[name]} {mask_text(str(value))}" for name, value in vars(wish.filter).items() if value]
    return "các thư có " + ", ".join(given) if given else "mọi thư còn nằm lại"


@dataclass(frozen=True)
class Told:
    """How a replay stands: a state of the look, a title, and sentences."""

    state: str
    title: str
    sentences: Sequence[str] = ()


def done_so_far(run: Run, wish: AskReplay) -> Told:
    """Plain words for what a replay has done, or would do."""
    done = run["replayed"] + run["failed"] + run["waiting"]
    if run["state"] == Doing.WAITING:
        return Told("info", "Đang chờ một worker nhận việc.", [
            "Yêu cầu đã được giữ; nếu chưa có worker nào chạy, nó chờ cho đến khi có.",
        ])  # fmt: skip
    if run["state"] == Doing.RUNNING:
        said = f"Đang {'thử' if wish.dry_run else 'xử lý'}: {number(done)} trên {number(run['total'])} thư."
        return Told("info", said, [run["warning"]] if run["warning"] else [])
    if wish.release:
        followed = run["released"]
        return Told("ok", "Thư ấy đã được bỏ qua.", [
            f"{number(followed)} thư đứng sau nó trên cùng hồ sơ đã được xử lý, đúng thứ tự."
            if followed else "Chưa có thư nào đứng sau nó đi tiếp được.",
        ])  # fmt: skip
    if not done:
        return Told("", "Không còn thư nào như vậy nằm lại.", ["Có thể người khác vừa xử lý xong."])
    return _rehearsed(run) if wish.dry_run else _replayed(run)


def _counted(run: Run, **words: str) -> list[str]:
    """A sentence for each count that is not 0, in the order given."""
    return [f"{number(run[name])} thư {said}" for name, said in words.items() if run[name]]


def _rehearsed(run: Run) -> Told:
    done = run["replayed"] + run["failed"] + run["waiting"]
    said = _counted(
        run,
        replayed="sẽ xử lý được.",
        failed="vẫn hỏng như cũ: nguyên nhân vẫn còn.",
        waiting="phải chờ một thư khác cùng hồ sơ.",
    )
    if run["total"] > done:
        said.append(
            f"Đã thử {number(min(done, MOST_TOLD))} thư đầu trong {number(run['total'])}; làm thật thì cả."
        )
    state = "ok" if run["replayed"] == done else "warn" if run["replayed"] else "bad"
    return Told(state, "Đã thử xong, chưa ghi gì.", said)


def _replayed(run: Run) -> Told:
    said = _counted(
        run,
        released="đứng sau đã đi theo, đúng thứ tự.",
        waiting="còn chờ một thư khác cùng hồ sơ.",
        failed="vẫn hỏng và còn nằm lại: nguyên nhân vẫn còn.",
    )
    if run["state"] == Doing.HALTED:
        said.append(f"Đã tự dừng vì {HALT_AFTER} thư liền nhau đều hỏng. Sửa nguyên nhân rồi làm lại.")
    state = (
        "bad" if run["state"] == Doing.HALTED or not run["replayed"] else "warn" if run["failed"] else "ok"
    )
    return Told(state, f"Đã xử lý lại {number(run['replayed'])} thư.", said)


def _act(event: Event) -> tuple[str, str]:
    match event:
        case DeadLetterReplayed():
            how = " theo bản sửa" if event.edited else ""
            unwanted = "" if event.handled else "; bản này không còn việc gì phải làm với nó"
            return f"Đã xử lý lại{how}{unwanted}", event.reason
        case DeadLetterReplayFailed():
            return f"Xử lý lại không được: {event.error}", event.reason
        case DeadLetterEdited():
            return "Sửa nội dung, giữ bản gốc", event.reason
        case DeadLetterDiscarded():
            return "Bỏ qua", event.reason
    return event.name, ""


async def trail_of(commits: Sequence[Commit], source: str, directory: Directory) -> list[dict[str, Any]]:
    """Who did what and why, newest first, as the journal has it."""
    trail = []
    for commit in commits:
        system = commit.by == SYSTEM.subject
        who = "Hệ thống" if system else await directory.person_name(commit.by)
        for recorded in commit.recorded(source):
            title, reason = _act(recorded.event)
            trail.append({"at": commit.at, "who": who, "title": title, "text": reason})
    return trail[::-1]
