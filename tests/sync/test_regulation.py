"""Điều 12, read as a test: which clause binds us to which portal, and what «kịp thời» means."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.regulation import (
    BASIS,
    PORTAL_WORKFLOW,
    WORKFLOW,
    Policy,
    PortalKind,
    link_by,
)
from shared.calendar import CALENDAR, VIETNAM
from shared.contracts.sync import Action
from shared.testing import local
from tests.sync.world import CHINH_PHU, HA_NOI, NOI_VU, planned


def last_moment(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00+07:00") + timedelta(days=1)


def test_clause_1_binds_to_the_government_and_the_ministries_clause_2_to_the_provinces() -> None:
    assert BASIS[PortalKind.GOVERNMENT] == BASIS[PortalKind.MINISTRY] == "dieu-12#khoan-1"
    assert BASIS[PortalKind.PROVINCE] == "dieu-12#khoan-2"
    for portal in (CHINH_PHU, NOI_VU, HA_NOI):
        clock = planned(portal=portal)[1][0].opens[0]  # type: ignore[attr-defined]
        assert clock.basis == BASIS[portal.kind]
        assert clock.duty == "linking"


@pytest.mark.parametrize(("since", "last_day"), [
    pytest.param("2026-11-23T09:00", "2026-11-23", id="a working day: its own end"),
    pytest.param("2026-11-23T23:59", "2026-11-23", id="a minute before midnight: still that day"),
    pytest.param("2026-11-24T09:00", "2026-11-25", id="a holiday: the next working day"),
    pytest.param("2026-08-22T09:00", "2026-08-22", id="a worked Saturday is a working day"),
    pytest.param("2025-05-02T09:00", "2025-05-05", id="a day off in exchange: the next working day"),
    pytest.param("2026-11-22T09:00", "2026-11-23", id="a Sunday: the Monday"),
])  # fmt: skip
def test_what_is_published_is_linked_by_the_end_of_the_same_working_day(since: str, last_day: str) -> None:
    due = link_by(Action.PUBLISH, local(since), CALENDAR, Policy())
    assert due.due_at == last_moment(last_day)
    assert f"{due.last_day:%d/%m/%Y}" in CALENDAR.explain(due).sentence_vi


def test_kip_thoi_may_be_read_as_one_working_day() -> None:
    due = link_by(Action.PUBLISH, local("2026-11-23T09:00"), CALENDAR, Policy(link_within=1))
    assert due.due_at == last_moment("2026-11-25")  # the 24th is Ngày Văn hóa Việt Nam


def test_a_withdrawal_is_due_the_very_day_be_it_a_day_off() -> None:
    due = link_by(Action.WITHDRAW, local("2026-11-22T09:00"), CALENDAR, Policy())
    assert due.due_at == last_moment("2026-11-22")


def test_a_warning_is_given_after_half_an_hour_but_never_after_the_term() -> None:
    clock = planned(since=local("2026-11-23T09:00"))[1][0].opens[0]  # type: ignore[attr-defined]
    assert clock.warn_at == local("2026-11-23T09:30")
    late = planned(since=local("2026-11-23T23:45"))[1][0].opens[0]  # type: ignore[attr-defined]
    assert late.warn_at is None
    assert late.due_at.astimezone(VIETNAM) == last_moment("2026-11-23")


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1))
def test_waits_grow_under_a_bound_that_doubles_and_never_end(failures: int, draw: float) -> None:
    wait = Policy().retry_in(failures, draw)
    assert timedelta(milliseconds=200) <= wait <= Policy().longest_retry
    if failures == 1:
        assert wait <= timedelta(seconds=2)


def test_retry_after_is_honoured_up_to_the_longest_wait() -> None:
    policy = Policy()
    assert policy.retry_in(1, 0.5, timedelta(seconds=90)) == timedelta(seconds=90)
    assert policy.retry_in(1, 0.5, timedelta(days=9)) == policy.longest_retry
    assert policy.retry_in(9, 1.0, timedelta(seconds=1)) > timedelta(minutes=8)


def test_every_row_of_the_tables_cites_article_12() -> None:
    bases = {step.basis for table in (WORKFLOW, PORTAL_WORKFLOW) for step in table.steps}
    assert bases <= {"dieu-12#khoan-1", "dieu-12#khoan-2"}
