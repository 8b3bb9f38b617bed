"""What is buried is seen without personal data, replayed in order and once, edited or discarded on record."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts.qa import QuestionClosed
from shared.errors import Unavailable
from shared.messaging.dead_letters import Filter, State, id_of
from shared.messaging.masking import mask, mask_body, reason_of
from shared.messaging.relay import producer_for
from shared.messaging.runs import AskReplay, Doing, Runs, shown
from shared.mongo import Lease
from shared.workflow import Actor
from tests.shared.small_service import SmallService, record

POISON = RuntimeError("không xử lý được")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service sets the process's logs up; here the process is pytest's."""
    monkeypatch.setattr("shared.logging.set_up", lambda *_, **__: None)


@pytest.fixture
async def small(mongo_uri: str, database: Any) -> AsyncIterator[SmallService]:
    small = SmallService(mongo_uri, database.name)
    await small.graves.prepare()
    await Runs(small.service.database).prepare()
    yield small
    small.service.database.client.close()


@contextlib.asynccontextmanager
async def working(small: SmallService) -> AsyncIterator[None]:
    """The service's worker, as far as replays go."""

    async def work() -> None:
        while True:
            with contextlib.suppress(Unavailable):
                await small.service.replayer.work()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def bury(small: SmallService, question: UUID, count: int = 3, error: Exception = POISON) -> list[str]:
    """One poison and what waits behind it; their ids."""
    small.broken[question] = error
    records = [record(question, version) for version in range(1, count + 1)]
    await small.inbox.handle(records)
    del small.broken[question]
    return [id_of(each) for each in records]


async def run(small: SmallService, ask: AskReplay) -> dict[str, Any]:
    runs = Runs(small.service.database)
    wanted = await runs.ask(ask, once=uuid4().hex, by="u-truc", correlation="c-87654321", fingerprint="f")
    await small.service.replayer.work()
    return await runs.get(wanted["_id"])


async def states(small: SmallService, ids: list[str]) -> list[str]:
    return [(await small.graves.get(id))["state"] for id in ids]


# --- burial -------------------------------------------------------------------------------------------------


async def test_buried_twice_is_once_with_its_first_and_last_time(small: SmallService) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    first = await small.graves.get(id)
    await bury(small, question, 1)
    again = await small.graves.get(id)
    assert again["times"] == 2
    assert again["first_seen"] == first["first_seen"] < again["last_seen"]
    assert await small.graves.count({}) == 1


async def test_what_the_relay_publishes_twice_is_one_dead_letter(small: SmallService) -> None:
    question = uuid4()
    small.broken[question] = POISON
    await small.inbox.handle([record(question, 1, offset=5), record(question, 1, offset=9)])
    assert await small.graves.count({}) == 1


async def test_a_settled_one_that_comes_again_holds_up_nothing(small: SmallService) -> None:
    question = uuid4()
    bad = record(question, 1, value=b"not json")
    await small.inbox.handle([bad])
    await small.graves.mark(id_of(bad), State.DISCARDED, "u-truc")
    await small.inbox.handle([bad, record(question, 2)])
    assert await small.heard(question) == ("a2",)


async def test_a_replay_that_hangs_is_cut_short(small: SmallService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.messaging.replay.PATIENCE", 0.05)
    (id,) = await bury(small, uuid4(), 1)
    monkeypatch.setattr(small.inbox, "handle_one", lambda *_, **__: asyncio.sleep(60))
    done = await run(small, AskReplay("thử lại", (id,)))
    assert (done["state"], done["failed"]) == (Doing.FINISHED, 1)
    assert (await small.graves.get(id))["error"] == "TimeoutError"


async def test_without_a_key_there_is_no_order_and_nothing_waits(small: SmallService) -> None:
    from dataclasses import replace

    question = uuid4()
    keyless = [replace(record(question, v), key=b"") for v in (1, 2)]
    await small.inbox.handle([replace(keyless[0], value=b"not json"), keyless[1]])
    assert await small.heard(question) == ("a2",)


async def test_while_nothing_is_buried_the_database_is_not_asked(small: SmallService) -> None:
    assert await small.graves.blocked(["question-1"]) == set()
    question = uuid4()
    other = SmallService(str(small.service.settings.mongo_uri), small.service.database.name, "r2")
    await bury(other, question, 1)
    other.service.database.client.close()
    assert await small.graves.blocked([f"question-{question}"]) == set()  # believed for a second
    small.graves.look_again()
    assert await small.graves.blocked([f"question-{question}"]) == {f"question-{question}"}


# --- replay -------------------------------------------------------------------------------------------------


async def test_a_replay_takes_what_waited_behind_it_in_order(small: SmallService) -> None:
    question = uuid4()
    ids = await bury(small, question, 4)
    assert await small.heard(question) == ()
    done = await run(small, AskReplay("đã sửa", ids=(ids[0],)))
    assert (done["state"], done["replayed"], done["released"]) == (Doing.FINISHED, 1, 3)
    assert await small.heard(question) == ("a1", "a2", "a3", "a4")
    assert await states(small, ids) == [State.REPLAYED] * 4
    assert await small.acts(ids[0]) == ["replayed by u-truc"]
    await small.inbox.handle([record(question, 5)])
    assert (await small.heard(question))[-1] == "a5"


async def test_one_that_waits_is_not_replayed_before_the_one_it_waits_for(small: SmallService) -> None:
    question = uuid4()
    ids = await bury(small, question)
    done = await run(small, AskReplay("vội", ids=(ids[2],)))
    assert (done["replayed"], done["waiting"]) == (0, 1)
    assert done["outcomes"][0]["behind"] == ids[0]
    assert await small.heard(question) == ()


async def test_a_group_is_replayed_over_many_keys_each_in_order(small: SmallService) -> None:
    questions = [uuid4() for _ in range(8)]
    for question in questions:
        await bury(small, question)
    other = uuid4()
    await bury(small, other, 1, KeyError("lỗi khác"))
    done = await run(small, AskReplay("nhóm", filter=Filter(error="RuntimeError"), rate=1000))
    assert (done["total"], done["replayed"], done["released"]) == (8, 8, 16)
    assert {await small.heard(q) for q in questions} == {("a1", "a2", "a3")}
    assert await small.heard(other) == ()


async def test_what_still_fails_stays_with_its_new_reason_and_keeps_its_key(small: SmallService) -> None:
    question = uuid4()
    ids = await bury(small, question)
    small.broken[question] = KeyError("vẫn hỏng")
    done = await run(small, AskReplay("thử", ids=(ids[0],)))
    assert (done["failed"], done["released"]) == (1, 0)
    assert "vẫn còn" in done["warning"]
    assert (await small.graves.get(ids[0]))["error"] == "KeyError"
    assert await small.acts(ids[0]) == ["replay_failed by u-truc"]
    assert await states(small, ids) == [State.BURIED] * 3


async def test_replaying_twice_has_one_effect(small: SmallService) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    await run(small, AskReplay("một", ids=(id,)))
    again = await run(small, AskReplay("hai", ids=(id,)))
    assert again["total"] == 0
    assert await small.heard(question) == ("a1",)
    assert await small.acts(id) == ["replayed by u-truc"]


async def test_a_crash_between_the_effect_and_its_record_is_made_good(small: SmallService) -> None:
    question = uuid4()
    ids = await bury(small, question, 2)
    await small.inbox.handle_one(record(question, 1))  # the effect is there; its record is not
    await run(small, AskReplay("lại", ids=(ids[0],)))
    assert await small.heard(question) == ("a1", "a2")
    await small.graves.mark(ids[0], State.BURIED, "x")  # the record is there; the mark is not
    await run(small, AskReplay("lại", ids=(ids[0],)))
    assert await states(small, ids) == [State.REPLAYED] * 2
    assert await small.acts(ids[0]) == ["replayed by u-truc"]


async def test_a_run_that_broke_off_goes_on_in_another_process(small: SmallService, mongo_uri: str) -> None:
    questions = sorted((uuid4() for _ in range(6)), key=str)
    for number, question in enumerate(questions):
        small.broken[question] = POISON
        await small.inbox.handle([record(question, 1, offset=number)])
    small.broken.clear()
    small.broken[questions[3]] = Unavailable("cơ sở dữ liệu đang nghỉ")
    with pytest.raises(Unavailable):
        await run(small, AskReplay("dở", rate=1000))
    second = SmallService(mongo_uri, small.service.database.name, "r2")
    (half,) = await small.service.database.replays.find().to_list(2)
    assert (half["state"], half["replayed"]) == (Doing.RUNNING, 3)
    assert "chưa trả lời" in half["warning"]
    await second.service.replayer.work()
    whole = await Runs(small.service.database).get(half["_id"])
    assert (whole["state"], whole["replayed"], whole["warning"]) == (Doing.FINISHED, 6, "")
    second.service.database.client.close()


async def test_a_run_stops_when_the_cause_is_still_there(small: SmallService) -> None:
    for number in range(30):
        question = uuid4()
        small.broken[question] = POISON
        await small.inbox.handle([record(question, 1, offset=number)])
    done = await run(small, AskReplay("vội", rate=1000))
    assert (done["state"], done["failed"]) == (Doing.HALTED, 20)


async def test_what_was_buried_behind_something_just_settled_is_released_by_itself(
    small: SmallService,
) -> None:
    question = uuid4()
    ids = await bury(small, question, 3)
    await small.graves.mark(
        ids[0], State.DISCARDED, "u-truc"
    )  # as if settled while 2 and 3 were on their way
    await small.service.replayer.work()
    assert await small.heard(question) == ("a2", "a3")
    assert await small.acts(ids[1]) == ["replayed by system"]


async def test_one_replayer_at_a_time(small: SmallService) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    from datetime import timedelta

    other = Lease(small.service.database, "replays", "someone", ttl=timedelta(seconds=30))
    assert await other.acquire()
    assert (await run(small, AskReplay("chờ", ids=(id,))))["state"] == Doing.WAITING
    await other.release()
    await small.service.replayer.work()
    assert await small.heard(question) == ("a1",)


async def test_the_rate_is_kept(small: SmallService) -> None:
    for number in range(6):
        question = uuid4()
        small.broken[question] = POISON
        await small.inbox.handle([record(question, 1, offset=number)])
    small.broken.clear()
    began = asyncio.get_running_loop().time()
    done = await run(small, AskReplay("từ từ", rate=10))
    assert done["replayed"] == 6
    assert asyncio.get_running_loop().time() - began >= 0.6


# --- dry run ------------------------------------------------------------------------------------------------


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(small: SmallService) -> None:
    good, bad = uuid4(), uuid4()
    ids = await bury(small, good, 3)
    await bury(small, bad, 1)
    small.broken[bad] = POISON
    before = await small.service.database.journal.count_documents({})
    done = await run(small, AskReplay("thử trước", dry_run=True))
    outcomes = {row["id"]: row for row in done["outcomes"]}
    assert [outcomes[id]["outcome"] for id in ids] == ["replayed"] * 3
    assert outcomes[ids[1]]["events"] == ["qa.question.answer_released"]
    assert (done["replayed"], done["failed"]) == (3, 1)
    assert "vẫn còn" in done["warning"]
    assert await small.service.database.journal.count_documents({}) == before
    assert await states(small, ids) == [State.BURIED] * 3
    assert await small.heard(good) == ()


async def test_a_dry_run_says_what_would_have_to_wait(small: SmallService) -> None:
    ids = await bury(small, uuid4(), 3)
    done = await run(small, AskReplay("thử", ids=(ids[1],), dry_run=True))
    assert [(row["outcome"], row["behind"]) for row in done["outcomes"]] == [("waiting", ids[0])]


# --- what is shown ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("thư về nguyen.van.a@example.vn nhé", "nguyen.van.a@example.vn"),
        ("gọi 0912 345 678", "0912 345 678"),
        ("gọi +84.912.345.678 sau giờ", "912.345.678"),
        ("gọi (024) 3936 1234", "3936 1234"),
        ("CCCD 001099012345", "001099012345"),
        ("số BHXH 0123456789.", "0123456789"),
        ("mã 123456789", "123456789"),
    ],
)
def test_nobody_s_address_or_number_is_shown(text: str, hidden: str) -> None:
    assert hidden not in mask(text)
    assert hidden not in str(mask_body(text.encode()))
    assert hidden not in str(mask({"a": [{"b": text}], text: 1}))
    assert hidden not in reason_of(ValueError(text))


@pytest.mark.parametrize(
    "text",
    [
        "question-3f2504e0-4f89-41d3-9a0c-0305e82c3301", "question-12345678-1234-1234-1234-123456789012",
        "2026-11-23T09:00:00.123Z", "2026-11-23 09:00:00+07:00", "out_of_scope", "HD-2026-11-7K3QZ4M",
    ],
)  # fmt: skip
def test_ids_dates_and_codes_stay_readable(text: str) -> None:
    assert mask(text) == text


def test_words_are_cut_and_numbers_hidden_wherever_they_stand() -> None:
    masked = mask({"words": "Tôi muốn hỏi " * 20, "number": 123456789012, "count": 7, "phone": "12"})
    assert len(masked["words"]) < 70
    assert (masked["number"], masked["count"], masked["phone"]) == ("•••", 7, "•••")


async def test_the_reason_of_a_burial_quotes_nothing(small: SmallService) -> None:
    question = uuid4()
    body = b'{"question_id": "Nguyen Van A, 12 Trang Thi", "answer_ref": "a"}'
    letter = record(question, 1, value=body)
    await small.inbox.handle([letter])
    grave = await small.graves.get(id_of(letter))
    assert grave["reason"] == "question_id: uuid_parsing"
    assert bytes(grave["value"]) == body


# --- over HTTP ----------------------------------------------------------------------------------------------


async def test_lists_groups_and_one_by_one(small: SmallService) -> None:
    ids = await bury(small, uuid4(), 3)
    await bury(small, uuid4(), 1, KeyError("khác"))
    async with small.client() as http:
        groups = (await http.get("/v1/dead-letters/groups")).json()["items"]
        assert {(g["error"], g["count"]) for g in groups} == {
            ("RuntimeError", 1),
            ("Blocked", 2),
            ("KeyError", 1),
        }
        first = (await http.get("/v1/dead-letters?limit=3")).json()
        rest = (await http.get("/v1/dead-letters", params={"cursor": first["next"]})).json()
        assert [row["id"] for row in first["items"]] == ids
        assert [row["error"] for row in rest["items"]] == ["KeyError"]
        assert rest["next"] is None
        only = (await http.get("/v1/dead-letters?error=Blocked&state=buried")).json()["items"]
        assert [row["id"] for row in only] == ids[1:]
        one = (await http.get(f"/v1/dead-letters/{ids[0]}")).json()
        assert one["body"]["answer_ref"] == "a1"
        assert ["ce_type", "qa.question.answer_released"] in one["headers"]
        assert (await http.get("/v1/dead-letters/none")).json()["code"] == "not_found"
        assert (await http.get("/v1/dead-letters?cursor=zzz")).json()["code"] == "invalid_input"


async def test_only_an_operator_may_look_or_act(small: SmallService) -> None:
    ids = await bury(small, uuid4(), 1)
    async with small.client(Actor("u-ha", "Hà", roles=frozenset({"triage"}))) as http:
        for path in ("", "/groups", f"/{ids[0]}", "/replays/x"):
            assert (await http.get(f"/v1/dead-letters{path}")).json()["code"] == "forbidden"
        reply = await http.post(f"/v1/dead-letters/{ids[0]}/discard", json={"reason": "x"})
        assert reply.status_code == 403
    assert await states(small, ids) == [State.BURIED]


async def test_a_replay_is_dry_unless_meant_and_a_second_one_is_refused(small: SmallService) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    ask = {"ids": [id], "reason": "đã sửa danh mục"}
    async with working(small), small.client() as http:
        dry = await http.post("/v1/dead-letters/replay", json=ask, headers={"Idempotency-Key": "key-dry-1"})
        assert (dry.json()["state"], await small.heard(question)) == ("finished", ())
        key = {"Idempotency-Key": "key-real-1"}
        real = await http.post("/v1/dead-letters/replay", json={**ask, "dry_run": False}, headers=key)
        assert (real.status_code, real.json()["replayed"]) == (200, 1)
        same = await http.post("/v1/dead-letters/replay", json={**ask, "dry_run": False}, headers=key)
        assert same.json() == real.json()
        other = await http.post(
            "/v1/dead-letters/replay", json={**ask, "dry_run": False, "reason": "x"}, headers=key
        )
        assert other.json()["code"] == "idempotency_key_reused"
        twice = await http.post(
            "/v1/dead-letters/replay",
            json={**ask, "dry_run": False},
            headers={"Idempotency-Key": "key-real-2"},
        )
        assert (twice.status_code, twice.json()["code"]) == (409, "dead_letter_settled")
    assert await small.heard(question) == ("a1",)


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "không chọn gì"},
        {"reason": "cả hai", "ids": ["a"], "filter": {}},
        {"ids": ["a"]},
        {"reason": "nhanh quá", "filter": {}, "rate": 5000},
        {"reason": "đứng im", "filter": {}, "rate": 0},
    ],
)
async def test_a_request_that_says_too_little_or_too_much_is_refused(
    small: SmallService, body: dict[str, Any]
) -> None:
    async with small.client() as http:
        assert (await http.post("/v1/dead-letters/replay", json=body)).json()["code"] == "invalid_input"


async def test_an_edit_is_replayed_and_the_original_stays_as_it_came(small: SmallService) -> None:
    question = uuid4()
    broken = record(question, 1, value=b'{"question_id": "khong-phai-ma", "answer_ref": "a1"}')
    await small.inbox.handle([broken, record(question, 2)])
    id = id_of(broken)
    path = f"/v1/dead-letters/{id}/edit-replay"
    async with working(small), small.client() as http:
        worse = await http.post(path, json={"reason": "sửa hụt", "patch": {"question_id": "van-sai"}},
                                headers={"Idempotency-Key": "key-edit-0"})  # fmt: skip
        assert (worse.status_code, worse.json()["errors"]) == (422, [{"field": "patch"}])
        assert await small.acts(id) == []
        body = {"reason": "đơn vị ghi sai mã", "patch": {"question_id": str(question)}}
        done = await http.post(path, json=body)
        again = await http.post(path, json=body)
        shown_ = (await http.get(f"/v1/dead-letters/{id}")).json()
    assert (done.json()["replayed"], done.json()["released"]) == (1, 1)
    assert again.json() == done.json()
    assert await small.heard(question) == ("a1", "a2")
    assert shown_["body"]["question_id"] == "khong-phai-ma"
    assert shown_["edits"][0]["body"]["question_id"] == str(question)
    assert (await small.graves.get(id))["value"] == broken.value
    assert await small.acts(id) == ["edited by u-truc", "replayed by u-truc"]


async def test_a_discard_needs_a_reason_frees_its_key_and_is_final(small: SmallService) -> None:
    question = uuid4()
    ids = await bury(small, question, 3)
    async with working(small), small.client() as http:
        path = f"/v1/dead-letters/{ids[0]}/discard"
        assert (await http.post(path, json={"reason": " "})).status_code == 422
        done = await http.post(path, json={"reason": "bản tin thử"})
        assert (done.status_code, done.json()["state"]) == (200, "discarded")
        assert await small.heard(question) == ("a2", "a3")
        assert (await http.post(path, json={"reason": "bản tin thử"})).status_code == 200
        again = await http.post(path, json={"reason": "nữa"}, headers={"Idempotency-Key": "key-again"})
        assert again.json()["code"] == "dead_letter_settled"
    assert await small.acts(ids[0]) == ["discarded by u-truc"]


async def test_without_a_worker_the_request_is_kept_and_told_so(
    small: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.graves_api.PATIENCE", 0.1)
    question = uuid4()
    (id,) = await bury(small, question, 1)
    async with small.client() as http:
        reply = await http.post(
            "/v1/dead-letters/replay", json={"ids": [id], "dry_run": False, "reason": "chờ"}
        )
        assert (reply.status_code, reply.json()["state"]) == (202, "waiting")
        await small.service.replayer.work()
        assert (await http.get(reply.headers["location"])).json()["state"] == "finished"
    assert await small.heard(question) == ("a1",)


async def test_an_event_too_new_for_this_build_is_replayed_after_the_upgrade_in_order(
    small: SmallService,
) -> None:
    question = uuid4()
    from dataclasses import replace

    letter = record(question, 1)
    too_new = replace(
        letter, headers=tuple((n, b"9" if n == "ce_eventversion" else v) for n, v in letter.headers)
    )
    await small.inbox.handle(
        [too_new, record(question, 2), record(question, 3, QuestionClosed(question_id=question))]
    )
    assert (await small.graves.get(id_of(too_new)))["error"] == "UnknownEvent"
    from shared.contracts import base
    from shared.contracts.qa import AnswerReleased

    base.REGISTRY[AnswerReleased.name, 9] = AnswerReleased  # the upgrade
    try:
        done = await run(small, AskReplay("đã nâng cấp", filter=Filter(error="UnknownEvent")))
    finally:
        del base.REGISTRY[AnswerReleased.name, 9]
    assert shown(done)["replayed"] == 1
    assert await small.heard(question) == ("a1", "a2", "closed")


async def test_the_whole_way_on_real_parts(mongo_uri: str, kafka: str, database: Any) -> None:
    """Broker → inbox → burial → an operator's replay by the running service → the effect, once."""
    small, question = SmallService(mongo_uri, database.name, kafka=kafka), uuid4()
    small.broken[question] = POISON
    producer = producer_for(kafka, "qa")
    await producer.start()
    try:
        async with small.service.app().router.lifespan_context(small.service.app()):
            for version in (1, 2, 3):
                one = record(question, version)
                await producer.send_and_wait(one.topic, one.value, key=one.key, headers=list(one.headers))
            async with asyncio.timeout(40):
                while await small.graves.count({"key": f"question-{question}"}) < 3:
                    await asyncio.sleep(0.1)
            small.broken.clear()
            async with small.client() as http:
                ask = {"filter": {"key": f"question-{question}"}, "dry_run": False, "reason": "đã sửa"}
                done = (await http.post("/v1/dead-letters/replay", json=ask)).json()
            assert (done["state"], done["replayed"], done["released"]) == ("finished", 1, 2)
            assert await small.heard(question) == ("a1", "a2", "a3")
    finally:
        await producer.stop()
