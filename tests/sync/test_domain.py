"""The whole matrix of a delivery's life, and what each decision puts on record."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from services.sync import domain
from services.sync.domain import (
    AcknowledgedAnother,
    Acknowledgement,
    ConfirmDelivery,
    Delivery,
    FailDelivery,
    Portal,
    SupersedeDelivery,
    delivery_id,
)
from services.sync.regulation import WORKFLOW, Link, Status
from shared.contracts.sync import (
    Action,
    DeliveryEscalated,
    DeliveryFailed,
    DeliverySucceeded,
    DeliverySuperseded,
    SupersededBy,
)
from shared.errors import Forbidden, IllegalTransition
from shared.workflow import SYSTEM, Actor
from tests.sync.world import AUTHOR, MONDAY, OPERATOR, POLICY, planned

SENT = Acknowledgement("bai-1", 3, "a" * 64)


def failing(delivery: Delivery, *, after: timedelta = timedelta(), **facts: Any) -> Any:
    usual: dict[str, Any] = {"reason": "Cổng báo lỗi (503).", "failures": 1, "draw": 1.0, "http_status": 503}
    command = FailDelivery(delivery.id, **(usual | facts))
    return domain.fail(delivery, command, by=SYSTEM, at=MONDAY + after, policy=POLICY)


def act(name: str, delivery: Delivery, by: Actor) -> Any:
    if name == "confirm":
        return domain.confirm(delivery, ConfirmDelivery(delivery.id, SENT, SENT), by=by, at=MONDAY)
    if name == "fail":
        return domain.fail(
            delivery, FailDelivery(delivery.id, "lỗi", 1, 0.5), by=by, at=MONDAY, policy=POLICY
        )
    return domain.supersede(delivery, SupersedeDelivery(delivery.id, SupersededBy.NEWER_VERSION), by=by)


def in_state(status: Status) -> Delivery:
    delivery, _ = planned()
    match status:
        case Status.FAILED:
            return act("fail", delivery, SYSTEM)[0]  # type: ignore[no-any-return]
        case Status.DONE:
            return act("confirm", delivery, SYSTEM)[0]  # type: ignore[no-any-return]
        case Status.SUPERSEDED:
            return act("supersede", delivery, SYSTEM)[0]  # type: ignore[no-any-return]
    return delivery


@pytest.mark.parametrize(
    ("status", "name", "by"),
    list(product(Status, ("confirm", "fail", "supersede"), (SYSTEM, OPERATOR, AUTHOR))),
)
def test_each_act_is_allowed_exactly_where_the_table_says(status: Status, name: str, by: Actor) -> None:
    delivery = in_state(status)
    rows = [s for s in WORKFLOW.steps if s.status == status and s.act == name and s.role in by.roles]
    if rows:
        after, events = act(name, delivery, by)
        assert after.status is rows[0].after
        assert events
    else:
        with pytest.raises(IllegalTransition if by is SYSTEM else Forbidden):
            act(name, delivery, by)


def test_planning_the_same_thing_twice_names_the_same_delivery() -> None:
    item = uuid4()
    assert delivery_id(item, 3, Action.PUBLISH, "a") == delivery_id(item, 3, Action.PUBLISH, "a")
    ids = {delivery_id(item, v, a, p) for v, a, p in product((3, 4), Action, ("a", "b"))}
    assert len(ids) == 8


def test_a_confirmation_stops_the_clock_at_the_moment_of_the_acknowledgement() -> None:
    delivery, _ = planned()
    after, (event,) = act("confirm", delivery, SYSTEM)
    assert isinstance(event, DeliverySucceeded)
    assert event.closes == ("linking",)
    assert event.closed_at == event.acknowledged_at == MONDAY
    assert (event.attempts, event.content_hash) == (1, SENT.hash)
    assert after.attempts == 1


@pytest.mark.parametrize("other", [
    Acknowledgement("bai-2", 3, SENT.hash), Acknowledgement("bai-1", 2, SENT.hash),
    Acknowledgement("bai-1", 3, "b" * 64),
], ids=["another item", "another version", "another hash"])  # fmt: skip
def test_an_acknowledgement_of_something_else_is_none(other: Acknowledgement) -> None:
    delivery, _ = planned()
    with pytest.raises(AcknowledgedAnother):
        domain.confirm(delivery, ConfirmDelivery(delivery.id, SENT, other), by=SYSTEM, at=MONDAY)


def test_a_failure_says_why_and_when_it_is_tried_again() -> None:
    delivery, _ = planned()
    after, (event,) = failing(delivery)
    assert isinstance(event, DeliveryFailed)
    assert (event.attempt, event.http_status) == (1, 503)
    assert event.retry_at == MONDAY + timedelta(seconds=2)
    assert failing(after, failures=4)[1][0].retry_at == MONDAY + timedelta(seconds=16)


def test_after_three_days_a_person_is_called_once_and_it_goes_on() -> None:
    delivery, _ = planned()
    early, events = failing(delivery, after=timedelta(days=2, hours=23))
    assert not any(isinstance(e, DeliveryEscalated) for e in events)
    late, events = failing(early, after=timedelta(days=3))
    assert isinstance(events[1], DeliveryEscalated)
    assert late.status is Status.FAILED
    again, events = failing(late, after=timedelta(days=9))
    assert [type(e) for e in events] == [DeliveryFailed]
    assert events[0].retry_at > MONDAY + timedelta(days=9)
    assert again.status.open


def test_another_text_under_the_same_version_calls_a_person_at_once() -> None:
    delivery, _ = planned()
    _, events = failing(delivery, conflict=True, http_status=409)
    assert [type(e) for e in events] == [DeliveryFailed, DeliveryEscalated]


def test_a_superseded_delivery_is_no_longer_owed() -> None:
    _, (event,) = act("supersede", in_state(Status.FAILED), SYSTEM)
    assert isinstance(event, DeliverySuperseded)
    assert event.voids == ("linking",)


def test_a_delivery_folds_to_the_same_state_from_its_record() -> None:
    delivery, first = planned()
    failed, second = failing(delivery)
    done, third = act("confirm", failed, SYSTEM)
    assert Delivery.fold([*first, *second, *third]) == done
    assert done.attempts == 2


def test_only_an_operator_may_order_a_retry_and_only_at_a_linked_portal() -> None:
    portal, _ = domain.retry(Portal("bhxh-ha-noi"), by=OPERATOR, link=Link.LINKED)
    assert portal.retries == 1
    with pytest.raises(Forbidden):
        domain.retry(portal, by=AUTHOR, link=Link.LINKED)
    with pytest.raises(IllegalTransition):
        domain.retry(portal, by=OPERATOR, link=Link.UNLINKED)
