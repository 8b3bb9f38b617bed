"""What can't be undone waits while the clocks disagree; the time is never early and never runs backwards."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clocks_agree import HELD, LIMIT, Agreement, Clocks, Reading, own_clock, since_boot, trouble

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def at(seconds: float, *, wall: timedelta = timedelta(), server: timedelta = timedelta()) -> Reading:
    """So many seconds after the start, with clocks that are wrong by so much."""
    moment = START + timedelta(seconds=seconds)
    return Reading(moment + wall, moment + server, 1000 + seconds)


def judged(*readings: Reading) -> list[datetime | None]:
    agreement = Agreement()
    return [agreement.judge(reading).now for reading in readings]


def test_while_they_agree_it_is_the_earliest_of_them() -> None:
    assert judged(at(0), at(1), at(2, server=timedelta(seconds=-9))) == [
        START, START + timedelta(seconds=1), START + timedelta(seconds=1),
    ]  # fmt: skip


@pytest.mark.parametrize("jump", [DAY, -DAY, timedelta(seconds=31), -timedelta(seconds=31)])
@pytest.mark.parametrize("which", ["wall", "server"])
def test_one_clock_that_jumps_holds_everything_back_until_it_is_right_again(
    which: str, jump: timedelta
) -> None:
    now = judged(at(0), at(1, **{which: jump}), at(2, **{which: jump}), at(3))
    assert now == [START, None, None, START + timedelta(seconds=3)]


def test_both_clocks_jumping_together_is_noticed_by_the_one_that_only_counts_on() -> None:
    """As on one machine, whose time somebody sets."""
    assert judged(at(0), at(1, wall=DAY, server=DAY)) == [START, None]


def test_a_machine_that_slept_has_not_jumped() -> None:
    assert judged(at(0), at(8 * 3600)) == [START, START + timedelta(hours=8)]


def test_clocks_that_disagree_from_the_start_are_not_believed() -> None:
    agreement = Agreement()
    verdict = agreement.judge(at(0, server=timedelta(seconds=45)))
    assert (verdict.now, verdict.apart) == (None, timedelta(seconds=45))
    assert verdict.reason == "Đồng hồ của tiến trình và của cơ sở dữ liệu lệch nhau 45 giây."


def test_a_clock_cannot_creep_away_a_little_at_a_time() -> None:
    """Twenty seconds gained in every minute: within the limit each time, and found out all the same."""
    readings = [
        at(60 * n, wall=timedelta(seconds=20 * n), server=timedelta(seconds=20 * n)) for n in range(9)
    ]
    assert None in judged(*readings)


errors = st.timedeltas(min_value=-2 * DAY, max_value=2 * DAY) | st.timedeltas(
    min_value=timedelta(seconds=-40), max_value=timedelta(seconds=40)
)


@given(st.lists(st.tuples(st.floats(0, 500), errors, errors), min_size=1, max_size=12))
def test_whatever_the_clocks_do_it_is_never_early_and_never_backwards(
    steps: Sequence[tuple[float, timedelta, timedelta]],
) -> None:
    """The first reading is true; after that nobody's clock is."""
    agreement, true, last = Agreement(), 0.0, START
    agreement.judge(at(0))
    for seconds, wall, server in steps:
        true += seconds
        now = agreement.judge(at(true, wall=wall, server=server)).now
        if now is not None:
            assert last <= now
            if true < 600:  # later the reference itself may have been renewed, within the limit
                assert now <= START + timedelta(seconds=true)
            assert now <= START + timedelta(seconds=true) + (1 + true // 600) * LIMIT
            last = now


class TestOfThisProcess:
    async def test_a_process_whose_clock_is_set_a_day_ahead_is_told_nothing_and_says_so(
        self, database: Any
    ) -> None:
        shift, asked = [timedelta()], [0.0]
        clocks = Clocks(
            database, "notifier", "notifier-1", wall=lambda: own_clock() + shift[0], ticks=_stepping(asked)
        )
        now = await clocks.now()
        assert now is not None and abs(now - own_clock()) < timedelta(seconds=5)
        shift[0] = DAY
        asked[0] += 2
        assert await clocks.now() is None
        assert HELD.labels("notifier")._value.get() == 1
        (line,) = await trouble(database)
        assert line.startswith("notifier-1: Đồng hồ") and "đang chờ" in line
        shift[0] = timedelta()
        asked[0] += 2
        assert await clocks.now() is not None
        assert HELD.labels("notifier")._value.get() == 0
        assert await trouble(database) == []

    async def test_between_two_measurements_a_jump_brings_nothing_forward(self, database: Any) -> None:
        shift = [timedelta()]
        clocks = Clocks(database, "notifier", "notifier-1", wall=lambda: own_clock() + shift[0])
        before = await clocks.now()
        shift[0] = DAY
        after = await clocks.now()
        assert before is not None and after is not None
        assert before <= after < before + timedelta(seconds=5)


def _stepping(extra: list[float]) -> Any:
    """The real count since boot, and what the test waits for without waiting: within the limit."""
    return lambda: since_boot() + extra[0]
