"""What the people of a journey do, in the words of the field."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from deploy.demo.edges import Answer, Edges, eventually

ATTESTATIONS = ["policy", "accuracy", "state_secrets", "press", "intellectual_property", "internet"]


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def guidance(**changes: Any) -> dict[str, Any]:
    """A complete submission of class guidance by Lan, of Quảng Ngãi."""
    return {
        "content_class": "guidance",
        "title": f"Hướng dẫn đóng bảo hiểm xã hội tự nguyện {uuid4().hex[:6]}",
        "summary": "Ai được đóng, đóng ở đâu, mức đóng bao nhiêu.",
        "html": "<h2>Đối tượng</h2><p>Người từ đủ 15 tuổi trở lên.</p>",
        "author_name": "",
        "source_name": "",
        "quoted": False,
        "event_at": ago(days=2),
        "permitted_at": None,
    } | changes


def question(**changes: Any) -> dict[str, Any]:
    mark = uuid4().hex[:10]
    return {
        "name": "Nguyễn Văn Thử",
        "email": f"thu-{mark}@nguoi-dan.example.vn",
        "subject": f"Hỏi về lương hưu {mark}",
        "text": f"Tôi đóng được 14 năm 3 tháng, xin hỏi ({mark}) khi nào đủ điều kiện hưởng lương hưu?",
        "consent": True,
    } | changes


def once() -> str:
    return uuid4().hex


def ok(answer: Answer, status: int = 200) -> dict[str, Any]:
    assert answer.status == status, answer
    body: dict[str, Any] = answer.body
    return body


def publish(edges: Edges, **changes: Any) -> dict[str, Any]:
    """Submitted by Lan, edited by Minh, approved and published by Phương."""
    view = ok(edges.post("content", "/v1/submissions", guidance(**changes), once(), "lan"), 201)
    path = f"/v1/submissions/{view['id']}"
    tag = edges.get("content", path, "minh").etag
    text = {k: view[k] for k in ("title", "summary", "html", "author_name", "source_name", "quoted")}
    text |= {
        "html": view["html"] + "<p>Nộp hồ sơ tại cơ quan bảo hiểm xã hội gần nhất.</p>",
        "note": "Thêm nơi nộp",
    }
    view = ok(edges.put("content", f"{path}/text", text, once(), "minh", etag=tag))
    body = {"text_version": view["text_version"], "attestations": ATTESTATIONS, "publish": True}
    return ok(edges.post("content", f"{path}/approval", body, once(), "phuong"))


def ask(edges: Edges, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was sent, and the receipt."""
    sent = question(**changes)
    return sent, ok(edges.post("qa", "/v1/questions", sent, once()), 201)


def mails(edges: Edges, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = edges.get("mail", "/mails.json", to=address).body
    return found if isinstance(found, list) else found["mails"]


def letters(edges: Edges, address: str, count: int) -> list[dict[str, Any]]:
    """Wait for so many mails to one person; more than that is as wrong as fewer."""
    found = eventually(
        f"{count} thư tới {address}", lambda: m if len(m := mails(edges, address)) >= count else None, 30
    )
    assert len(found) == count
    return found


def deadlines(edges: Edges, subject: str) -> dict[str, dict[str, Any]]:
    items = ok(edges.get("notifier", "/v1/deadlines", "oanh", subject=subject))["items"]
    return {item["duty"]: item for item in items}


def deadline(edges: Edges, subject: str, duty: str, state: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = deadlines(edges, subject).get(duty)
        return found if found and found["state"] == state else None

    return eventually(f"thời hạn {duty} ở trạng thái {state}", look, 30)
