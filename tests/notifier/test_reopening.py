"""«…các đơn vị có trách nhiệm trả lời…»: a defective answer that is sent back has discharged nothing, and the
same term runs on with the time that it has."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier import domain, handlers
from services.notifier.domain import Deadline, Ending, deadline_id, deadline_moves
from services.notifier.regulation import DeadlineStatus
from services.notifier.regulation_stages import schedule
from shared.calendar import CALENDAR
from shared.contracts.base import Clock
from shared.contracts.notifier import DeadlineReopened
from shared.contracts.qa import AnswerSentBack, QuestionAnswered, QuestionForwarded
from tests.notifier.calendars import DECISION, calendar_with, day
from tests.notifier.world import QUESTION, RECEIVED, SUBJECT, World, told, triage_clock

CLOCK = triage_clock().model_copy(
    update={"name": "unit_reply", "duty": "unit_reply", "owner_unit": "bhxh-ha-noi"}
)
DUE, HOUR, DAY = CLOCK.due_at, timedelta(hours=1), timedelta(days=1)
ID = deadline_id(SUBJECT, "unit_reply")
PLAN = schedule(CLOCK, CALENDAR)


def opened() -> Deadline:
    return domain.open_deadline(None, SUBJECT, CLOCK, source="qa")[0]


def done(deadline: Deadline, at: datetime, cause: str = "answered", *, void: bool = False) -> Deadline:
    return domain.end_deadline(deadline, SUBJECT, "unit_reply", Ending(at, void, cause))[0]


def again(deadline: Deadline | None, cause: str = "sent-back") -> Deadline:
    return domain.reopen_deadline(deadline, SUBJECT, CLOCK, cause=cause, source="qa")[0]


def fired(deadline: Deadline, at: datetime) -> tuple[Deadline, list[str]]:
    """Every stage whose time has come, by the once key of each."""
    keys = []
    while True:
        (deadline, events), key = domain.fire(deadline, PLAN, at=at)
        if not events:
            return deadline, keys
        keys.append(key.partition("#")[2])


def test_it_runs_on_with_its_own_due_time_as_if_nothing_had_ended_it() -> None:
    running = again(done(opened(), DUE - DAY))
    assert (running.status, running.ending, running.late) == (DeadlineStatus.OPEN, None, False)
    assert running.clock == CLOCK


def test_the_second_answer_is_judged_by_the_first_due_time() -> None:
    late = done(again(done(opened(), DUE - DAY)), DUE + HOUR, "answered-2")
    assert (late.status, late.late) == (DeadlineStatus.MET, True)


def test_sent_back_after_its_time_it_is_breached_late_with_its_true_due_time() -> None:
    running, keys = fired(again(done(opened(), DUE - HOUR)), DUE + 2 * DAY)
    assert keys == ["breached", "unit_head", "centre"]
    assert running.fired["breached"] == DUE
    assert running.overdue(DUE + 2 * DAY)


def test_what_had_fired_stays_fired() -> None:
    warned, keys = fired(opened(), DUE - HOUR)
    assert keys == ["last_morning"]
    _, more = fired(again(done(warned, DUE - HOUR)), DUE + HOUR)
    assert more == ["breached"]


def test_a_breach_that_stood_when_it_was_answered_late_stands_and_goes_further_up() -> None:
    breached, _ = fired(opened(), DUE + HOUR)
    running = again(done(breached, DUE + 2 * HOUR))
    assert (running.breached, fired(running, DUE + 9 * HOUR)[1]) == (True, ["unit_head"])


def test_a_breach_that_a_timely_answer_had_taken_back_is_told_again_under_another_key() -> None:
    """News of the answer came late; whoever was told of the breach was told that it is none."""
    breached, _ = fired(opened(), DUE + HOUR)
    running = again(done(breached, DUE - HOUR))
    assert running.breached is False
    assert fired(running, DUE + 9 * HOUR)[1] == ["breached@+1", "unit_head@+1"]


def test_hearing_the_answer_and_its_return_again_changes_nothing() -> None:
    running = again(done(opened(), DUE - DAY))
    assert done(running, DUE - DAY) == running == again(running)
    answered = done(running, DUE - HOUR, "answered-2")
    assert again(answered) == answered


def test_a_return_that_comes_before_what_it_returns_opens_and_breaks_nothing() -> None:
    assert again(None).status is again(opened()).status is DeadlineStatus.OPEN


def test_an_answer_and_its_return_that_are_heard_before_the_opening_leave_it_open() -> None:
    early, _ = domain.end_deadline(None, SUBJECT, "unit_reply", Ending(DUE - DAY, False, "answered"))
    running = again(early)
    assert (running.status, running.clock) == (DeadlineStatus.OPEN, CLOCK)
    assert domain.open_deadline(running, SUBJECT, CLOCK, source="qa")[1] == ()


@given(
    st.lists(st.tuples(st.sampled_from(["answer", "return"]), st.integers(-240, 240)), max_size=8),
    st.booleans(),
)
def test_the_verdict_is_the_last_answers_that_was_not_sent_back(
    acts: list[tuple[str, int]], twice: bool
) -> None:
    deadline, expected = opened(), None
    for number, (act, hours) in enumerate(acts):
        at = DUE + hours * HOUR
        for _ in range(1 + twice):
            told = done(deadline, at, f"{number}"), again(deadline, f"{number}")
            deadline = told[act == "return"]
        if act == "return":
            expected = None
        elif expected is None or at < expected:
            expected = at
    status = DeadlineStatus.OPEN if expected is None else DeadlineStatus.MET
    assert (deadline.status, deadline.late) == (status, expected is not None and expected >= DUE)


# As it is heard


ANSWERED_AT, BACK_AT = RECEIVED + DAY, RECEIVED + DAY + HOUR
FORWARDED = QuestionForwarded(question_id=QUESTION, unit="bhxh-ha-noi", field="so-the", opens=(CLOCK,))
ANSWERED = QuestionAnswered(
    question_id=QUESTION, unit="bhxh-ha-noi", answer_ref="a", answer_hash="h", closes=("unit_reply",)
)


def sent_back(*clocks: Clock) -> AnswerSentBack:
    return AnswerSentBack(
        question_id=QUESTION, unit="bhxh-ha-noi", reason_ref="r", reason_hash="h", reopens=clocks or (CLOCK,)
    )


async def heard(world: World) -> Deadline:
    for version, (event, at) in enumerate(
        [(FORWARDED, RECEIVED), (ANSWERED, ANSWERED_AT), (sent_back(), BACK_AT)], 2
    ):
        await world.hears(handlers.keep_clocks, told(event, version, at))
    return await world.deadline(ID)


async def test_an_answer_that_is_sent_back_leaves_the_units_clock_running() -> None:
    world = World()
    running = await heard(world)
    assert (running.status, running.clock) == (DeadlineStatus.OPEN, CLOCK)
    (event,) = world.events("notifier.deadline.reopened")
    assert isinstance(event, DeadlineReopened)
    assert (event.duty, event.cause, event.round) == ("unit_reply", f"qa:{SUBJECT}:4:0", 1)


@pytest.mark.parametrize("repeated", [2, 3, 4])
async def test_each_of_the_three_may_be_heard_again_later(repeated: int) -> None:
    world = World()
    running = await heard(world)
    event = {2: FORWARDED, 3: ANSWERED, 4: sent_back()}[repeated]
    await world.hears(handlers.keep_clocks, told(event, repeated, BACK_AT))
    assert await world.deadline(ID) == running


async def test_a_calendar_that_counts_since_moves_what_it_found_answered() -> None:
    """Closed verdicts stay as they are; what runs again is counted as every open term is."""
    world = World()
    for version, (event, at) in enumerate([(FORWARDED, RECEIVED), (ANSWERED, ANSWERED_AT)], 2):
        await world.hears(handlers.keep_clocks, told(event, version, at))
    desk = world.desk(BACK_AT, cause="qa:x:4:0")
    desk.calendar = calendar_with(day("2026-11-26"), version="2026-11-25")
    await handlers.keep_clocks(told(sent_back(), 4, BACK_AT), desk)
    deadline = await world.deadline(ID)
    assert deadline.clock is not None
    assert (deadline.status, deadline.clock.due_at) == (DeadlineStatus.OPEN, DUE + DAY)
    assert [e.name for e in world.events("notifier.deadline.moved")] == ["notifier.deadline.moved"]


def test_what_ended_is_moved_by_no_calendar_and_what_was_reopened_is() -> None:
    calendar = calendar_with(day("2026-11-26"), version="2026-11-25")

    def moves(deadline: Deadline) -> int:
        facts = {"known": lambda _: CALENDAR, "document": DECISION, "at": BACK_AT}
        return len(deadline_moves.move(deadline, calendar, **facts)[1])  # type: ignore[arg-type]

    met = done(opened(), ANSWERED_AT)
    assert (moves(met), moves(again(met))) == (0, 1)
