"""What is left behind: one correlation id all the way, and nowhere a citizen's name, address or words."""

import asyncio
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaConsumer

from deploy.demo.edges import Edges, eventually
from deploy.kafka import topics
from deploy.local.system import System
from deploy.local.wiring import SERVICES
from tests.journeys.acts import ATTESTATIONS, ask, guidance, letters, ok, once, question
from tests.journeys.test_submission import shelved


async def everything_on_the_topics(bootstrap: str) -> bytes:
    """Every record since the topics were made: keys, values and headers, end to end."""
    consumer = AIOKafkaConsumer(
        *(topic.name for topic in topics.load()), bootstrap_servers=bootstrap,
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    found = bytearray()
    await consumer.start()
    try:
        while batch := await consumer.getmany(timeout_ms=1500, max_records=5000):
            for records in batch.values():
                for record in records:
                    found += (record.key or b"") + (record.value or b"") + repr(record.headers).encode()
    finally:
        await consumer.stop()
    return bytes(found)


def test_one_correlation_id_goes_from_the_click_to_the_portals_answer(system: System, edges: Edges) -> None:
    view = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    correlation = uuid4().hex
    approved = httpx2.post(
        f"{edges.urls['content']}/v1/submissions/{view['id']}/approval",
        json={"text_version": 1, "attestations": ATTESTATIONS, "publish": True},
        headers={
            "Authorization": f"Bearer {edges.token('phuong')}",
            "Idempotency-Key": once(),
            "X-Correlation-ID": correlation,
        },
        trust_env=False,
    )
    assert approved.headers["x-correlation-id"] == correlation
    eventually("bài tại cổng", lambda: shelved(edges, "bo-noi-vu", view["id"]))
    for service in ("content", "sync"):
        eventually(
            f"mã tương quan trong nhật ký của {service}",
            lambda s=service: correlation in system.log(s).read_text(errors="replace"),
        )


def test_a_citizens_words_are_in_no_log_and_on_no_topic(system: System, edges: Edges) -> None:
    canary = f"hoàng-yến-{uuid4().hex}"
    sent, receipt = ask(
        edges, name=f"Trần {canary}", email=f"{uuid4().hex}@canary.example.vn", text=f"Hỏi {canary} " * 3
    )
    edges.post("qa", "/v1/questions", question(name=f"{canary}\x00"), once())
    edges.post("qa", "/v1/tracking", {"code": canary, "email": sent["email"]}, once())
    refusal = {"ground": "unclear", "explanation": f"Xin nói rõ hơn: {canary}"}
    ok(edges.post("qa", f"/v1/questions/{receipt['id']}/refusal", refusal, once(), "ha"))
    letters(edges, sent["email"], 2)
    for name in SERVICES:
        log = system.log(name).read_text(errors="replace")
        assert canary not in log, name
        assert sent["email"] not in log, name
        assert receipt["tracking_code"] not in log, name
    seen = asyncio.run(everything_on_the_topics(system.kafka_bootstrap))
    assert f"question-{receipt['id']}".encode() in seen
    for secret in (canary, sent["email"], receipt["tracking_code"]):
        assert secret.encode() not in seen
