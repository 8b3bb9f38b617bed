"""The measurements, each through the public edges of a running system."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import psutil  # type: ignore[import-untyped]
import uvloop

from bench import noop
from bench.figures import Figures
from bench.load import Load, press
from deploy.demo.edges import Answer, DayStopped, Edges, eventually
from deploy.local.system import System
from deploy.local.wiring import PORTALS, SERVICES

ATTESTATIONS: Final = ["policy", "accuracy", "state_secrets", "press", "intellectual_property", "internet"]
IDLE_SECONDS: Final = 10.0
REST_SECONDS: Final = 4.0
WARM_UP: Final = 3
T = TypeVar("T")


def refusal_to_mail(edges: Edges, figures: Figures, count: int = 40) -> None:
    """From the answer to «refuse» until the mail server has accepted the letter to the asker."""
    asked = [_ask(edges, n) for n in range(count + WARM_UP)]
    body = {
        "ground": "out_of_scope",
        "explanation": "Việc cấp đổi căn cước không thuộc phạm vi, chức năng của Bảo hiểm xã hội Việt Nam.",
        "referral": "advised_asker",
        "agency": "Công an cấp xã nơi cư trú",
    }
    refused = []
    for n, question in enumerate(asked):
        path = f"/v1/questions/{question['id']}/refusal"
        _expect(edges.post("qa", path, body, f"refuse-{n}", "ha"), 200, "refuse a question")
        refused.append((question["id"], time.time()))
        time.sleep(0.1)  # one clerk, not a flood
    waits = []
    for n, (id, answered) in enumerate(refused):
        proof = _found(f"the letter of refusal {n + 1}", partial(_refusal, edges, id))
        mails = edges.get("mail", "/mails.json", to=_email(n)).body
        accepted = next((m["received_at"] for m in mails if m["message_id"] == proof["message_id"]), None)
        if accepted is None:
            raise DayStopped(f"the mail server does not have {proof['message_id']}, said to be sent")
        waits.append(_unix(accepted) - answered)
    figures.add_spread("refusal_to_mail", waits[WARM_UP:])


def approval_to_portals(edges: Edges, figures: Figures, count: int = 20) -> None:
    """From the answer to «approve» until the last linked portal has taken the article."""
    waits = []
    for n in range(count + WARM_UP):
        sent = edges.post("content", "/v1/submissions", _article(n), f"submit-{n}", "lan")
        view = _expect(sent, 201, "submit an article")
        approval = {"text_version": view["text_version"], "attestations": ATTESTATIONS, "publish": True}
        path = f"/v1/submissions/{view['id']}/approval"
        _expect(edges.post("content", path, approval, f"approve-{n}", "phuong"), 200, "approve it")
        answered = time.time()
        taken = _found(f"article {n + 1} at every portal", partial(_everywhere, edges, view["id"]))
        waits.append(max(taken) - answered)
    figures.add_spread("approval_to_portals", waits[WARM_UP:])


def throughput(urls: dict[str, str], nothing: str, figures: Figures) -> None:
    """Questions received at fifty at once, between two runs against an application that does nothing."""
    asking, doing_nothing = f"{urls['qa']}/v1/questions", nothing + noop.PATH
    numbers = iter(range(10**6, 10**9))

    async def all_three() -> tuple[Load, Load, Load]:
        await press(asking, lambda: _question(next(numbers)), seconds=1)  # warm
        before = await press(doing_nothing, lambda: _question(0), seconds=3)
        ours = await press(asking, lambda: _question(next(numbers)), seconds=8)
        after = await press(doing_nothing, lambda: _question(0), seconds=3)
        return before, ours, after

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        before, ours, after = runner.run(all_three())
    if set(ours.statuses) != {201}:
        raise DayStopped(f"POST /v1/questions under load answered {dict(ours.statuses)}, not 201 alone")
    nothings = (before.rate + after.rate) / 2
    figures.add("commands_per_s", ours.rate, "/s")
    figures.add_spread("command", ours.waits)
    figures.add("noop_per_s", nothings, "/s")
    figures.add("commands_to_noop", ours.rate / nothings, "ratio")


def idle(system: System, figures: Figures) -> None:
    """What each service costs when nobody asks for anything."""
    time.sleep(REST_SECONDS)
    watched = {name: psutil.Process(system.pid(name)) for name in (*SERVICES, "mongod", "kafka")}
    for process in watched.values():
        process.cpu_percent()
    time.sleep(IDLE_SECONDS)
    for name, process in watched.items():
        figures.add(f"idle_{name}_cpu_percent", process.cpu_percent(), "%")
        figures.add(f"idle_{name}_rss_mb", process.memory_info().rss / 1e6, "MB")


def _ask(edges: Edges, n: int) -> dict[str, Any]:
    return _expect(edges.post("qa", "/v1/questions", _question(n), f"ask-{n}"), 201, "ask a question")


def _question(n: int) -> dict[str, Any]:
    return {
        "name": "Nguyễn Văn Đo",
        "email": _email(n),
        "subject": f"Cấp đổi căn cước cho con, lần hỏi thứ {n}",
        "text": f"Tôi muốn đổi căn cước cho con tôi thì nộp hồ sơ ở đâu, cần giấy tờ gì? (hồ sơ {n})",
        "consent": True,
    }


def _email(n: int) -> str:
    return f"nguoi-hoi-{n}@hopthu.example.vn"


def _article(n: int) -> dict[str, Any]:
    happened = datetime.now(UTC) - timedelta(minutes=5)
    return {
        "content_class": "activity",
        "title": f"Bảo hiểm xã hội tỉnh Quảng Ngãi hướng dẫn người dân dùng VssID, buổi thứ {n}",
        "summary": "Hơn 300 người được hướng dẫn cài đặt và tra cứu quá trình đóng.",
        "html": "<p>Sáng nay, đơn vị phối hợp với nhà văn hóa xã tổ chức buổi hướng dẫn.</p>" * 20,
        "author_name": "Nguyễn Thị Lan",
        "source_name": "Bảo hiểm xã hội tỉnh Quảng Ngãi",
        "quoted": False,
        "event_at": happened.isoformat(),
        "permitted_at": None,
    }


def _refusal(edges: Edges, question: str) -> dict[str, Any] | None:
    notices = edges.get("notifier", "/v1/notices", "oanh", subject=f"question-{question}").body["items"]
    sent = (n for n in notices if n["kind"] == "refusal" and n["sent_at"])
    return next(sent, None)


def _everywhere(edges: Edges, item: str) -> list[float] | None:
    taken = [
        _unix(one["received_at"])
        for portal in PORTALS
        for one in edges.get(portal.id, "/items.json").body
        if one["item_id"] == item
    ]
    return taken if len(taken) == len(PORTALS) else None


def _expect(answer: Answer, status: int, what: str) -> dict[str, Any]:
    if answer.status != status:
        raise DayStopped(f"could not {what}: {answer.status} {answer.body}")
    body: dict[str, Any] = answer.body
    return body


def _found(what: str, look: Callable[[], T | None]) -> T:
    return eventually(what, look, patience=30)


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
