"""A deadline is judged by when things happened, whatever the order in which they are told."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier import domain
from services.notifier.domain import Deadline, Ending, deadline_id
from services.notifier.regulation import DEADLINES, DeadlineStatus
from services.notifier.regulation_stages import schedule
from shared.calendar import CALENDAR
from shared.errors import Forbidden, IllegalTransition
from shared.testing import local
from shared.workflow import SYSTEM, Actor
from tests.notifier.world import SUBJECT, same_day_clock, triage_clock

CLOCK = triage_clock()
PLAN = schedule(CLOCK, CALENDAR)
DUE = CLOCK.due_at
Fact = Ending | None  # None: the opening


def register(facts: Sequence[Fact]) -> Deadline:
    known: Deadline | None = None
    for fact in facts:
        if fact is None:
            known, _ = domain.open_deadline(known, SUBJECT, CLOCK, source="qa", label="HD-1")
        else:
            known, _ = domain.end_deadline(known, SUBJECT, CLOCK.name, fact)
    assert known is not None
    return known


def done(at: datetime) -> Ending:
    return Ending(at, False, "qa:x:2:0")


def test_what_is_done_on_the_last_day_is_in_time() -> None:
    met = register([None, done(DUE - timedelta(milliseconds=1))])
    assert (met.status, met.late) == (DeadlineStatus.MET, False)


def test_what_is_done_at_midnight_after_the_last_day_is_late() -> None:
    met = register([None, done(DUE)])
    assert (met.status, met.late) == (DeadlineStatus.MET, True)


def test_the_triage_of_a_question_of_23_november_2026_ends_on_1_december_over_a_holiday() -> None:
    assert CALENDAR.day_of(DUE - timedelta(seconds=1)).isoformat() == "2026-12-01"
    assert "24/11 nghỉ Ngày Văn hóa Việt Nam" in CLOCK.explanation_vi


def test_a_duty_of_the_same_day_runs_out_at_midnight_even_on_a_sunday() -> None:
    assert same_day_clock(local("2026-11-22T23:50")).due_at == local("2026-11-23T00:00")


instants = st.datetimes(
    DUE.replace(tzinfo=None) - timedelta(days=9), DUE.replace(tzinfo=None) + timedelta(days=9)
)
endings = st.builds(
    lambda at, void: Ending(at.replace(tzinfo=DUE.tzinfo), void, "x"), instants, st.booleans()
)


@given(st.lists(endings, max_size=4).flatmap(lambda ends: st.permutations([None, *ends])))
def test_the_verdict_does_not_depend_on_the_order_in_which_it_is_told(facts: list[Fact]) -> None:
    verdict = register(facts)
    ends = [fact for fact in facts if fact is not None]
    if not ends:
        assert verdict.status is DeadlineStatus.OPEN
        return
    first = min(ends)
    assert verdict.ending == first
    assert verdict.status is (DeadlineStatus.VOID if first.void else DeadlineStatus.MET)
    assert verdict.late is (not first.void and first.at >= DUE)


@given(st.lists(endings, min_size=1, max_size=3))
def test_telling_everything_twice_changes_nothing(ends: list[Ending]) -> None:
    assert register([None, *ends]) == register([None, *ends, None, *ends])


def test_an_end_that_is_told_first_waits_for_its_beginning() -> None:
    early = register([done(DUE)])
    assert (early.status, early.clock) == (DeadlineStatus.AWAITED, None)
    state, events = domain.open_deadline(early, SUBJECT, CLOCK, source="qa")
    assert [event.name for event in events] == ["notifier.deadline.opened", "notifier.deadline.met"]
    assert state.late


def test_a_deadline_has_one_identity_for_its_subject_and_clock() -> None:
    assert deadline_id(SUBJECT, "triage") == deadline_id(SUBJECT, "triage")
    assert deadline_id(SUBJECT, "triage") != deadline_id(SUBJECT, "unit_reply")


class TestFiring:
    def stages(self, at: datetime, deadline: Deadline | None = None) -> list[str]:
        deadline, fired = deadline or register([None]), []
        while True:
            (deadline, events), _ = domain.fire(deadline, PLAN, at=at)
            if not events:
                return fired
            fired += [getattr(e, "stage", "") or getattr(e, "level", "") or "breached" for e in events]

    def test_nothing_fires_early(self) -> None:
        assert CLOCK.warn_at is not None
        assert self.stages(CLOCK.warn_at - timedelta(milliseconds=1)) == []

    def test_the_warning_comes_after_two_working_days(self) -> None:
        assert CLOCK.warn_at is not None
        assert self.stages(CLOCK.warn_at) == ["warned"]

    def test_what_is_found_overdue_drops_its_reminders_on_record_and_skips_nothing_else(self) -> None:
        assert self.stages(DUE + timedelta(days=30)) == [
            "warned", "last_morning", "breached", "unit_head", "leadership",
        ]  # fmt: skip

    def test_a_breach_bears_the_true_due_time_however_late_it_fires(self) -> None:
        (_, events), key = domain.fire(register([None]), PLAN, at=DUE + timedelta(days=3))
        assert key.endswith("#breached")
        assert [event.name.rpartition(".")[2] for event in events] == [
            "reminder_dropped", "reminder_dropped", "breached",
        ]  # fmt: skip
        assert events[-1].due_at == DUE  # type: ignore[attr-defined]

    def test_what_is_done_or_no_longer_owed_fires_nothing(self) -> None:
        late = DUE + timedelta(days=9)
        assert self.stages(late, register([None, done(DUE)])) == []
        assert self.stages(late, register([None, Ending(DUE, True, "x")])) == []

    def test_a_breach_that_turns_out_wrong_is_followed_by_the_truth_and_not_deleted(self) -> None:
        (breached, _), _ = domain.fire(register([None]), PLAN, at=DUE)
        met, _ = domain.end_deadline(breached, SUBJECT, CLOCK.name, done(DUE - timedelta(hours=1)))
        assert (met.breached, met.status, met.late) == (True, DeadlineStatus.MET, False)

    def test_overdue_is_derived_and_never_a_status(self) -> None:
        deadline = register([None])
        assert not deadline.overdue(DUE - timedelta(milliseconds=1))
        assert deadline.overdue(DUE)
        assert "overdue" not in set(DeadlineStatus)


ACTS = sorted({step.act for step in DEADLINES.steps})


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", DeadlineStatus)
def test_nobody_but_the_system_keeps_the_register(status: DeadlineStatus, act: str) -> None:
    for role in ("operator", "calendar_keeper", "author", "service"):
        with pytest.raises(Forbidden):
            DEADLINES.after(status, act, Actor("u", roles=frozenset({role})))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", DeadlineStatus)
def test_an_act_goes_where_the_table_says_or_nowhere(status: DeadlineStatus, act: str) -> None:
    rows = [step.after for step in DEADLINES.steps if (step.status, step.act) == (status, act)]
    if rows:
        assert DEADLINES.after(status, act, SYSTEM) == rows[0]
    else:
        with pytest.raises(IllegalTransition):
            DEADLINES.after(status, act, SYSTEM)
