"""A store of as many questions as wanted: rows as the projection writes them, most of them long over, some
thousands open, and published answers; put in place in bulk, their indexes afterwards."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import yaml
from pymongo import MongoClient

from bench.questions.letters import PLACES, Drawn, letter
from services.qa.domain.codes import Codes, number_letters, number_of
from services.qa.domain.terms import terms_of
from services.qa.domain.words import fold
from services.qa.queries.indexes import prepare
from services.qa.queries.read_models import ANSWERS, QUESTIONS, arrival
from services.qa.regulation import Duty, Status
from shared.calendar import VIETNAM
from shared.errors import Unavailable
from shared.mongo import connect

SECRET: Final = "0123456789abcdef0123456789abcdef"  # noqa: S105 (of a store that lives for minutes)
AT_ONCE: Final = 2000
HANDS: Final = 2
YEARS: Final = 6  # over which what is done was asked
# Of a thousand questions; the others are done.
OPEN: Final = {
    Status.RECEIVED: 8, Status.RETURNED: 1, Status.SET_ASIDE: 1, Status.FORWARDED: 20, Status.ANSWERED: 10,
    Status.REFUSED: 5, Status.SPLIT: 1,
}  # fmt: skip
DUTIES: Final = {
    Status.RECEIVED: Duty.TRIAGE, Status.RETURNED: Duty.TRIAGE, Status.SET_ASIDE: Duty.TRIAGE,
    Status.FORWARDED: Duty.UNIT_REPLY, Status.ANSWERED: Duty.SEND_ANSWER,
    Status.REFUSED: Duty.SAME_DAY_NOTICE,
}  # fmt: skip

SORTED: Final = (Status.FORWARDED, Status.ANSWERED, Status.RETURNED)

Row = dict[str, Any]
Say = Callable[[str], None]


def unit_of(place: str) -> str:
    return "bhxh-" + fold(place).replace(" ", "-")


def directory(file: Path) -> Path:
    """The 34 provincial offices, a clerk of the centre and an answerer of Hà Nội."""
    offices = [
        {"id": unit_of(place), "name": f"Bảo hiểm xã hội tỉnh {place}", "kind": "province", "email": "a@b.vn"}
        for place in PLACES
    ]
    centre = {
        "id": "tt-cskh",
        "name": "Trung tâm chăm sóc khách hàng",
        "kind": "department",
        "email": "c@b.vn",
    }
    staff = [
        {"id": f"u-{name}", "username": name, "name": name, "unit": unit, "title": "", "roles": {"qa": roles}}
        for name, unit, roles in (
            ("ha", "tt-cskh", ["triage", "publisher"]), ("tuan", unit_of("Hà Nội"), ["answerer"]),
        )
    ]  # fmt: skip
    file.write_text(yaml.safe_dump({"units": [centre, *offices], "staff": staff, "sources": []}), "utf-8")
    return file


class Marks:
    """The mark of each word, made once."""

    def __init__(self, codes: Codes) -> None:
        self._codes, self._known = codes, dict[str, int]()

    def of(self, words: list[str]) -> list[int]:
        if new := [word for word in words if word not in self._known]:
            self._known.update(zip(new, self._codes.words(new), strict=True))
        return [self._known[word] for word in words]


def rows(numbers: range, of: int, now: datetime) -> Iterator[Row]:
    """As `qa.question.received` and what came after it would show them."""
    codes = Codes(SECRET)
    marks = Marks(codes)
    for number in numbers:
        draw, drawn = random.Random(-1 - number), letter(number)
        id = UUID(int=draw.getrandbits(128), version=4)
        status = draw.choices([*OPEN, Status.CLOSED], [*OPEN.values(), 1000 - sum(OPEN.values())])[0]
        done = status is Status.CLOSED
        span = timedelta(days=365 * YEARS * (1 - number / of)) if done else timedelta(days=7 * draw.random())
        came = now - span - timedelta(minutes=number % 600)
        known = {
            "_id": str(id), "number": number_of(id, came.date()), "received_at": came,
            "counted_from": came.date().isoformat(), "subject": drawn.subject, "asker": "Nguyễn T. H.",
            "province": drawn.place, "terms": marks.of([number_letters(id).lower(), *drawn.terms]),
            "asker_mark": codes.asker(f"nguoi-hoi-{number // 3}@hopthu.example.vn"),
            "arrival": arrival(came, id), "code_mark": f"{draw.getrandbits(256):064x}",
            "letter_ref": f"{draw.getrandbits(128):032x}", "month": f"{came:%Y-%m}",
            "sorted_on": came.date().isoformat(), "version": 4, "sequence": 4000, "changed_at": came,
            "channel": "portal", "part_of": None, "files": 0, "rounds": 0, "correction": 0, "assignee": "",
            "erased": False,
        }  # fmt: skip
        yield known | _state(status, drawn, draw, now) | (_ended(came) if done else {})


def _state(status: Status, drawn: Drawn, draw: random.Random, now: datetime) -> Row:
    done, place = status is Status.CLOSED, unit_of(drawn.place)
    forwarded = status in SORTED or (done and draw.random() < 0.85)
    unit = place if forwarded else ""
    due = _midnight(now + timedelta(days=draw.randrange(-1, 8))) if status in DUTIES else None
    state: Row = {
        "status": status.value, "unit": unit, "reader": unit, "field": drawn.field if forwarded else "",
        "holder": unit if status is Status.FORWARDED else "", "consulted": [],
        "entered_by": place if draw.random() < 0.02 else "", "released": done, "decided": done, "sent": done,
        "due_at": due, "warn_at": due - timedelta(days=1) if due else None, "reply_due_at": due,
        "duty": DUTIES.get(status, ""),
    }  # fmt: skip
    if forwarded and draw.random() < 0.03:
        state |= {"complex": True, "consulted": [unit_of(each) for each in draw.sample(PLACES, 2)]}
    return state


def _ended(came: datetime) -> Row:
    days = timedelta(days=1)
    return {"outcome": "answered", "answered_at": came + 5 * days, "closed_at": came + 6 * days}


def _midnight(at: datetime) -> datetime:
    return datetime(at.year, at.month, at.day, tzinfo=VIETNAM).astimezone(UTC)


def answers(numbers: range, of: int, now: datetime) -> Iterator[Row]:
    for number in numbers:
        drawn = letter(number)
        at = now - timedelta(days=365 * YEARS * (1 - number / of))
        said = f"Theo quy định, {drawn.subject.lower()} được giải quyết tại cơ quan bảo hiểm nơi cư trú."
        yield {
            "_id": str(UUID(int=random.Random(-1 - number).getrandbits(128), version=4)),
            "subject": drawn.subject, "question": drawn.text, "answer": said, "field": drawn.field,
            "unit": unit_of(drawn.place), "year": at.year, "published_at": at, "correction": 0,
            "folded": fold(f"{drawn.subject} {drawn.text} {said}"), "version": 9, "sequence": 9000,
            "terms": [*drawn.terms, *terms_of(said)], "changed_at": at,
        }  # fmt: skip


def _put(uri: str, name: str, kind: str, numbers: range, of: int) -> int:
    client: MongoClient[Row] = MongoClient(uri, w=1)
    collection, now, batch = client[name][kind], datetime.now(UTC), list[Row]()
    make = rows if kind == QUESTIONS else answers
    for row in make(numbers, of, now):
        batch.append(row)
        if len(batch) == AT_ONCE:
            collection.insert_many(batch, ordered=False)
            batch = []
    if batch:
        collection.insert_many(batch, ordered=False)
    client.close()
    return len(numbers)


def fill(uri: str, name: str, questions: int, published: int, say: Say) -> None:
    """Rows first, then all indexes at once: a tenth of what each row would cost with them in place."""
    size = 25_000
    stretches = [
        (kind, range(start, min(start + size, count)), count)
        for kind, count in ((QUESTIONS, questions), (ANSWERS, published)) for start in range(0, count, size)
    ]  # fmt: skip
    with ProcessPoolExecutor(HANDS, mp_context=get_context("spawn")) as hands:
        put = [hands.submit(_put, uri, name, kind, numbers, of) for kind, numbers, of in stretches]
        done = sum(each.result() for each in put)
    say(f"  {done:,} rows; their indexes")
    asyncio.run(_indexes(uri, name))


async def _indexes(uri: str, name: str) -> None:
    """Asked for again until they are there: they take longer than a service waits for an answer."""
    database, there = connect(uri, name), False
    memory = {"maxIndexBuildMemoryUsageMegabytes": 1500}  # tens of millions of marks are sorted in it
    await database.client.admin.command({"setParameter": 1, **memory})
    while not there:
        with contextlib.suppress(Unavailable):
            await prepare(database)
            there = True
    database.client.close()
