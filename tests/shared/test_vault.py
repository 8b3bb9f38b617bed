"""One contract, two vaults: the one in memory and the one on MongoDB must be the same to a handler."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import encode

from shared.contracts.qa import QuestionWithdrawn
from shared.errors import NotFound, TooLarge, Unavailable
from shared.journal import MAX_CONTENT_BYTES, Commit, Head, Stored
from shared.keyring import Keyring, Unreadable
from shared.mongo import MongoJournal, connect
from shared.testing import MemoryVault
from shared.vault import MongoVault

SECRET = "a secret of at least 32 characters, for tests"
LETTER = {"name": "Nguyễn Thị Hoa", "text": "Tôi hỏi về lương hưu", "files": [["f-1", "đơn.pdf"]]}


@pytest.fixture(params=["memory", "mongo"])
def vault(request: pytest.FixtureRequest, database: Any) -> Any:
    return MemoryVault() if request.param == "memory" else kept_in(database)


def kept_in(database: Any) -> MongoVault:
    return MongoVault(database, Keyring(database, SECRET))


async def test_the_vault_keeps_the_first_text_under_a_ref_and_its_hash(vault: Any) -> None:
    first = await vault.put("ref-1", {"text": "Tôi muốn hỏi", "name": "Nguyễn Văn A"})
    assert await vault.put("ref-1", {"name": "Nguyễn Văn A", "text": "Tôi muốn hỏi"}) == first
    assert await vault.get("ref-1") == {"text": "Tôi muốn hỏi", "name": "Nguyễn Văn A"}


async def test_what_is_put_twice_under_one_ref_at_once_is_there_once(vault: Any) -> None:
    one, other = {"text": "Tôi muốn hỏi"}, {"text": "Tôi hỏi việc khác"}
    hashes = await asyncio.gather(*(vault.put("ref-1", text) for text in (one, one, other)))
    assert len(set(hashes)) == 1  # of what is kept, whoever asks
    assert await vault.get("ref-1") == one
    assert await vault.put("ref-1", other) == hashes[0]


async def test_of_many_puts_at_once_each_is_there(vault: Any) -> None:
    await vault.put("ref-7", {"n": 7})
    hashes = await asyncio.gather(*(vault.put(f"ref-{n}", {"n": n}) for n in range(200)))
    assert len(set(hashes)) == 200
    assert [await vault.get(f"ref-{n}") for n in (0, 7, 199)] == [{"n": 0}, {"n": 7}, {"n": 199}]


async def test_a_put_that_the_database_refuses_is_told_to_its_own_caller_alone(database: Any) -> None:
    await database.command({"collMod": "vault", "validator": {"content": {"$not": {"$regex": "xấu"}}}})
    vault = MongoVault(database)
    texts = [{"text": "tốt"}, {"text": "xấu"}, {"text": "cũng tốt"}]
    answers = await asyncio.gather(
        *(vault.put(f"ref-{n}", text) for n, text in enumerate(texts)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [str, Unavailable, str]


async def test_a_caller_who_goes_away_takes_nobody_elses_put_along(database: Any) -> None:
    vault = MongoVault(database)
    puts = [asyncio.create_task(vault.put(f"ref-{n}", {"n": n})) for n in range(3)]
    await asyncio.sleep(0)
    puts[1].cancel()
    answers = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, asyncio.CancelledError, str]
    assert await vault.get("ref-2") == {"n": 2}
    assert await vault.put("ref-1", {"n": 1})  # again, whether it was written or not


async def test_a_vault_that_does_not_answer_is_a_503_for_every_caller() -> None:
    database = connect("mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200", "nowhere")
    vault = MongoVault(database)
    answers = await asyncio.gather(*(vault.put(f"ref-{n}", {}) for n in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    database.client.close()


async def test_a_put_that_cannot_be_encoded_fails_alone(database: Any) -> None:
    vault = MongoVault(database)
    puts = [*[(f"ref-{n}", {"n": n}) for n in range(50)], ("ref-\ud800", {})]
    answers = await asyncio.gather(*(vault.put(*put) for put in puts), return_exceptions=True)
    assert {type(answer) for answer in answers[:50]} == {str}
    assert isinstance(answers[50], UnicodeEncodeError)
    assert await database.vault.count_documents({}) == 50


async def test_the_vault_takes_what_one_document_holds_and_refuses_more(vault: Any) -> None:
    words = "😀" * (MAX_CONTENT_BYTES // 4 - 10)
    await vault.put("ref-1", {"text": words})
    assert await vault.get("ref-1") == {"text": words}
    with pytest.raises(TooLarge, match="8192 KB"):
        await vault.put("ref-2", {"text": words + "😀" * 10})


async def test_what_belongs_to_somebody_is_read_back_whole_and_the_first_stays(vault: Any) -> None:
    first = await vault.put("ref-1", LETTER, owner="q-1", stream="question-q-1")
    assert await vault.put("ref-1", LETTER | {"name": "Ai khác"}, owner="q-1") == first
    assert await vault.get("ref-1") == LETTER
    again = await asyncio.gather(*(vault.put("ref-2", LETTER, owner="q-1") for _ in range(3)))
    assert set(again) == {first}  # one owner's same content has one hash


async def test_what_the_journal_keeps_of_it_is_no_plain_hash(vault: Any) -> None:
    """A score and two words are soon guessed: without the key, no guess can be tried."""
    words = {"words": "Được"}
    plain = await vault.put("ref-1", words)
    marks = [await vault.put(f"ref-{n}", words, owner=f"q-{n}") for n in (2, 3)]
    assert len({plain, *marks}) == 3
    assert [len(mark) for mark in marks] == [64, 64]


async def test_once_an_owner_is_erased_nothing_of_theirs_is_there_and_nothing_is_taken(vault: Any) -> None:
    for n in range(3):
        await vault.put(f"ref-{n}", LETTER, owner="q-1")
    await vault.put("ref-8", LETTER, owner="q-2")
    await vault.put("ref-9", {"text": "Ai cũng đọc được"})
    assert await vault.erase("q-1") == 3
    assert await vault.erase("q-1") == 0
    for n in range(3):
        with pytest.raises(NotFound):
            await vault.get(f"ref-{n}")
    with pytest.raises(NotFound):
        await vault.put("ref-5", LETTER, owner="q-1")
    assert await vault.get("ref-8") == LETTER
    assert await vault.get("ref-9") == {"text": "Ai cũng đọc được"}


async def test_no_word_lies_in_the_database_as_it_was_written(database: Any) -> None:
    await kept_in(database).put("ref-1", LETTER, owner="q-1", stream="question-q-1")
    row = await database.vault.find_one({"_id": "ref-1"})
    for word in ("Hoa", "lương", "đơn.pdf"):
        assert word.encode() not in encode(row)
    assert set(row["sealed"]) == set(LETTER)


async def test_a_field_opens_in_its_own_place_alone(database: Any) -> None:
    vault = kept_in(database)
    await vault.put("ref-1", LETTER, owner="q-1")
    await vault.put("ref-2", LETTER | {"name": "Trần Văn Nam"}, owner="q-1")
    one = await database.vault.find_one({"_id": "ref-1"})
    for place, sealed in (("ref-2", one["sealed"]["name"]), ("ref-1", one["sealed"]["text"])):
        await database.vault.update_one({"_id": place}, {"$set": {"sealed.name": sealed}})
        with pytest.raises(Unreadable):
            await vault.get(place)


async def test_a_restored_row_without_its_key_tells_nothing(database: Any) -> None:
    vault = kept_in(database)
    await vault.put("ref-1", LETTER, owner="q-1")
    backup = await database.vault.find_one({"_id": "ref-1"})
    await vault.erase("q-1")
    await database.vault.insert_one(backup)
    with pytest.raises(NotFound):
        await kept_in(database).get("ref-1")
    assert await vault.holding(["q-1", "q-2"]) == {"q-1"}  # and is found when one looks
    await vault.erase("q-1")
    assert await vault.holding(["q-1", "q-2"]) == set()


async def test_what_was_written_before_there_were_keys_is_still_read(database: Any) -> None:
    old = {"_id": "ref-1", "content": '{"name":"Nam"}', "hash": "h", "at": datetime.now(UTC)}
    await database.vault.insert_one(old)
    assert await kept_in(database).get("ref-1") == {"name": "Nam"}
    assert await kept_in(database).put("ref-1", LETTER, owner="q-1") == "h"


async def test_many_owners_at_once_share_their_trips(database: Any) -> None:
    vault = kept_in(database)
    before = await inserts(database)
    await asyncio.gather(*(vault.put(f"ref-{n}", LETTER, owner=f"q-{n}") for n in range(500)))
    assert await inserts(database) - before <= 4
    assert await asyncio.gather(*(vault.get(f"ref-{n}") for n in range(500))) == [LETTER] * 500


async def inserts(database: Any) -> int:
    """Insert commands that the server has taken."""
    status = await database.client.admin.command("serverStatus")
    return int(status["metrics"]["commands"]["insert"]["total"])


async def test_a_vault_without_a_keyring_keeps_nothing_that_belongs_to_anybody(database: Any) -> None:
    with pytest.raises(RuntimeError, match="keyring"):
        await MongoVault(database).put("ref-1", LETTER, owner="q-1")


async def commit(database: Any, stream: str, ref: str) -> None:
    withdrawn = QuestionWithdrawn(question_id=UUID(int=7), words_ref=ref)
    await MongoJournal(database).append(
        Commit(
            key=ref, stream=stream, version=0, events=(Stored.of(withdrawn),), at=datetime.now(UTC),
            by="u-ha", correlation="c-1", causation="",
        ).sealed(Head())
    )  # fmt: skip


async def test_what_no_commit_came_to_name_is_swept_and_the_rest_is_looked_at_once(database: Any) -> None:
    vault, journal = kept_in(database), MongoJournal(database)
    named, lost, public, young, article = (uuid4().hex for _ in range(5))
    await vault.put(named, LETTER, owner="q-1", stream="question-q-1")
    await commit(database, "question-q-1", named)
    await vault.put(lost, LETTER, owner="q-2", stream="question-q-2")
    await vault.put(public, {"text": "…"}, stream="question-q-1")
    await vault.put(article, {"text": "…"})  # no stream was told: it stays
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await vault.put(young, LETTER, owner="q-3", stream="question-q-3")
    await database.vault.update_one({"_id": young}, {"$set": {"at": tomorrow}})
    assert await vault.sweep(tomorrow, journal) == 3
    assert {row["_id"] async for row in database.vault.find()} == {named, article, young}
    assert await vault.sweep(tomorrow, journal) == 0
    assert await vault.get(named) == LETTER


async def test_what_is_put_again_while_it_is_swept_stays_for_its_commit(database: Any) -> None:
    vault, now = kept_in(database), datetime.now(UTC)

    class Meanwhile(MongoJournal):
        async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
            found = await super().read(stream, upto=upto)
            await vault.put("ref-1", LETTER, owner="q-1", stream=stream)
            return found

    await vault.put("ref-1", LETTER, owner="q-1", stream="question-q-1")
    await database.vault.update_one({}, {"$set": {"at": now - timedelta(days=2)}})
    assert await vault.sweep(now - timedelta(days=1), Meanwhile(database)) == 1
    assert await vault.get("ref-1") == LETTER


async def test_a_sweep_reads_what_is_old_by_an_index_and_nothing_else(database: Any) -> None:
    vault = kept_in(database)
    await asyncio.gather(*(vault.put(f"ref-{n}", LETTER, owner="q", stream="question-q") for n in range(50)))
    old = {"$set": {"at": datetime.now(UTC) - timedelta(days=2)}}
    await database.vault.update_many({"_id": {"$in": ["ref-1", "ref-2"]}}, old)
    due = {"loose": True, "at": {"$lt": datetime.now(UTC) - timedelta(days=1)}}
    plan = await database.vault.find(due).sort("at", 1).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 2
    assert plan["executionStats"]["totalKeysExamined"] <= 3


async def test_replicas_that_begin_an_owner_at_once_keep_what_each_was_told(database: Any) -> None:
    """Each seals before it knows whose key is heard; what the others sealed in vain is sealed anew."""
    vaults = [kept_in(database) for _ in range(4)]
    same = [vault.put("same", LETTER, owner="q-1", stream="question-q-1") for vault in vaults]
    own = [vault.put(f"ref-{n}", LETTER, owner="q-1") for n, vault in enumerate(vaults)]
    told = await asyncio.gather(*same, *own)
    assert len(set(told)) == 1
    for vault in (*vaults, kept_in(database)):
        for ref in ("same", "ref-0", "ref-1", "ref-2", "ref-3"):
            assert await vault.get(ref) == LETTER
    kept = {row["hash"] async for row in database.vault.find()}
    assert kept == set(told)


async def test_of_different_words_under_one_ref_all_are_told_of_the_same(database: Any) -> None:
    vaults = [kept_in(database) for _ in range(4)]
    texts = [{"text": f"Bản {n}"} for n in range(4)]
    puts = (vault.put("ref-1", text, owner="q-1") for vault, text in zip(vaults, texts, strict=True))
    told = set(await asyncio.gather(*puts))
    row = await database.vault.find_one()
    assert told == {row["hash"]}
    assert await vaults[0].get("ref-1") in texts


async def test_another_process_seals_with_the_key_that_there_is(database: Any) -> None:
    await kept_in(database).put("ref-1", LETTER, owner="q-1")
    mark = await kept_in(database).put("ref-2", {"words": "Đã nhận"}, owner="q-1")
    assert await kept_in(database).put("ref-2", {"words": "Đã nhận"}, owner="q-1") == mark
    assert await kept_in(database).get("ref-2") == {"words": "Đã nhận"}


async def test_what_comes_for_an_erased_owner_leaves_nothing(database: Any) -> None:
    await kept_in(database).erase("q-1")
    with pytest.raises(NotFound):
        await kept_in(database).put("ref-1", LETTER, owner="q-1")
    assert await database.vault.count_documents({}) == 0


async def test_what_a_dead_process_had_begun_is_begun_again(database: Any) -> None:
    """It died between the row and the key: the key it had sealed with was never on record."""
    lost = Keyring(database, SECRET).begin("q-1").key
    mark = lost.mark(b"what it was")
    sealed = {name: lost.seal(b"x") for name in LETTER}
    row = {"_id": "ref-1", "owner": "q-1", "sealed": sealed, "hash": mark, "at": datetime.now(UTC)}
    await database.vault.insert_one(row)
    again = await kept_in(database).put("ref-1", LETTER, owner="q-1")
    assert again != mark
    assert await kept_in(database).get("ref-1") == LETTER
    assert await kept_in(database).put("ref-1", LETTER, owner="q-1") == again
