"""What people do with a question in the day's script: where it is sent, with what, and how it is told."""

from collections.abc import Callable, Mapping
from typing import Any, Final

PATHS: Final = {
    "refuse": "refusal",
    "merge": "merging",
    "split": "splitting",
    "forward": "forwarding",
    "give_back": "return",
    "make_complex": "complexity",
    "advise": "advice",
    "answer": "answer",
    "progress": "progress",
    "send_back": "answer-return",
    "release": "release",
    "publish": "publication",
    "withhold": "withholding",
    "correct": "correction",
}
# What the asker does, with code and address.
OWN_PATHS: Final = {"withdraw": "withdrawal"}
TOLD_BY_MAIL: Final = ("refuse", "merge", "progress", "release")
DESKS: Final = {"send_back": "publishing", "publish": "publishing", "withhold": "publishing"}
OURS: Final = ("act", "by", "part", "promised_in")  # words of the script, not of the body


def body(
    step: Mapping[str, Any], working_day: Callable[[int], str], asked: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Days are told from the day itself, other questions by their key."""
    sent = {name: value for name, value in step.items() if name not in OURS}
    if "promised_in" in step:
        sent["promised_for"] = working_day(step["promised_in"])
    if "into" in step:
        sent["into"] = asked[step["into"]]["id"]
    if "consulted" in step:
        sent["consulted"] = [
            {"unit": each["unit"], "due_on": working_day(each["due_in"])} for each in step["consulted"]
        ]
    return sent


def told(act: str, step: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if act == "refuse" and step["ground"] == "out_of_scope":
        return f"báo ngoài phạm vi, chỉ tới {step['agency']}"
    return {
        "refuse": "báo câu hỏi chưa rõ, đề nghị gửi lại",
        "merge": "gộp vào câu hỏi trùng của cùng người hỏi",
        "split": f"tách thành {len(step.get('parts', ()))} phần, mỗi phần có hạn riêng",
        "forward": f"chuyển {names.get(str(step.get('unit')), '')}",
        "give_back": f"trả lại Trung tâm. {step.get('words')}",
        "make_complex": f"xác định câu hỏi phức tạp, lấy ý kiến {len(step.get('consulted', ()))} đơn vị",
        "advise": "góp ý cho đơn vị chủ trì",
        "answer": "trả lời",
        "progress": f"thông báo quá trình xử lý, hẹn sau {step.get('promised_in')} ngày làm việc",
        "send_back": f"trả lại câu trả lời chưa đạt. {step.get('reason')}",
        "release": "gửi câu trả lời tới người hỏi",
        "publish": "đăng công khai, đã bỏ dữ liệu cá nhân",
        "withhold": f"không đăng: {step.get('reason')}",
        "correct": f"đính chính. {step.get('reason')}",
        "withdraw": "rút câu hỏi",
    }[act]
