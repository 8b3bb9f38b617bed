"""Parts fall and come back: what was accepted stays accepted, and is carried out when they are back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from tests.journeys.acts import ask, deadline, letters, ok, once, publish, question
from tests.journeys.test_submission import shelved


def send(edges: Edges, path: str, body: dict[str, object]) -> httpx2.Response:
    """One attempt, without the patience that the day's people have."""
    return httpx2.post(
        edges.urls["qa"] + path, json=body, headers={"Idempotency-Key": once()}, trust_env=False, timeout=30
    )


def test_without_kafka_a_command_succeeds_and_its_mail_goes_out_later(system: System, edges: Edges) -> None:
    system.stop_part("kafka")
    try:
        sent = question()
        assert send(edges, "/v1/questions", sent).status_code == 201
    finally:
        system.start_part("kafka")
    letters(edges, sent["email"], 1)


def test_without_mongodb_a_command_is_a_503_and_nothing_is_half_written(system: System, edges: Edges) -> None:
    sent = question()
    system.stop_part("mongod")
    try:
        refused = send(edges, "/v1/questions", sent)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["code"] == "unavailable"
    finally:
        system.start_part("mongod")
    _, receipt = ask(edges)
    assert receipt["number"]
    accepted = ok(edges.post("qa", "/v1/questions", sent, once()), 201)
    assert accepted["number"]
    letters(edges, sent["email"], 1)


def test_a_portal_that_is_down_gets_everything_when_it_is_back(system: System, edges: Edges) -> None:
    system.kill("bhxh-ha-noi")
    try:
        article = publish(edges)
        eventually("cổng khác đã có", lambda: shelved(edges, "bo-noi-vu", article["id"]))
        state = eventually(
            "cổng ngừng thấy được trên bảng",
            lambda: next(
                (
                    d
                    for d in ok(edges.get("sync", "/v1/deliveries", "oanh", item_id=article["id"]))["items"]
                    if d["partner"] == "bhxh-ha-noi" and d["attempts"] >= 1
                ),
                None,
            ),
        )
        assert state["state"] in ("failed", "pending")
    finally:
        system.start_process("bhxh-ha-noi")
    eventually("cổng đã có bài", lambda: shelved(edges, "bhxh-ha-noi", article["id"]))


def test_a_mail_server_that_refuses_for_now_is_tried_again(edges: Edges) -> None:
    httpx2.post(edges.urls["mail"] + "/behave", json={"mode": "tempfail", "times": 1}, trust_env=False)
    sent, receipt = ask(edges)
    letters(edges, sent["email"], 1)
    notices = ok(edges.get("notifier", "/v1/notices", "oanh", subject=f"question-{receipt['id']}"))["items"]
    assert [n["kind"] for n in notices] == ["acknowledgement"]


def test_a_mail_server_that_is_down_puts_the_deadline_at_risk_and_not_the_notice(
    system: System, edges: Edges
) -> None:
    sent, receipt = ask(edges)
    letters(edges, sent["email"], 1)
    system.kill("mail")
    refusal = {"ground": "unclear", "explanation": "Xin cho biết bạn hỏi về chế độ nào."}
    try:
        ok(edges.post("qa", f"/v1/questions/{receipt['id']}/refusal", refusal, once(), "ha"))
        open_one = deadline(edges, f"question-{receipt['id']}", "same_day_notice", "open")
        assert open_one["state"] == "open"
    finally:
        system.start_process("mail")
    letters(edges, sent["email"], 2)
    deadline(edges, f"question-{receipt['id']}", "same_day_notice", "met")


@pytest.mark.timeout(400)
def test_the_day_ends_the_same_though_each_service_is_killed_in_the_middle(
    system: System, tmp_path: Path
) -> None:
    env = os.environ | {
        "DAY_URLS": json.dumps(system.urls),
        "DAY_PASSWORDS": json.dumps(system.passwords),
        "PYTHONUNBUFFERED": "1",
    }
    told = tmp_path / "day.log"
    # Each falls right after it was seen at work.
    moments = {"qa": "Câu HD-", "content": "Bài 1:", "sync": "duyệt đăng", "notifier": "báo ngoài phạm vi"}
    with told.open("w") as out:
        day = subprocess.Popen([sys.executable, "-m", "deploy.demo.day"], env=env, stdout=out, stderr=out)
        for service, moment in moments.items():
            eventually(moment, lambda m=moment: m in told.read_text() or day.poll() is not None)
            assert day.poll() is None, told.read_text()
            system.kill(service)
            system.start_process(service)
        assert day.wait(300) == 0, told.read_text()
