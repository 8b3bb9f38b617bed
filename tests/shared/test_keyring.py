"""A key for each owner: made once, wrapped, and gone for good when it is destroyed."""

import asyncio
from typing import Any

import pytest
from bson import encode

from shared.errors import NotFound, Unavailable
from shared.keyring import REMEMBERED_FOR, Keyring, Unreadable
from shared.mongo import connect

SECRET = "a secret of at least 32 characters, for tests"
WORDS = "Tôi hỏi về lương hưu".encode()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_is_sealed_for_an_owner_opens_for_that_owner_alone(database: Any) -> None:
    ring = Keyring(database, SECRET)
    sealed = await ring.seal("q-1", WORDS)
    assert WORDS not in sealed
    assert await ring.open("q-1", sealed) == WORDS
    await ring.seal("q-2", WORDS)
    with pytest.raises(Unreadable):
        await ring.open("q-2", sealed)
    with pytest.raises(Unreadable):
        await ring.open("q-1", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(Unreadable):
        await ring.open("q-1", b"")


async def test_sealing_twice_never_gives_the_same_bytes(database: Any) -> None:
    ring = Keyring(database, SECRET)
    assert await ring.seal("q-1", WORDS) != await ring.seal("q-1", WORDS)


async def test_of_two_replicas_that_make_a_key_at_once_the_first_is_heard(database: Any) -> None:
    rings = [Keyring(database, SECRET) for _ in range(4)]
    sealed = await asyncio.gather(*(ring.seal("q-1", WORDS) for ring in rings))
    reader = Keyring(database, SECRET)
    assert [await reader.open("q-1", each) for each in sealed] == [WORDS] * 4
    assert len(set(await asyncio.gather(*(ring.mark("q-1", WORDS) for ring in rings)))) == 1


async def test_many_owners_at_once_share_their_trips(database: Any) -> None:
    ring = Keyring(database, SECRET)
    before = await inserts(database)
    await asyncio.gather(*(ring.seal(f"q-{n}", WORDS) for n in range(500)))
    assert await inserts(database) - before <= 2
    assert await database["keys"].count_documents({}) == 500


async def inserts(database: Any) -> int:
    """Insert commands that the server has taken."""
    status = await database.client.admin.command("serverStatus")
    return int(status["metrics"]["commands"]["insert"]["total"])


async def test_a_destroyed_key_opens_nothing_and_is_never_made_again(database: Any) -> None:
    ring = Keyring(database, SECRET)
    sealed = await ring.seal("q-1", WORDS)
    assert await ring.living(["q-1", "q-2"]) == {"q-1"}
    await ring.destroy("q-1")
    await ring.destroy("q-1")
    await ring.destroy("q-2")  # which had none yet
    for owner in ("q-1", "q-2"):
        with pytest.raises(NotFound):
            await ring.open(owner, sealed)
        with pytest.raises(NotFound):
            await ring.seal(owner, WORDS)
    assert await ring.living(["q-1", "q-2"]) == set()


async def test_another_process_forgets_a_destroyed_key_within_twenty_seconds(database: Any) -> None:
    clock = Clock()
    ring, other = Keyring(database, SECRET), Keyring(database, SECRET, clock=clock)
    sealed = await ring.seal("q-1", WORDS)
    assert await other.open("q-1", sealed) == WORDS
    clock.now = REMEMBERED_FOR / 2
    assert await other.open("q-1", sealed) == WORDS  # using it does not keep it
    await ring.destroy("q-1")
    clock.now = REMEMBERED_FOR
    with pytest.raises(NotFound):
        await other.open("q-1", sealed)
    assert REMEMBERED_FOR <= 20


async def test_what_is_remembered_has_an_end(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.keyring.REMEMBERED", 10)
    ring = Keyring(database, SECRET)
    await asyncio.gather(*(ring.seal(f"q-{n}", WORDS) for n in range(100)))
    assert len(ring._known) <= 10


async def test_another_secret_opens_nothing_and_says_so_at_the_start(database: Any) -> None:
    ring, stranger = Keyring(database, SECRET), Keyring(database, SECRET + "!")
    await ring.prove()
    sealed = await ring.seal("q-1", WORDS)
    with pytest.raises(Unreadable, match="PORTAL_SECRET_KEY"):  # not NotFound: nothing was erased
        await stranger.open("q-1", sealed)
    with pytest.raises(Unreadable):
        await stranger.prove()
    await Keyring(database, SECRET).prove()
    await Keyring(database, "").prove()  # a service that keeps nothing of anybody's


async def test_neither_the_secret_nor_a_key_lies_in_the_database(database: Any) -> None:
    await Keyring(database, SECRET).seal("q-1", WORDS)
    row = await database["keys"].find_one({"_id": "q-1"})
    copied = dict(row, _id="q-2")
    await database["keys"].insert_one(copied)
    with pytest.raises(Unreadable):  # a wrapped key is good for its owner alone
        await Keyring(database, SECRET).mark("q-2", WORDS)
    assert SECRET.encode() not in encode(row)


async def test_a_mark_is_the_same_for_the_same_content_of_one_owner_and_no_other(database: Any) -> None:
    ring = Keyring(database, SECRET)
    first = await ring.mark("q-1", WORDS)
    assert first == await Keyring(database, SECRET).mark("q-1", WORDS)
    assert first != await ring.mark("q-1", WORDS + b"?")
    assert first != await ring.mark("q-2", WORDS)
    assert len(first) == 64


async def test_a_database_that_does_not_answer_is_a_503() -> None:
    database = connect("mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200", "nowhere")
    ring = Keyring(database, SECRET)
    work = (ring.seal("q-1", b""), ring.open("q-1", b""), ring.destroy("q-1"))
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    database.client.close()
