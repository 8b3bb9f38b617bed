"""Lists, searches, counts and exports of staff: each shows exactly what this person may read, finds it with
or without diacritics, and reads no more of the store than it shows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bench.questions import seeding
from bench.questions.explaining import PAGE, Examined, examine
from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.domain.codes import Codes
from services.qa.domain.permits import concerns
from services.qa.domain.terms import searched
from services.qa.queries import lists
from services.qa.queries.indexes import prepare
from services.qa.queries.read_models import QUESTIONS, projections
from services.qa.regulation import Role, Status
from shared.contracts.qa import Finding, RefusalGround, Suspicion
from shared.errors import Forbidden, InvalidInput
from shared.mongo import Database, connect
from shared.projections import Projector
from shared.web.forms import cursor_of
from shared.workflow import Actor
from tests.qa.world import CODES, HA, KHOI, LETTER, NGA, OANH, THAO, TUAN, Office

SYSTEM_OF_HANOI = Actor("svc-ha-noi", "Hệ thống Hà Nội", TUAN.unit, frozenset({Role.INTAKE}))
BOTH = Actor("u-ca-hai", "Người làm cả hai việc", TUAN.unit, frozenset({Role.ANSWERER, Role.INTAKE}))
PEOPLE = (HA, KHOI, THAO, TUAN, NGA, SYSTEM_OF_HANOI, BOTH)
SOUGHT = "dieu kien"  # in every letter's subject


class Store:
    """Questions that went each another way, on record and shown."""

    def __init__(self, database: Database, office: Office) -> None:
        self.database, self.office = database, office
        self.questions: dict[str, Question] = {}

    async def ask(self, name: str, subject: str = "", *, to: str = "", **facts: Any) -> Question:
        letter = replace(LETTER, subject=subject or LETTER.subject, text=f"Việc {name}.")
        mark = CODES.same_letter(name, letter.subject, letter.text)
        desk = self.office.desk(Actor("anonymous", "Khách"))
        question: Question = await desk.run(
            handlers.receive_question, domain.ReceiveQuestion(mark, letter, **facts)
        )
        self.questions[name] = question
        return await self.forward(question, to) if to else question

    async def forward(self, question: Question, unit: str) -> Question:
        command = domain.ForwardQuestion(question.id, unit, "bhxh-mot-lan")
        forwarded: Question = await handlers.forward_question(command, self.office.desk(HA))
        return forwarded

    async def show(self) -> None:
        self.questions = {
            name: await self.office.desk(HA).load(Question, question.id)
            for name, question in self.questions.items()
        }
        projector = Projector(self.database, projections(CODES), "qa", self.office.vault, lambda _: None)
        await projector.project(sorted(self.office.journal.commits, key=lambda c: (c.stream, c.version)))

    def name(self, row: lists.Row) -> str:
        return next(name for name, each in self.questions.items() if str(each.id) == row["_id"])

    async def names(self, by: Actor, **wanted: Any) -> list[str]:
        page = await lists.questions(self.database, lists.Wanted(**wanted), by, limit=100)
        assert page.next is None
        return sorted(self.name(row) for row in page.rows)

    def readable(self, by: Actor) -> list[str]:
        """By the domain's own word on each question."""
        return sorted(name for name, question in self.questions.items() if concerns(question, by))


def words(q: str) -> tuple[int, ...]:
    return tuple(CODES.words(searched(q)))


@pytest.fixture(scope="module")
async def store(mongo_uri: str) -> AsyncIterator[Store]:
    database = connect(mongo_uri, f"search-{uuid4().hex[:8]}")
    await prepare(database)
    store = Store(database, office := Office())
    await store.ask("new")
    await store.ask("of hanoi", to=TUAN.unit)
    await store.ask("of cantho", to=NGA.unit)
    several = await store.ask("of both", to=TUAN.unit)
    asked = ((NGA.unit, date(2026, 11, 27)),)
    await handlers.make_complex(domain.MakeComplex(several.id, asked, "Hai nơi."), office.desk(HA))
    back = await store.ask("given back", to=TUAN.unit)
    command = domain.GiveBackQuestion(back.id, Finding.OTHER_UNIT, "Việc của nơi khác.")
    await handlers.give_back_question(command, office.desk(TUAN))
    await handlers.answer_question(domain.AnswerQuestion(back.id, "Được."), office.desk(HA))
    passed_on = await store.ask("passed on", to=TUAN.unit)
    await store.forward(passed_on, NGA.unit)
    await store.ask("entered", to=NGA.unit, channel="unit", entered_by=TUAN.unit)
    await store.ask("entered and its own", to=TUAN.unit, channel="unit", entered_by=TUAN.unit)
    unclear = await store.ask("refused")
    refusal = domain.RefuseQuestion(unclear.id, RefusalGround.UNCLEAR, "Thiếu số sổ.")
    await handlers.refuse_question(refusal, office.desk(HA))
    spam = await store.ask("set aside")
    await handlers.set_aside(domain.SetAsideQuestion(spam.id, Suspicion.SPAM), office.desk(HA))
    taken_back = await store.ask("withdrawn", to=TUAN.unit)
    await handlers.withdraw_question(domain.WithdrawQuestion(taken_back.id), office.desk(domain.ASKER))
    gone = await store.ask("erased", "Điều kiện bí mật riêng", to=TUAN.unit)
    await handlers.erase_asker(domain.EraseAsker(gone.id), office.desk(domain.ASKER))
    await store.show()
    yield store
    await database.client.drop_database(database.name)
    database.client.close()


@pytest.mark.parametrize("by", PEOPLE, ids=lambda by: by.subject)
async def test_a_list_a_count_a_search_and_an_export_show_exactly_what_one_may_read(
    store: Store, by: Actor
) -> None:
    readable = store.readable(by)
    assert readable, "each of these people has something to read"
    assert await store.names(by) == readable
    assert await lists.count(store.database, lists.Wanted(), by) == len(readable)
    exported = sorted([store.name(row) async for row in lists.every(store.database, lists.Wanted(), by)])
    assert exported == readable
    found = [name for name in readable if name != "erased"]
    assert await store.names(by, words=words(SOUGHT)) == found
    assert await lists.count(store.database, lists.Wanted(words=words(SOUGHT)), by) == len(found)


@pytest.mark.parametrize("by", PEOPLE, ids=lambda by: by.subject)
@pytest.mark.parametrize("status", Status)
async def test_each_state_has_its_list_and_its_count_within_reach(
    store: Store, by: Actor, status: Status
) -> None:
    expected = [name for name in store.readable(by) if store.questions[name].status is status]
    assert await store.names(by, status=status) == expected
    assert await lists.count(store.database, lists.Wanted(status=status), by) == len(expected)


@pytest.mark.parametrize("by", PEOPLE, ids=lambda by: by.subject)
async def test_naming_a_unit_never_reaches_further(store: Store, by: Actor) -> None:
    for unit in (TUAN.unit, NGA.unit):
        of_unit = [name for name in store.readable(by) if store.questions[name].unit == unit]
        assert await store.names(by, unit=unit) == of_unit
        found = [name for name in of_unit if name != "erased"]
        assert await store.names(by, unit=unit, words=words(SOUGHT)) == found


async def test_who_has_no_part_in_questions_gets_no_list(store: Store) -> None:
    for nobody in (OANH, replace(TUAN, unit=""), Actor("svc-x", "X", "", frozenset({Role.INTAKE}))):
        with pytest.raises(Forbidden):
            await store.names(nobody)


@pytest.mark.parametrize(
    "q", ["Điều kiện RÚT", "dieu kien rut", "  điều   kiện, rút!", "tôi điều kiện là rút"]
)
async def test_words_are_found_however_they_are_written(store: Store, q: str) -> None:
    assert "new" in await store.names(HA, words=words(q))


async def test_every_word_must_be_there_and_the_letters_own_words_count(store: Store) -> None:
    assert await store.names(HA, words=words("rut new")) == ["new"]
    assert await store.names(HA, words=words("rut khongcochunay")) == []


async def test_a_number_is_found_whole_or_by_its_letters_alone_also_after_erasure(store: Store) -> None:
    for name in ("new", "erased"):
        number = store.questions[name].number
        for typed in (number, number.lower(), f"HD-{number[11:]}", number[11:]):
            assert await store.names(HA, words=words(typed)) == [name]


async def test_what_was_erased_is_found_by_none_of_its_words_and_keeps_no_mark_of_its_asker(
    store: Store,
) -> None:
    assert await store.names(HA, words=words("bi mat rieng")) == []
    row = await store.database[QUESTIONS].find_one({"_id": str(store.questions["erased"].id)})
    assert (row["asker_mark"], row["code_mark"], len(row["terms"])) == ("", "", 1)


async def test_a_row_keeps_no_word_of_the_letter_and_no_list_gives_out_its_marks(store: Store) -> None:
    row = await store.database[QUESTIONS].find_one({"_id": str(store.questions["new"].id)})
    assert all(isinstance(term, int) for term in row["terms"])
    assert "Việc new" not in str(row)
    page = await lists.questions(store.database, lists.Wanted(), HA, limit=100)
    assert not {"terms", "asker_mark", "code_mark"} & set(page.rows[0])


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("by", [HA, BOTH], ids=lambda by: by.subject)
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lists.Wanted(), id="newest"),
        pytest.param(lists.Wanted(status=Status.FORWARDED), id="by due"),
        pytest.param(lists.Wanted(words=words(SOUGHT)), id="search"),
    ],
)
async def test_pages_follow_each_other_without_gap_or_double(
    store: Store, wanted: lists.Wanted, by: Actor, limit: int
) -> None:
    whole = (await lists.questions(store.database, wanted, by, limit=100)).rows
    rows, cursor = list[lists.Row](), ""
    while True:
        page = await lists.questions(store.database, wanted, by, cursor=cursor, limit=limit)
        rows += page.rows
        if page.next is None:
            break
        cursor = page.next
    assert [row["_id"] for row in rows] == [row["_id"] for row in whole]
    keys = [(row["due_at"] if wanted.by_due else -row["arrival"]) for row in rows]
    assert keys == sorted(keys)


async def test_a_search_that_looks_on_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer rows looked at than have the word, pages come empty, and together they are whole."""
    monkeypatch.setattr(lists, "LOOKED_AT", 3)
    wanted = lists.Wanted(words=words(SOUGHT), status=Status.REFUSED)
    found, cursor, pages = list[str](), "", 1
    while page := await lists.questions(store.database, wanted, HA, cursor=cursor, limit=2):
        found += [store.name(row) for row in page.rows]
        if page.next is None:
            break
        cursor, pages = page.next, pages + 1
    assert (found, pages > 3) == (["refused"], True)


@pytest.mark.parametrize("place", [[], ["x"], [1, 2, 3], [10**30], [1e400, 1], ["1", "x"], [10**17, 1]])
async def test_a_cursor_that_no_list_gave_is_refused_or_ends_the_list(store: Store, place: list[Any]) -> None:
    wanted = lists.Wanted(status=Status.FORWARDED)
    with pytest.raises(InvalidInput):
        await lists.questions(store.database, wanted, HA, cursor=cursor_of(place))


async def test_a_list_goes_by_field_and_by_the_days_of_receipt(store: Store) -> None:
    sorted_ones = [name for name, question in store.questions.items() if question.field == "bhxh-mot-lan"]
    assert await store.names(HA, field="bhxh-mot-lan") == sorted(sorted_ones)
    third = sorted(store.questions.values(), key=lambda each: each.received_at)[2].received_at
    later = await store.names(HA, since=third)
    assert later == sorted(n for n, q in store.questions.items() if q.received_at >= third)
    assert await store.names(HA, until=third) == sorted(set(store.questions) - set(later))


async def test_the_load_of_a_unit_counts_what_it_holds_and_what_falls_due_soon(store: Store) -> None:
    held = [q for q in store.questions.values() if q.status is Status.FORWARDED and q.unit == TUAN.unit]
    far, near = datetime.now(UTC) + timedelta(days=999), datetime(2026, 1, 1, tzinfo=UTC)
    assert (await lists.load_of_units(store.database, HA, far))[TUAN.unit] == (len(held), len(held))
    assert (await lists.load_of_units(store.database, HA, near))[TUAN.unit] == (len(held), 0)


@pytest.fixture(scope="module")
async def many(mongo_uri: str) -> AsyncIterator[str]:
    """Thousands of questions and some hundred answers, as the benchmark has a million."""
    name = f"many-{uuid4().hex[:8]}"
    database = connect(mongo_uri, name)
    now = datetime.now(UTC)
    await database[QUESTIONS].insert_many(list(seeding.rows(range(1200), 1200, now)))
    await database.answers.insert_many(list(seeding.answers(range(200), 200, now)))
    await prepare(database)
    yield name
    await database.client.drop_database(name)
    database.client.close()


async def test_no_view_is_a_scan_and_none_reads_much_more_than_it_shows(mongo_uri: str, many: str) -> None:
    unit = replace(TUAN, unit=seeding.unit_of("Hà Nội"))
    found = await examine(mongo_uri, many, HA, unit, Codes(seeding.SECRET))
    assert len(found) > 50
    assert [each.view for each in found if each.scan] == []
    for each in found:
        assert each.documents <= _allowed(each), each


def _allowed(each: Examined) -> int:
    if "search" in each.view or "likely" in each.view or "matter" in each.view:
        return lists.LOOKED_AT + PAGE
    return 0 if "count" in each.view and "centre" in each.view else 8 * PAGE


async def test_the_benchmarks_rows_are_such_as_the_projection_writes(store: Store) -> None:
    shown = await store.database[QUESTIONS].find_one({"_id": str(store.questions["of hanoi"].id)})
    seeded = next(r for r in seeding.rows(range(500), 500, datetime.now(UTC)) if r["status"] == "forwarded")
    assert set(seeded) <= set(shown) | {"complex"}
    both = {name: (seeded[name], shown[name]) for name in set(seeded) & set(shown)}
    other = [
        name for name, (a, b) in both.items()
        if None not in (a, b) and not (isinstance(a, type(b)) or isinstance(b, type(a)))
    ]  # fmt: skip
    assert other == []
