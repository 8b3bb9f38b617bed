"""The register says how it does: what has not fired, how late it fires, who is not told; on the board in
words and to Prometheus in figures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.notifier import board_vitals, queries
from services.notifier.board_signs import Sign, lasting, signs_of
from services.notifier.board_vitals import Moving, Vitals
from services.notifier.queries import LANE_ORDER
from shared.desk import utc_now

NOW = utc_now()
WELL = Vitals(
    heartbeat=1.2, unfired=0, oldest=0.0, lags={"0.5": 0.4, "0.99": 1.2}, fired=120, notices={},
    waiting={lane.value: 0.0 for lane in LANE_ORDER}, unreached=0, moving=None, clocks=[],
)  # fmt: skip


@pytest.fixture
async def register(database: Any) -> AsyncIterator[Any]:
    await queries.prepare(database)
    yield database


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def row(id: str, **facts: Any) -> dict[str, Any]:
    base = {"status": "open", "share": 3, "opened_at": NOW - timedelta(days=3), "next_at": None}
    return {"_id": id, **base, **facts}


async def test_what_is_due_and_has_not_fired_is_counted_with_its_age(register: Any) -> None:
    await register.deadlines.insert_many([
        row("ahead", next_at=NOW + seconds(60)), row("late", next_at=NOW - seconds(90)),
        row("later", next_at=NOW - seconds(5), share=7), row("done"),
    ])  # fmt: skip
    found = await board_vitals.vitals(register, NOW)
    assert (found.unfired, found.late) == (2, True)
    assert found.oldest == pytest.approx(90)


async def test_a_lag_runs_from_the_due_instant_or_from_the_telling_if_that_was_later(register: Any) -> None:
    due_at = NOW - timedelta(hours=2)
    await register.deadlines.insert_many([
        *(row(f"at-once-{n}", due_at=due_at, breached_at=due_at + seconds(1)) for n in range(98)),
        row("late", due_at=due_at, breached_at=due_at + seconds(40)),
        row("told-late", due_at=due_at, opened_at=due_at + seconds(600), breached_at=due_at + seconds(602)),
        row("yesterday", due_at=NOW - timedelta(hours=30), breached_at=NOW - timedelta(hours=20)),
        row("met-in-time", status="met", due_at=due_at, breached_at=None),
    ])  # fmt: skip
    found = await board_vitals.vitals(register, NOW)
    assert found.fired == 100
    assert found.lags == {"0.5": pytest.approx(1), "0.99": pytest.approx(2)}


async def test_who_must_be_told_waits_from_the_asking_and_others_from_when_it_should_go(
    register: Any,
) -> None:
    urgent, owed, _, own, _ = range(5)
    await register.notices.insert_many([
        {"_id": "refusal", "lane": urgent, "status": "retrying", "statutory": True,
         "requested_at": NOW - seconds(70), "next_at": NOW + seconds(8)},
        {"_id": "answer", "lane": owed, "status": "sent", "statutory": True,
         "requested_at": NOW - seconds(900), "next_at": None},
        {"_id": "to-morrow", "lane": own, "status": "requested", "statutory": False,
         "requested_at": NOW - seconds(7200), "next_at": NOW + seconds(7200)},
        {"_id": "back", "lane": owed, "status": "bounced", "statutory": True, "next_at": None,
         "requested_at": NOW - seconds(9000)},
        {"_id": "told-by-telephone", "lane": owed, "status": "reached", "statutory": True, "next_at": None,
         "requested_at": NOW - seconds(9000)},
    ])  # fmt: skip
    found = await board_vitals.vitals(register, NOW)
    assert found.waiting == {lane.value: 0.0 for lane in LANE_ORDER} | {"urgent": pytest.approx(70)}
    assert found.unreached == 1
    assert (found.notices["bounced"], found.notices["reached"], found.notices["retrying"]) == (1, 1, 1)


async def test_prometheus_is_shown_the_same(register: Any) -> None:
    await register.deadlines.insert_one(row("late", next_at=NOW - seconds(45)))
    board_vitals.show(await board_vitals.vitals(register, NOW))
    assert REGISTRY.get_sample_value("notifier_oldest_unfired_seconds") == pytest.approx(45)
    assert REGISTRY.get_sample_value("notifier_unfired_stages") == 1
    assert REGISTRY.get_sample_value("notifier_notice_waiting_seconds", {"lane": "urgent"}) == 0
    assert REGISTRY.get_sample_value("notifier_notices", {"outcome": "bounced"}) == 0


def sign(found: Vitals, name: str) -> Sign:
    (one,) = [each for each in signs_of(found) if each.name.startswith(name)]
    return one


def test_a_register_that_is_well_says_so_in_every_line() -> None:
    assert {each.state for each in signs_of(WELL)} == {"ok"}
    assert sign(WELL, "Độ trễ").measure == "p50 0,4 giây, p99 1,2 giây (120 lần)"


@pytest.mark.parametrize(
    ("facts", "name", "state"),
    [
        pytest.param({"heartbeat": None}, "Nhịp tim", "bad", id="nobody is heard"),
        pytest.param({"heartbeat": 11.0}, "Nhịp tim", "bad", id="nobody has been heard for eleven seconds"),
        pytest.param({"unfired": 3, "oldest": 12.0}, "Đến giờ", "ok", id="some wait for a moment"),
        pytest.param({"unfired": 3, "oldest": 61.0}, "Đến giờ", "bad", id="some wait for a minute"),
        pytest.param({"lags": {"0.5": 1.0, "0.99": 31.0}}, "Độ trễ", "warn", id="one in a hundred is late"),
        pytest.param({"unreached": 2}, "Chưa báo được", "bad", id="two people are not reached"),
        pytest.param({"clocks": ["notifier-2: lệch 86400 giây."]}, "Đồng hồ", "bad", id="a clock has jumped"),
        pytest.param({"moving": Moving("2026-12-01", 8.0, 12, 90)}, "Áp dụng", "warn", id="a calendar moves"),
        pytest.param({"moving": Moving("2026-12-01", 700.0, 12, 90)}, "Áp dụng", "bad", id="it does not end"),
    ],
)
def test_each_sign_turns_when_it_must(facts: dict[str, Any], name: str, state: str) -> None:
    assert sign(replace(WELL, **facts), name).state == state


def test_somebody_who_must_be_told_today_may_wait_for_a_minute() -> None:
    for waited, state in ((59.0, "ok"), (61.0, "bad")):
        found = replace(WELL, waiting={**WELL.waiting, "urgent": waited})
        assert sign(found, "Thư phải báo ngay").state == state


@pytest.mark.parametrize(
    ("lasts", "words"),
    [(0.44, "0,4 giây"), (12.4, "12 giây"), (119, "119 giây"), (180, "3 phút"), (9000, "2,5 giờ")],
)  # fmt: skip
def test_a_span_is_told_in_the_unit_that_people_use(lasts: float, words: str) -> None:
    assert lasting(lasts) == words
