"""A question comes by mail: a mail server hands it over, our letters say where an answer to them goes, and
what the asker answers comes to their question."""

from datetime import datetime
from uuid import uuid4

from deploy.demo import by_mail
from deploy.demo.edges import Edges, eventually
from deploy.demo.script import Asker, Question
from shared.calendar import VIETNAM
from tests.journeys.acts import letters, ok, once


def test_a_mailed_question_is_answered_by_mail_and_its_thread_holds(edges: Edges) -> None:
    asker = Asker(name="Đinh Công Thành", email=f"thanh-{uuid4().hex[:8]}@hopthu.example.vn")
    question = Question(
        key=uuid4().hex, asker=asker, by_mail=True, subject=f"Con chưa có thẻ BHYT {uuid4().hex[:6]}",
        text="Bé sinh được 20 ngày, chưa có thẻ mà phải nhập viện, có được trả lại tiền không?",
        adds="Bé sinh tại Bệnh viện Sản Nhi Quảng Ngãi.",
    )  # fmt: skip
    asked = by_mail.ask(edges, question, datetime.now(VIETNAM), "ha")
    path = f"/v1/questions/{asked['id']}"

    code = {"code": asked["tracking_code"], "email": asker.email}
    tracked = ok(edges.post("qa", "/v1/tracking", code, once()))
    assert (tracked["subject"], tracked["text"]) == (question.subject, question.text)
    assert "bổ sung" in str(ok(edges.get("qa", path, "ha"))["history"])

    unclear = {"ground": "unclear", "explanation": "Nêu ngày sinh."}
    ok(edges.post("qa", f"{path}/refusal", unclear, once(), "ha"))
    refusal = next(each for each in letters(edges, asker.email, 2) if "Nêu ngày sinh." in each["text"])
    assert "bạn cứ trả lời thư này" in " ".join(refusal["text"].split())
    reply = {
        "name": asker.name, "sender": asker.email, "to": refusal["headers"]["Reply-To"],
        "subject": f"Re: {refusal['subject']}", "text": "Bé sinh ngày 08/11/2026 tại Quảng Ngãi.",
        "answers": refusal["message_id"],
    }  # fmt: skip
    ok(edges.post("mail", "/outgoing", reply, once()))

    def sent_again() -> bool | None:
        items = ok(edges.get("qa", "/v1/questions", "ha", status="received"))["items"]
        return any(each["subject"] == question.subject for each in items) or None

    assert eventually("câu gửi lại thay câu trước", sent_again)
    assert eventually("câu trước khép lại", lambda: closed(edges, path))


def closed(edges: Edges, path: str) -> bool | None:
    return ok(edges.get("qa", path, "ha"))["status"] == "closed" or None
