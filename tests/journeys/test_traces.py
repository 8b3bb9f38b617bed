"""What is left behind: one correlation id all the way, and nowhere a citizen's name, address or words."""

import asyncio
import time
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaConsumer
from bson import encode

from deploy.demo.edges import Edges, eventually
from deploy.kafka import topics
from deploy.local.system import System
from deploy.local.wiring import SERVICES
from shared.chain import verify
from shared.mongo import connect
from tests.journeys.acts import ATTESTATIONS, ask, guidance, letters, ok, once
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


class Canary:
    """Someone each of whose words can be told from everybody else's."""

    def __init__(self) -> None:
        mark = uuid4().hex
        self.letter = {
            "name": f"Trần Hoàng Yến {mark}", "email": f"{mark[:20]}@canary.example.vn",
            "phone": f"09{int(mark, 16) % 10**8:08}", "subject": f"Lương hưu {mark}",
            "text": f"Hỏi {mark} " * 3,
        }  # fmt: skip
        self.words = [mark, self.letter["email"], self.letter["phone"]]

    def in_(self, text: str | bytes) -> list[str]:
        data = text.encode() if isinstance(text, str) else text
        return [word for word in self.words if word.encode() in data]


async def in_the_databases(uri: str, canary: Canary) -> set[str]:
    """The collections, of all services, in whose bytes any of these words lies."""
    found = set()
    for service in SERVICES:
        database = connect(uri, service)
        for name in await database.list_collection_names():
            async for row in database[name].find({}, batch_size=500):
                if canary.in_(encode(row)):
                    found.add(f"{service}.{name}")
        database.client.close()
    return found


async def kept_of(uri: str, id: str) -> bool:
    """Whether a sealed word of the question, or the key to it, is still there."""
    database = connect(uri, "qa")
    rows = await database.vault.count_documents({"owner": id})
    keys = await database["keys"].count_documents({"_id": id, "key": {"$exists": True}})
    database.client.close()
    return bool(rows or keys)


async def chained(uri: str) -> bool:
    database = connect(uri, "qa")
    report = await verify(database, "qa")
    database.client.close()
    return report.whole and report.commits > 0


def test_a_citizens_words_are_in_no_log_on_no_topic_and_in_no_measurement(
    system: System, edges: Edges
) -> None:
    canary = Canary()
    sent, receipt = ask(edges, **canary.letter)
    wrong = {**sent, "name": f"{sent['name']}\x00", "phone": sent["text"]}
    for refused in (
        edges.post("qa", "/v1/questions", wrong, once()),
        edges.post("qa", "/v1/tracking", {"code": canary.words[0], "email": sent["email"]}, once()),
        edges.post("qa", f"/v1/questions/{receipt['id']}/notes", {"words": ""}, once(), "ha"),
    ):
        assert 400 <= refused.status < 500
        assert not canary.in_(str(refused.body))
    refusal = {"ground": "unclear", "explanation": f"Xin nói rõ hơn: {canary.words[0]}"}
    ok(edges.post("qa", f"/v1/questions/{receipt['id']}/refusal", refusal, once(), "ha"))
    letters(edges, sent["email"], 2)
    canary.words.append(receipt["tracking_code"])
    for name in SERVICES:
        assert not canary.in_(system.log(name).read_text(errors="replace")), name
        measured = httpx2.get(f"{edges.urls[name]}/metrics", trust_env=False)
        assert measured.status_code == 200
        assert not canary.in_(measured.text), name
    seen = asyncio.run(everything_on_the_topics(system.kafka_bootstrap))
    assert f"question-{receipt['id']}".encode() in seen
    assert not canary.in_(seen)
    # The subject, which staff see in their lists while the question lives; all else is sealed.
    assert asyncio.run(in_the_databases(system.mongo_uri, canary)) == {"qa.questions"}


def test_within_a_minute_of_an_erasure_nothing_of_the_asker_is_left(system: System, edges: Edges) -> None:
    canary = Canary()
    sent, receipt = ask(edges, **canary.letter)
    letters(edges, sent["email"], 1)
    assert asyncio.run(kept_of(system.mongo_uri, receipt["id"]))
    ok(edges.post("qa", f"/v1/questions/{receipt['id']}/erasure", {}, once(), "yen"))
    began = time.monotonic()
    eventually(
        "không còn gì của người hỏi",
        lambda: not asyncio.run(kept_of(system.mongo_uri, receipt["id"])),
        patience=60,
    )
    assert not asyncio.run(in_the_databases(system.mongo_uri, canary))
    print(f"\nErased everywhere {time.monotonic() - began:.1f} s after the request was answered.")
    for name in SERVICES:
        assert not canary.in_(system.log(name).read_text(errors="replace")), name
    assert asyncio.run(chained(system.mongo_uri))
    gone = edges.post(
        "qa", "/v1/tracking", {"code": receipt["tracking_code"], "email": sent["email"]}, once()
    )
    assert gone.status == 404
