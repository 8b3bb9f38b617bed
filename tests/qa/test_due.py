"""What time alone ends: an unclear question that nobody sends again, and the time for which data is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.qa import domain, handlers
from services.qa.domain import Question
from services.qa.jobs import Overdue
from services.qa.queries import due
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.contracts.qa import ErasureCause, NoticeKind, Outcome, RefusalGround
from shared.desk import utc_now
from tests.qa.conftest import SECRET, Edges
from tests.qa.world import HA

NOW = utc_now()
POLICY = Policy()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


async def refused(edges: Edges, ground: RefusalGround, told: datetime, **changes: Any) -> Any:
    """A question whose asker was told then that it is refused."""
    asked = await edges.asked(**changes)
    edge = edges.service.edge
    referral = {"referral": "advised_asker", "agency": "UBND xã"} if ground == "out_of_scope" else {}
    cmd: Any = domain.RefuseQuestion(asked["id"], ground, "Xin nói rõ hơn.", **referral)
    await handlers.refuse_question(cmd, edge.desk(HA, now=told))
    desk = edge.desk(now=told)
    question = await desk.load(Question, asked["id"])
    notice = domain.RecordNotice(question.id, NoticeKind.REFUSAL, question.id, "<1@x>", told)
    await desk.append(domain.record_notice(question, notice))
    return question.id


async def now(edges: Edges, id: Any) -> Question:
    return await edges.service.edge.desk().load(Question, id)


async def commits(edges: Edges) -> int:
    return int(await edges.service.database.journal.count_documents({"stream": {"$regex": "^question-"}}))


def overdue(edges: Edges) -> Overdue:
    return Overdue(edges.service.edge)


async def by_two(work: Callable[[], Awaitable[int]]) -> int:
    """As two replicas do it at the same moment."""
    return sum(await asyncio.gather(work(), work()))


async def test_an_unclear_question_that_nobody_sends_again_ends_after_its_days(edges: Edges) -> None:
    """Its last day is a working day: two weeks more are enough for any holiday."""
    over = await refused(edges, RefusalGround.UNCLEAR, ago(POLICY.unclear_lapses_after + 14))
    young = await refused(edges, RefusalGround.UNCLEAR, ago(POLICY.unclear_lapses_after - 0.1))
    today = await refused(edges, RefusalGround.UNCLEAR, ago(POLICY.unclear_lapses_after))
    await edges.project()
    before = await commits(edges)
    assert await by_two(overdue(edges).lapse) == 1
    assert await commits(edges) == before + 1
    assert (await now(edges, over)).outcome is Outcome.LAPSED
    assert [(await now(edges, id)).outcome for id in (young, today)] == [None, None]
    assert await by_two(overdue(edges).lapse) == 0  # before the list shows it
    await edges.project()
    found = await due.unclear_since(edges.service.database, ago(POLICY.unclear_lapses_after), 9)
    assert [id for id, _ in found] == [str(today)]


async def test_what_was_sent_again_meanwhile_does_not_lapse(edges: Edges) -> None:
    """The list is late: the record has the last word."""
    id = await refused(edges, RefusalGround.UNCLEAR, ago(40))
    await edges.project()
    desk = edges.service.edge.desk()
    question = await desk.load(Question, id)
    await desk.append(domain.continued(question, id, "HD-1", resubmitted=True))
    assert await overdue(edges).lapse() == 0
    assert (await now(edges, id)).outcome is Outcome.RESUBMITTED


async def test_data_is_kept_for_its_time_and_erased_after_it(edges: Edges) -> None:
    old = await refused(edges, RefusalGround.OUT_OF_SCOPE, ago(POLICY.kept_for + 0.1))
    younger = await refused(edges, RefusalGround.OUT_OF_SCOPE, ago(POLICY.kept_for - 0.1))
    waiting = (await edges.asked())["id"]
    await edges.project()
    before = await commits(edges)
    assert await by_two(overdue(edges).expire) == 1
    assert await commits(edges) == before + 1
    desk = edges.service.edge.desk()
    erased = await now(edges, old)
    assert (erased.erased, erased.outcome) == (True, Outcome.REFUSED)  # the figures stay
    last = (await desk.journal.read(Question.stream_of(old)))[-1]
    assert ErasureCause.RETENTION.value in last.events[0].data
    assert [(await now(edges, id)).erased for id in (younger, waiting)] == [False, False]
    await edges.project()
    assert await by_two(overdue(edges).expire) == 0


async def test_what_was_opened_again_meanwhile_is_kept(edges: Edges) -> None:
    id = await refused(edges, RefusalGround.OUT_OF_SCOPE, ago(POLICY.kept_for + 1))
    await edges.project()
    desk = edges.service.edge.desk(HA)
    question = await desk.load(Question, id)
    await desk.append(domain.take_note(question, "ref", "hash", by=HA))  # anything newer than the list
    assert await overdue(edges).expire() == 0
    assert not (await now(edges, id)).erased


async def test_what_is_due_is_read_by_indexes_that_hold_little_else(edges: Edges) -> None:
    await refused(edges, RefusalGround.UNCLEAR, ago(40))
    await refused(edges, RefusalGround.UNCLEAR, ago(1))
    await refused(edges, RefusalGround.OUT_OF_SCOPE, ago(POLICY.kept_for + 1))
    await refused(edges, RefusalGround.OUT_OF_SCOPE, ago(2))
    for _ in range(5):
        await edges.asked()
    await edges.project()
    over = {"erased": False, "closed_at": {"$type": "date", "$lt": ago(POLICY.kept_for)}}
    unclear = {**due.UNCLEAR, "told_refusal_at": {"$lte": ago(30)}}
    for which, by in ((over, "closed_at"), (unclear, "told_refusal_at")):
        plan = await edges.service.database[QUESTIONS].find(which).sort(by, 1).limit(200).explain()
        assert plan["executionStats"]["totalDocsExamined"] == 1
        assert plan["executionStats"]["totalKeysExamined"] <= 2


def test_each_of_these_terms_is_a_setting() -> None:
    given: Any = {"unclear_lapses_after": 10, "follow_up_within": 20, "kept_for": 365}
    policy = QaSettings(secret_key=SECRET, **given).policy()
    assert replace(policy, **given) == policy
