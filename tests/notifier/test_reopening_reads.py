"""What readers see of a term that runs on: after its answer was sent back, and after another took it over."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx2
import pytest
from icalendar import Calendar

from services.notifier import board_vitals, domain, handlers, queries
from services.notifier.domain import Deadline, Ending
from services.notifier.queries import figures
from shared.contracts.base import Clock
from shared.contracts.notifier import DeadlineBreached, DeadlineVoided
from shared.contracts.qa import QuestionForwarded
from shared.desk import utc_now
from shared.web import edge
from tests.edges import by_name, projecting
from tests.notifier.rig import PEOPLE, as_
from tests.notifier.sweeping import Swept, due_clock, sweeping
from tests.notifier.world import told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
async def register(mongo_uri: str) -> AsyncIterator[Swept]:
    async with sweeping(mongo_uri, secret_key="k" * 40) as register:
        await register.service.directory.load({"units": [{"id": "bhxh-moi", "name": "Đơn vị mới"}]})
        yield register


@pytest.fixture(scope="module")
async def client(register: Swept) -> AsyncIterator[httpx2.AsyncClient]:
    app, who = register.service.app(), by_name(PEOPLE)
    app.dependency_overrides[edge.staff] = who
    patched = pytest.MonkeyPatch()
    patched.setattr(edge, "visitor", who)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with (
            projecting(register.service, queries.projections(register.service.policy)),
            httpx2.AsyncClient(transport=transport, base_url="http://notifier") as client,
        ):
            yield client
        patched.undo()


TAKEN = ("unit_reply/2", "consultation:bhxh-ha-noi/2")


@pytest.fixture(scope="module")
async def ids(register: Swept) -> list[UUID]:
    """What a unit owed is overdue, and is forwarded again: its clock, and those that the next one has."""
    subject = f"question-{uuid4()}"
    due = utc_now() - 2 * DAY

    def clock(name: str, unit: str) -> Clock:
        duty = name.partition("/")[0].partition(":")[0]
        return due_clock(due, unit, name=name, duty=duty, basis="dieu-11#hoi-dap-2")

    first = QuestionForwarded(question_id=UUID(subject[9:]), unit="bhxh-can-tho", field="so-the",
                              opens=(clock("unit_reply", "bhxh-can-tho"),))  # fmt: skip
    again = first.model_copy(update={
        "unit": "bhxh-moi", "voids": ("unit_reply",),
        "opens": tuple(clock(name, "bhxh-moi") for name in TAKEN),
    })  # fmt: skip
    for version, (event, at) in enumerate([(first, due - 9 * DAY), (again, utc_now())], 2):
        recorded = told(event, version, at, subject=subject)
        desk = register.service.edge.desk_for(recorded)
        desk.now = at
        await handlers.keep_clocks(recorded, desk)
    await register.show()
    for _ in range(2):
        await register.sweeper().run()
        await register.show()
    return [domain.deadline_id(subject, name) for name in ("unit_reply", *TAKEN)]


async def changed(register: Swept, id: UUID, *acts: str, at: datetime) -> None:
    """Answered or sent back, each a commit of its own."""
    for act in acts:
        desk = register.service.edge.desk()
        known = await desk.load(Deadline, id)
        assert known.clock is not None
        subject, clock = known.subject, known.clock
        if act == "answer":
            ending = Ending(at, False, uuid4().hex)
            await desk.append(domain.end_deadline(known, subject, clock.name, ending))
        else:
            await desk.append(domain.reopen_deadline(known, subject, clock, cause=uuid4().hex, source="qa"))
    await register.show()


async def rates(register: Swept, unit: str) -> list[tuple[int, int, int]]:
    since = f"{utc_now() - 90 * DAY:%Y-%m}"
    rows = await figures.on_time(register.database, utc_now(), since=since, unit=unit)
    return [(row.on_time, row.late, row.breached) for row in rows]


class TestSentBack:
    async def test_the_figures_count_the_verdict_that_stands(self, register: Swept) -> None:
        unit = uuid4().hex[:8]
        (id,) = await register.open(due_at=utc_now() - HOUR, unit=unit)
        await changed(register, id, "answer", at=utc_now() - 2 * HOUR)
        assert await rates(register, unit) == [(1, 0, 0)]
        await changed(register, id, "return", at=utc_now())
        assert await rates(register, unit) == [(0, 0, 1)]
        await changed(register, id, "answer", at=utc_now())
        assert await rates(register, unit) == [(0, 1, 0)]

    async def test_the_next_sweep_looks_at_it_and_breaches_it_with_its_true_time(
        self, register: Swept
    ) -> None:
        due = utc_now() - HOUR
        (id,) = await register.open(due_at=due)
        await changed(register, id, "answer", at=due - HOUR)
        await register.sweeper().run()
        assert [e for e in await register.events(DeadlineBreached) if e.deadline_id == id] == []
        await changed(register, id, "return", at=utc_now())
        row = await register.row(id)
        assert (row["status"], row["ended_at"], row["late"]) == ("open", None, False)
        await register.sweeper().run()
        await register.show()
        (breach,) = [e for e in await register.events(DeadlineBreached) if e.deadline_id == id]
        assert breach.due_at == due
        assert (await board_vitals._lags(register.database, utc_now()))[-1] < 60  # not from its due time

    async def test_before_its_time_it_waits_for_what_is_still_planned(self, register: Swept) -> None:
        due = utc_now() + 3 * DAY
        (id,) = await register.open(due_at=due)
        planned = (await register.row(id))["next_at"]
        await changed(register, id, "answer", "return", at=utc_now())
        assert (await register.row(id))["next_at"] <= utc_now()
        await register.sweeper().run()
        assert (await register.row(id))["next_at"] == planned

    async def test_a_breach_taken_back_by_a_timely_answer_is_told_again_once(self, register: Swept) -> None:
        due = utc_now() - HOUR
        (id,) = await register.open(due_at=due)
        await register.sweeper().run()
        await changed(register, id, "answer", "return", at=due - HOUR)
        assert (await register.row(id))["breached"] is False
        for _ in range(3):
            await register.sweeper().run()
            await register.show()
        assert len([e for e in await register.events(DeadlineBreached) if e.deadline_id == id]) == 2

    async def test_its_page_says_so(self, register: Swept, client: httpx2.AsyncClient) -> None:
        (id,) = await register.open(due_at=utc_now() + DAY)
        await changed(register, id, "answer", "return", at=utc_now())
        page = await client.get(f"/desk/deadlines/{id}", headers=as_("oanh"))
        assert "Hạn chạy tiếp." in page.text
        assert "Mở lại, việc coi như chưa xong" in page.text
        one = (await client.get(f"/v1/deadlines/{id}", headers=as_("oanh"))).json()
        assert (one["state"], one["ended_at"], one["reopened_at"] is None) == ("open", None, False)


class TestTakenOver:
    """Forwarding again restarts nothing: the next unit owes ``unit_reply/2``, perhaps overdue already."""

    async def test_the_former_unit_owes_nothing_and_the_next_one_is_overdue_from_the_start(
        self, register: Swept, ids: list[UUID]
    ) -> None:
        former, *taken = [await register.row(id) for id in ids]
        assert former["status"] == "void"
        assert {(row["unit"], row["born_overdue"], row["breached"]) for row in taken} == {
            ("bhxh-moi", True, True)
        }
        voided = [e for e in await register.events(DeadlineVoided) if e.deadline_id == ids[0]]
        assert len(voided) == 1

    async def test_list_page_table_and_calendar_know_it(
        self, register: Swept, client: httpx2.AsyncClient, ids: list[UUID]
    ) -> None:
        listed = (await client.get("/v1/deadlines?unit=bhxh-moi", headers=as_("oanh"))).json()["items"]
        assert {row["name"] for row in listed} == set(TAKEN)
        for id, name in zip(ids[1:], TAKEN, strict=True):
            page = await client.get(f"/desk/deadlines/{id}", headers=as_("oanh"))
            assert page.status_code == 200
            assert name in page.text
            assert "Vào sổ khi đã quá hạn." in page.text
            assert (await client.get(f"/v1/deadlines/{id}", headers=as_("oanh"))).json()["name"] == name
        board = await client.get("/desk/deadlines/board", headers=as_("oanh"))
        assert "Góp ý cho đơn vị chủ trì" in board.text
        table = await client.get("/v1/deadlines.csv?unit=bhxh-moi", headers=as_("oanh"))
        rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
        assert {row[-1] for row in rows[1:]} == {str(id) for id in ids[1:]}
        assert {row[1] for row in rows[1:]} == {
            "Đơn vị trả lời hoặc thông báo quá trình xử lý", "Góp ý cho đơn vị chủ trì",
        }  # fmt: skip

    async def test_so_does_the_feed_of_its_unit(
        self, register: Swept, client: httpx2.AsyncClient, ids: list[UUID]
    ) -> None:
        address = (await client.get("/v1/units/bhxh-moi/feed", headers=as_("oanh"))).json()["url"]
        feed = await client.get("/lich-han/" + address.partition("/lich-han/")[2])
        uids = {str(event["uid"]) for event in Calendar.from_ical(feed.text).walk("vevent")}
        assert uids == {f"{id}@thoi-han" for id in ids[1:]}
