"""The stages of each duty, as tests that read like the text: whom to tell, and when."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier import domain
from services.notifier.domain import Deadline, Ending
from services.notifier.domain.deadline_moves import move
from services.notifier.regulation import DUTIES, DeadlineStatus
from services.notifier.regulation_stages import (
    AHEAD,
    ANY_DUTY,
    FROM_DUE_ON,
    STAGES,
    STAGES_VI,
    Audience,
    Hours,
    Kind,
    schedule,
    stages_of,
)
from shared.calendar import CALENDAR, VIETNAM, WorkingCalendar
from shared.contracts.base import Clock, Event
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import DeadlineReopened, DeadlineRescinded, Level
from shared.testing import local
from tests.notifier.calendars import DECISION, calendar_with, day
from tests.notifier.world import SUBJECT, same_day_clock, triage_clock

DAY = timedelta(days=1)


def clock(duty: str, days: int, start: str, *, warned_after: int | None = None) -> Clock:
    began = local(start)
    return clock_for(
        CALENDAR.due(began, days), CALENDAR, duty=duty, basis="dieu-11#hoi-dap-2", owner_unit="bhxh-ha-noi",
        reason="ngày đơn vị nhận câu hỏi",
        warn_at=CALENDAR.due(began, warned_after).due_at if warned_after else None,
    )  # fmt: skip


def told(clock: Clock) -> dict[str, str]:
    """Stage → when, in Vietnam."""
    return {p.stage.name: f"{p.at.astimezone(VIETNAM):%Y-%m-%d %H:%M}" for p in schedule(clock, CALENDAR)}


def test_triage_within_02_to_05_working_days_is_warned_of_after_02_and_breached_after_05() -> None:
    """«trong vòng 02 đến 05 ngày làm việc»; 24 November 2026 is a holiday."""
    assert told(triage_clock(local("2026-11-23T09:00"))) == {
        "warned": "2026-11-27 00:00",
        "last_morning": "2026-12-01 08:00",
        "breached": "2026-12-02 00:00",
        "unit_head": "2026-12-02 08:00",
        "leadership": "2026-12-04 08:00",
    }


def test_what_must_be_told_the_same_day_is_pressed_for_in_the_evening_and_goes_up_at_midnight() -> None:
    """«phải thông báo ngay trong ngày»: nobody waits for working hours, on a Sunday as on any day."""
    assert told(same_day_clock(local("2026-11-22T09:00"))) == {
        "evening": "2026-11-22 16:00",
        "night": "2026-11-22 22:00",
        "breached": "2026-11-23 00:00",
        "centre": "2026-11-23 00:00",
        "leadership": "2026-11-23 08:00",
    }


def test_what_begins_at_night_is_not_reminded_of_in_the_afternoon_before() -> None:
    assert list(told(same_day_clock(local("2026-11-23T22:30")))) == ["breached", "centre", "leadership"]


def test_a_unit_is_told_of_its_seven_days_after_five_and_on_the_last_morning() -> None:
    """«Trong vòng 07 ngày làm việc»: from Monday 28 April 2025, over the holiday bridge, to Monday 12 May."""
    assert told(clock("unit_reply", 7, "2025-04-28T09:00", warned_after=5)) == {
        "warned": "2025-05-09 00:00",
        "last_morning": "2025-05-12 08:00",
        "breached": "2025-05-13 00:00",
        "unit_head": "2025-05-13 08:00",
        "centre": "2025-05-14 08:00",
        "leadership": "2025-05-19 08:00",
    }


def test_a_complex_question_is_reminded_of_half_way_and_two_days_before() -> None:
    """«xử lý trong vòng 10 ngày làm việc»."""
    found = told(clock("complex_reply", 10, "2025-04-28T09:00"))
    assert (found["half_way"], found["two_days_before"], found["breached"]) == (
        "2025-05-09 08:00", "2025-05-13 08:00", "2025-05-16 00:00",
    )  # fmt: skip


def test_ten_days_of_a_complex_question_run_from_its_receipt_and_are_warned_of_after_eight() -> None:
    """«xử lý trong vòng 10 ngày làm việc kể từ khi nhận được câu hỏi»: from Monday 28 April 2025, over the
    holiday bridge, to Thursday 15 May; what stays undone goes up as far as the leadership."""
    assert told(clock("complex_reply", 10, "2025-04-28T09:00", warned_after=8)) == {
        "half_way": "2025-05-09 08:00",
        "two_days_before": "2025-05-13 08:00",
        "warned": "2025-05-14 00:00",
        "last_morning": "2025-05-15 08:00",
        "breached": "2025-05-16 00:00",
        "unit_head": "2025-05-16 08:00",
        "centre": "2025-05-19 08:00",
        "leadership": "2025-05-22 08:00",
    }


def test_a_unit_that_is_asked_for_its_opinion_is_told_on_its_last_day_and_its_head_after_it() -> None:
    """«phải lấy ý kiến nhiều đơn vị»: by a day that is stated; the leadership is told of the ten days."""
    asked = clock("consultation", 3, "2025-05-05T09:00").model_copy(
        update={"working_days": None, "warn_at": local("2025-05-08T00:00")}
    )
    assert told(asked) == {
        "warned": "2025-05-08 00:00",
        "last_morning": "2025-05-08 08:00",
        "breached": "2025-05-09 00:00",
        "unit_head": "2025-05-09 08:00",
        "centre": "2025-05-12 08:00",
    }


def test_an_opinion_that_is_asked_for_on_the_same_day_is_due_that_night() -> None:
    asked = same_day_clock(local("2025-05-08T09:00")).model_copy(update={"duty": "consultation"})
    assert list(told(asked)) == ["breached", "unit_head", "centre"]


def test_of_reminders_that_fall_together_one_goes_out() -> None:
    """One working day: half of it, two days before it and its last morning are one morning at most."""
    found = told(clock("supply", 1, "2025-04-25T09:00"))
    assert list(found) == ["last_morning", "breached", "unit_head", "centre", "leadership"]
    assert found["last_morning"] == "2025-04-26 08:00"  # a worked Saturday


@pytest.mark.parametrize("duty", [*STAGES, "unknown_duty"])
def test_every_duty_is_breached_at_its_due_instant_whoever_is_reminded(duty: str) -> None:
    stages = stages_of(duty)
    (breach,) = [stage for stage in stages if stage.kind is Kind.BREACH]
    assert breach.statutory and breach.at_once
    assert not any(stage.statutory for stage in stages if stage.kind is Kind.WARN)
    assert all(stage.statutory for stage in stages if stage.kind is Kind.ESCALATE)
    levels = [stage.audience for stage in stages if stage.kind is Kind.ESCALATE]
    assert levels == sorted(levels, key=list(Audience).index)  # ever further up
    assert {stage.name for stage in stages} <= AHEAD | set(FROM_DUE_ON) == set(STAGES_VI)


def test_every_duty_that_the_register_names_has_its_rows() -> None:
    assert set(STAGES) == set(DUTIES)
    assert stages_of("no_such_duty") is ANY_DUTY


def test_an_escalation_carries_the_level_to_which_it_goes() -> None:
    assert {level.value for level in Level} == {a.value for a in Audience} - {"unit"}


def test_a_stage_in_a_year_that_nobody_has_entered_has_no_time_and_guesses_none() -> None:
    last = CALENDAR.years[-1]
    promised = triage_clock().model_copy(update={
        "working_days": None, "warn_at": None, "due_at": local(f"{last + 1}-01-01T00:00"),
        "duty": "promised_reply",
    })  # fmt: skip
    names = [planned.stage.name for planned in schedule(promised, CALENDAR)]
    assert "breached" in names
    assert not {"unit_head", "centre", "leadership"} & set(names)


class TestWorkingHours:
    @pytest.mark.parametrize(
        ("at", "opens"),
        [
            pytest.param("2026-11-23T08:00", "2026-11-23T08:00", id="they have begun"),
            pytest.param("2026-11-23T07:59", "2026-11-23T08:00", id="before them"),
            pytest.param("2026-11-23T17:00", "2026-11-25T08:00", id="after them, and a holiday follows"),
            pytest.param("2026-11-21T09:00", "2026-11-23T08:00", id="on a Saturday"),
            pytest.param("2026-08-22T09:00", "2026-08-22T09:00", id="on a worked Saturday"),
        ],
    )
    def test_what_may_wait_waits_for_them(self, at: str, opens: str) -> None:
        assert Hours().next_open(local(at), CALENDAR) == local(opens)


# The state machine: opening, ending, voiding, reopening, moving and firing in any order, any number of times.

CLOCK = triage_clock()
DUE = CLOCK.due_at
MOVED: WorkingCalendar = calendar_with(day("2026-11-26"), version="2026-11-25")
Act = tuple[str, int]
acts = st.lists(
    st.tuples(
        st.sampled_from(["open", "end", "void", "reopen", "move", "fire"]), st.integers(-24 * 9, 24 * 20)
    ),
    max_size=14,
)


def run(done: list[Act]) -> tuple[Deadline | None, list[Event], list[str]]:
    """Each act at so many hours from the first due instant."""
    known: Deadline | None = None
    events: list[Event] = []
    keys: list[str] = []
    for number, (act, hours) in enumerate(done):
        at, new = DUE + timedelta(hours=hours), ()
        if act == "open":
            known, new = domain.open_deadline(known, SUBJECT, CLOCK, source="qa")
        elif act in ("end", "void"):
            known, new = domain.end_deadline(
                known, SUBJECT, CLOCK.name, Ending(at, act == "void", f"x{number}")
            )
        elif act == "reopen":
            known, new = domain.reopen_deadline(known, SUBJECT, CLOCK, cause=f"x{number}", source="qa")
        elif known is not None and act == "move":
            known, new = move(known, MOVED, known=lambda _: CALENDAR, document=DECISION, at=at)
        elif known is not None and known.clock is not None and act == "fire":
            counted = MOVED if known.moved else CALENDAR
            (known, new), key = domain.fire(known, schedule(known.clock, counted), at=at)
            keys += [key] if key else []
        events += new
    return known, events, keys


@settings(max_examples=400, deadline=None)
@given(acts)
def test_in_whatever_order_things_come_each_stage_fires_once_and_nothing_early(done: list[Act]) -> None:
    known, events, keys = run(done)
    assert len(keys) == len(set(keys))
    if known is None or known.clock is None:
        assert keys == []
        return
    assert known == Deadline.fold(events)
    rescinded = sum(
        isinstance(event, DeadlineRescinded) or (isinstance(event, DeadlineReopened) and event.withdrawn)
        for event in events
    )
    stages = [key.partition("#")[2].partition("@")[0] for key in keys]
    assert stages.count("breached") <= 1 + rescinded


@settings(max_examples=400, deadline=None)
@given(acts, st.randoms(use_true_random=False))
def test_the_verdict_is_the_same_however_often_and_in_whatever_order_it_is_told(
    done: list[Act], random: object
) -> None:
    """Openings and endings, shuffled and repeated, with firings anywhere between; moves come once open."""
    told = [("open", 0), *[act for act in done if act[0] in ("end", "void")]]
    again = [*told, *told, *[act for act in done if act[0] == "fire"]]
    random.shuffle(again)  # type: ignore[attr-defined]
    straight, _, _ = run(told)
    shuffled, _, _ = run(again)
    assert straight is not None and shuffled is not None
    assert (straight.status, straight.late, straight.ending) == (
        shuffled.status, shuffled.late, shuffled.ending,
    )  # fmt: skip


def test_a_move_that_brings_the_breach_back_arms_it_again_under_another_key() -> None:
    """Thursday 26 November becomes a day off after the breach of 1 December was told: it ends on the 2nd."""
    done = [("open", 0), ("fire", 1), ("move", 2), ("fire", 3), ("fire", 25)]
    known, events, keys = run(done)
    assert known is not None and known.clock is not None
    assert known.clock.due_at == DUE + DAY
    assert (known.rescinded, known.breached, known.status) == (True, True, DeadlineStatus.OPEN)
    breaches = [key.partition("#")[2] for key in keys if "#breached" in key]
    assert breaches == ["breached", "breached@2026-11-25"]
    assert [e.name for e in events].count("notifier.deadline.rescinded") == 1


def test_a_reminder_goes_out_again_when_the_day_has_moved_and_not_when_it_has_not() -> None:
    plan = schedule(CLOCK, CALENDAR)
    morning = next(planned.at for planned in plan if planned.stage.name == "last_morning")
    hours = int((morning - DUE).total_seconds() // 3600)
    _, _, keys = run([("open", 0), ("fire", hours), ("fire", hours), ("move", hours), ("fire", hours + 24)])
    assert [key.partition("#")[2] for key in keys] == ["last_morning", "last_morning@2026-11-25"]


def test_planned_times_are_instants_of_utc() -> None:
    assert all(planned.at.utcoffset() == timedelta() for planned in schedule(CLOCK, CALENDAR))
