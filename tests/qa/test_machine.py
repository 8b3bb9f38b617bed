"""Random acts, lawful and not, against the service at its edge on a real database: after each of them every
clock is what a second reading of the sentences comes to, and the queue shows it by what ends first."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from services.qa import domain, handlers
from services.qa.consumers import TABLE
from services.qa.domain import Question
from services.qa.domain.codes import Codes
from services.qa.queries.file import RunningClock, file_of
from services.qa.queries.read_models import QUESTIONS, projections
from services.qa.regulation import Policy
from shared.contracts.base import Recorded
from shared.contracts.qa import TOPIC, AnswerReleased, NoticeKind, QuestionRefused, QuestionSplit
from shared.desk import Desk
from shared.errors import PortalError
from shared.journal import AlreadyDone
from shared.mongo import from_document
from shared.projections import Projector
from shared.workflow import SYSTEM, Actor
from tests.qa.conftest import SECRET, Edges
from tests.qa.reading import CENTRE, DAY, HANOI, Case, day_of, end_of, term, worked_from
from tests.qa.world import LETTER

SECONDS = float(os.environ.get("MACHINE_SECONDS", "25"))  # more of them live more lives
STEPS = 20
ENDING = ("withdraw", "erase", "refuse", "split", "reopen")
STARTS = [
    "2025-04-24T16:00", "2025-12-30T09:00", "2026-02-11T23:50", "2026-08-20T08:00", "2026-11-20T15:00",
    "2026-11-21T10:00",
]  # fmt: skip
WAITING = ("received", "forwarded", "returned")
UNITS = ("bhxh-ha-noi", "bhxh-can-tho", "ban-chinh-sach", "bhxh-quang-ngai")


@dataclass(frozen=True)
class Who:
    id: str
    unit: str
    roles: frozenset[str]


def _who(id: str, unit: str, *roles: str) -> Who:
    return Who(id, unit, frozenset(roles))


STAFF = [
    _who("u-ha", CENTRE, "triage", "publisher"), _who("u-linh", CENTRE, "triage"),
    _who("u-khoi", CENTRE, "publisher"), _who("u-hai", CENTRE, "centre_head"),
    _who("u-tuan", "bhxh-ha-noi", "answerer"), _who("u-nga", "bhxh-can-tho", "answerer", "unit_head"),
    _who("u-duc", "ban-chinh-sach", "answerer"), _who("u-lan", "bhxh-quang-ngai", "answerer"),
    _who("u-thao", "ban-bien-tap", "auditor"),
]  # fmt: skip
ASKER = _who("asker", "", "asker")
PATHS = {
    "forward": "forwarding", "refuse": "refusal", "merge": "merging", "set_aside": "setting-aside",
    "confirm_set_aside": "setting-aside-confirmation", "restore": "restoration", "split": "splitting",
    "give_back": "return", "make_complex": "complexity", "advise": "advice", "progress": "progress",
    "answer": "answer", "send_back": "answer-return", "release": "release", "publish": "publication",
    "withhold": "withholding", "correct": "correction", "reopen": "reopening",
}  # fmt: skip
BY_ASKER = ("withdraw", "resubmit", "follow_up", "rate", "add_information", "erase")


def may(case: Case, act: str, who: Who) -> bool:
    """Who may do what, as the regulation says it; what an act must say is its own matter."""
    roles, state, ours = who.roles, case.state, who.unit == case.unit
    holds = "answerer" in roles and state == "forwarded" and ours
    published_by = "publisher" in roles and state == "answered"
    told = case.released or case.decided or case.correcting
    by_unit = case.answered_unit != CENTRE
    after = state in ("answered", "closed")
    table: dict[str, Callable[[], bool]] = {
        "forward": lambda: "triage" in roles and state in WAITING,
        "refuse": lambda: "triage" in roles and state in WAITING,
        "answer": lambda: holds or ("triage" in roles and state in ("received", "returned")),
        "merge": lambda: "triage" in roles and state in WAITING and not case.whole,
        "split": lambda: "triage" in roles and state == "received" and not case.whole,
        "set_aside": lambda: "triage" in roles and state == "received",
        "confirm_set_aside": lambda: bool(
            roles & {"triage", "publisher"} and state == "set_aside" and who.id != case.set_aside_by
        ),
        "restore": lambda: bool(roles & {"triage", "publisher"}) and state == "set_aside",
        "give_back": lambda: holds,
        "progress": lambda: holds,
        "make_complex": lambda: not case.consulted and state == "forwarded" and (
            "triage" in roles or (bool(roles & {"answerer", "unit_head"}) and ours)
        ),
        "advise": lambda: "answerer" in roles and state in ("forwarded", "returned")
        and who.unit in case.consulted - case.advised,
        "send_back": lambda: published_by and not told,
        "release": lambda: published_by and not case.released,
        "publish": lambda: published_by and not case.decided and who.id != case.answered_by,
        "withhold": lambda: published_by and not case.decided and who.id != case.answered_by,
        "correct": lambda: after and told and case.outcome in ("", "answered")
        and (("answerer" in roles and who.unit == case.unit) if by_unit else "triage" in roles),
        "reopen": lambda: "centre_head" in roles and state in ("refused", "closed"),
        "withdraw": lambda: "asker" in roles and state in (*WAITING, "set_aside", "split") and not case.whole,
        "resubmit": lambda: "asker" in roles and state == "refused" and case.ground == "unclear",
        "follow_up": lambda: "asker" in roles and after and case.asker_has_it is not None
        and "follow_up" not in case.continued,
        "rate": lambda: "asker" in roles and after and case.asker_has_it is not None and not case.rated,
        "add_information": lambda: "asker" in roles and state in WAITING,
        "erase": lambda: "asker" in roles,
    }  # fmt: skip
    return not case.erased and table[act]()  # nobody is left to answer


@dataclass
class Letter:
    """To the asker, on its way to the mail server."""

    case: Case
    kind: NoticeKind
    round: int
    number: int  # of the case's refusals or issues


@dataclass
class Town:
    """The service, its clock, and the little that stands for the rest of the system."""

    edges: Edges
    loop: asyncio.AbstractEventLoop
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 9, tzinfo=HANOI))
    seen: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def go(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def desk(self, by: Actor = SYSTEM, **facts: Any) -> Desk[Policy]:
        edge = self.edges.service.edge
        return Desk(
            edge.journal, edge.vault, edge.calendar, edge.policy, edge.kinds, edge.source, by,
            now=self.now, **facts,
        )  # fmt: skip

    async def file(self, id: str) -> tuple[Question, list[RunningClock]]:
        edge = self.edges.service.edge
        found = await file_of(edge.journal, edge.vault, edge.source, UUID(id))
        return found.question, found.clocks

    async def empty(self) -> None:
        for name in ("journal", "vault", QUESTIONS):
            await self.edges.service.database[name].delete_many({})
        self.seen = 0

    async def pump(self) -> list[Recorded[Any]]:
        """What the relay, the own topic's consumer and the projector do, until nothing is left to do."""
        edge, told = self.edges.service.edge, []
        projector = Projector(
            edge.database, projections(Codes(SECRET))[:1], edge.source, edge.vault, lambda _: None
        )
        while True:
            found = edge.database.journal.find().sort("$natural", 1).skip(self.seen)
            commits = [from_document(document) async for document in found]
            if not commits:
                return told
            self.seen += len(commits)
            await projector.project(commits)
            for recorded in (each for commit in commits for each in commit.recorded(edge.source)):
                told.append(recorded)
                handler = TABLE[TOPIC].get(type(recorded.event))
                if handler is not None:
                    await self.hears(handler, recorded)
                    await self.hears(handler, recorded)  # what is told twice happens once

    async def hears(self, handler: Any, recorded: Recorded[Any]) -> None:
        desk = self.desk(once=recorded.id, correlation=recorded.correlation, causation=recorded.id)
        try:
            await handler(recorded, desk)
        except AlreadyDone:
            return


TOWN: list[Town] = []


class Life(RuleBasedStateMachine):
    """Each rule does one thing and keeps the second reading's account of it."""

    def __init__(self) -> None:
        super().__init__()
        self.town = TOWN[0]
        self.cases: list[Case] = []
        self.letters: list[Letter] = []
        self.touched: set[str] = set()

    @initialize(
        start=st.sampled_from(STARTS),
        finding=st.booleans(),
        from_receipt=st.booleans(),
        minute=st.integers(0, 2000),
    )
    def begin(self, start: str, *, finding: bool, from_receipt: bool, minute: int) -> None:
        self.town.now = datetime.fromisoformat(start + "+07:00") + timedelta(minutes=minute)
        self.finding, self.from_receipt = finding, from_receipt
        self.town.edges.service.edge.policy = Policy(
            same_day_from="finding" if finding else "receipt",
            unit_reply_from="receipt" if from_receipt else "delivery",
        )
        self.town.go(self.town.empty())
        self._ask()

    @rule(how=st.sampled_from(["minutes", "midnight", "before midnight", "days"]), n=st.integers(1, 6))
    def time_passes(self, how: str, n: int) -> None:
        midnight = end_of(day_of(self.town.now))
        self.town.now = {
            "minutes": self.town.now + timedelta(minutes=17 * n),
            "midnight": midnight,
            "before midnight": max(self.town.now, midnight - timedelta(milliseconds=1)),
            "days": self.town.now + n * DAY,
        }[how]

    @precondition(lambda self: len(self.cases) < 6)
    @rule()
    def somebody_asks(self) -> None:
        self._ask()

    @rule(data=st.data(), times=st.integers(3, 8))
    def what_may_be_done_is_done(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            case = data.draw(st.sampled_from(self.cases))
            can = [act for act in (*PATHS, *BY_ASKER) if any(may(case, act, who) for who in (*STAFF, ASKER))]
            if data.draw(st.integers(0, 5)):  # what ends a question leaves little to look at
                can = [act for act in can if act not in ENDING] or [act for act in can if act == "reopen"]
            if not can:
                continue
            act = data.draw(st.sampled_from(can))
            who = data.draw(st.sampled_from([who for who in (*STAFF, ASKER) if may(case, act, who)]))
            self._do(case, act, who, data)
            self.every_clock_is_what_the_sentences_come_to()

    @rule(
        data=st.data(), place=st.integers(0, 50), act=st.sampled_from([*PATHS, *BY_ASKER]),
        who=st.sampled_from(STAFF),
    )  # fmt: skip
    def anybody_tries_anything(self, data: st.DataObject, place: int, act: str, who: Who) -> None:
        who = ASKER if act in BY_ASKER else who
        self._do(self.cases[place % len(self.cases)], act, who, data)

    @precondition(lambda self: self.letters)
    @rule(place=st.integers(0, 50))
    def the_mail_server_takes_a_letter(self, place: int) -> None:
        letter = self.letters.pop(place % len(self.letters))
        self._tick()
        self.town.go(self._accepted(letter))
        if letter.kind is NoticeKind.REFUSAL:
            letter.case.told_refusal(self.town.now, letter.number)
        else:
            letter.case.told_answer(self.town.now, letter.number)
        self._heard()

    @invariant()
    def every_clock_is_what_the_sentences_come_to(self) -> None:
        for case in [each for each in self.cases if each.id in self.touched]:
            self._compare(case)
        self.touched.clear()

    def teardown(self) -> None:
        for case in self.cases:
            self._compare(case)

    def _compare(self, case: Case) -> None:
        question, clocks = self.town.go(self.town.file(case.id))
        judged = sorted(
            (c.clock.duty, c.clock.due_at, verdict)
            for c in clocks
            if (verdict := c.state(self.town.now)) in ("met", "late")
        )
        assert judged == case.judged(), case.id
        running = sorted((c.duty, c.owner_unit, c.due_at) for c in question.clocks.values())
        assert (question.status, running) == (case.state, case.running()), case.id
        lead = question.lead
        assert (lead.due_at if lead else None) == case.leads
        row = self.town.go(self._row(case.id))
        shown = (row["status"], row["due_at"], row["duty"])
        assert shown == (case.state, case.leads, lead.duty if lead else ""), case.id

    async def _row(self, id: str) -> dict[str, Any]:
        row = await self.town.edges.service.database[QUESTIONS].find_one({"_id": id})
        assert row is not None
        return dict(row)

    def _tick(self) -> None:
        self.town.now += timedelta(seconds=1)

    def _ask(self) -> None:
        self._tick()
        mark = f"letter {len(self.cases)}"
        letter = LETTER.__class__(**{**_fields(LETTER), "text": f"Tôi hỏi {mark}."})
        cmd = domain.ReceiveQuestion(mark, letter)
        asked = self.town.go(self.town.desk(domain.ASKER).run(handlers.receive_question, cmd))
        self._new(str(asked.id))
        self._heard()

    def _new(self, id: str) -> None:
        self.cases.append(Case(id, self.town.now, self.finding, self.from_receipt))

    def _heard(self) -> list[Recorded[Any]]:
        """The rest of the system follows; letters to askers are on their way."""
        told: list[Recorded[Any]] = self.town.go(self.town.pump())
        self.touched |= {recorded.subject_id for recorded in told}
        for recorded in told:
            case = next((each for each in self.cases if each.id == recorded.subject_id), None)
            match recorded.event:
                case QuestionRefused():
                    self.letters.append(Letter(case, NoticeKind.REFUSAL, case.refusals, case.refusals))  # type: ignore[arg-type, union-attr]
                case AnswerReleased(correction=correction):
                    kind = NoticeKind.CORRECTION if correction else NoticeKind.ANSWER
                    earlier = self.town.go(self.town.desk().load(Question, UUID(recorded.subject_id)))
                    self.letters.append(Letter(case, kind, correction or earlier.releases, case.issue))  # type: ignore[arg-type, union-attr]
        return told

    async def _accepted(self, letter: Letter) -> None:
        desk = self.town.desk(once=uuid4().hex)
        question = await desk.load(Question, UUID(letter.case.id))
        cmd = domain.RecordNotice(question.id, letter.kind, uuid4(), "<m@x>", desk.now, round=letter.round)
        await desk.append(domain.record_notice(question, cmd))

    def _do(self, case: Case, act: str, who: Who, data: st.DataObject) -> None:
        self._tick()
        now = self.town.now
        body, then, in_order = self._said(case, act, who, data)
        lawful = may(case, act, who) and in_order
        if act in BY_ASKER:
            done = self.town.go(self._by_asker(case, act))
        else:
            path = f"/v1/questions/{case.id}/{PATHS[act]}"
            answer = self.town.go(self.town.edges.post(path, body, who.id))
            done = answer.status_code == 200
            assert done or (answer.status_code in (403, 409, 422) and answer.json()["code"]), answer.text
            if not done and not may(case, act, who):
                assert answer.status_code in (403, 409), answer.text
            assert done is lawful, (act, who.id, case.state, now.isoformat(), answer.text)
            if done:
                self._judged(case, then, answer.json(), who)
        assert done is lawful, (act, who.id, case.state, now.isoformat())
        (self.town.done if done else self.town.refused)[act] += 1
        if done and act in BY_ASKER:
            then()
        self._heard()

    def _judged(self, case: Case, then: Callable[[], None], view: dict[str, Any], who: Who) -> None:
        then()
        if view["status"] in ("closed", "split"):
            return  # what follows for other questions is told after
        offered = set(view["acts"]) & set(PATHS)
        assert offered == {act for act in PATHS if may(case, act, who)}, (case.state, who.id)

    async def _by_asker(self, case: Case, act: str) -> bool:
        id = UUID(case.id)
        desk = self.town.desk(domain.ASKER, once=uuid4().hex, fingerprint="f")
        going_on = {"resubmit": "resubmits", "follow_up": "follows"}
        doing: dict[str, tuple[Any, Any]] = {
            "withdraw": (handlers.withdraw_question, domain.WithdrawQuestion(id)),
            "rate": (handlers.rate_answer, domain.RateAnswer(id, 4)),
            "add_information": (handlers.add_information, domain.AddInformation(id, "Thêm.")),
            "erase": (handlers.erase_asker, domain.EraseAsker(id)),
        }
        if act in going_on:
            letter = LETTER.__class__(**{**_fields(LETTER), "text": f"Hỏi lại {case.id}."})
            cmd = domain.ReceiveQuestion(f"{act} {id}", letter, **{going_on[act]: id})  # type: ignore[arg-type]
            doing[act] = handlers.receive_question, cmd
        handler, cmd = doing[act]
        try:
            self.begun = await desk.run(handler, cmd)
        except PortalError as refused:
            assert refused.status in (403, 409, 422)
            return False
        return True

    def _said(  # noqa: PLR0911, PLR0912 (an arm for each act)
        self, case: Case, act: str, who: Who, data: st.DataObject
    ) -> tuple[dict[str, Any], Callable[[], None], bool]:
        """The body, what it comes to by the second reading, and whether what it says is in order."""
        now, today = self.town.now, day_of(self.town.now)
        nothing: dict[str, Any] = {}
        match act:
            case "forward":
                unit = data.draw(st.sampled_from(UNITS))
                other = not (case.state == "forwarded" and unit == case.unit)
                return {"unit": unit, "field": "bhyt"}, lambda: case.forward(now, unit), other
            case "refuse":
                ground = data.draw(st.sampled_from(["out_of_scope", "unclear"]))
                where = {"referral": "advised_asker", "agency": "UBND"} if ground == "out_of_scope" else {}
                body = {"ground": ground, "explanation": "Vì vậy.", **where}
                return body, lambda: case.refuse(now, ground), True
            case "give_back":
                finding = data.draw(st.sampled_from(["other_unit", "out_of_scope", "unclear"]))
                return {"finding": finding, "words": "Trả."}, lambda: case.give_back(now, finding), True
            case "make_complex":
                return self._complex(case, now, data)
            case "progress":
                day = today + data.draw(st.integers(-1, 12)) * DAY
                in_order = day >= today and worked_from(day) == day
                body = {"words": "Đang làm.", "promised_for": day.isoformat()}
                return body, lambda: case.progress(now, day), in_order
            case "answer":
                unit = case.unit if case.state == "forwarded" else CENTRE
                return {"text": "Được."}, lambda: case.answer(now, who.id, unit), True
            case "merge":
                into = data.draw(st.sampled_from(self.cases))
                alive = into.state in (*WAITING, "answered") or into.outcome == "answered"
                fit = into is not case and alive and not into.whole and not into.erased
                return {"into": into.id}, lambda: case.merge(now), fit and not case.erased
            case "split":
                parts = [{"subject": f"Việc {n}", "text": "Hỏi."} for n in (1, 2)]
                return {"parts": parts}, lambda: self._split(case, now), True
            case "publish":
                text = {"subject": "Hỏi", "question": "Được không?", "answer": "Được."}
                return text, lambda: case.decide(now), True
            case "reopen":
                order = {"order": "12/BHXH", "ordered_on": today.isoformat(), "reason": "Theo chỉ đạo."}
                return order, lambda: case.reopen(now), True
            case "follow_up":
                has = case.asker_has_it
                in_time = has is not None and today <= day_of(has) + 30 * DAY
                return nothing, lambda: self._going_on(case, act, now), in_time
            case "resubmit":
                return nothing, lambda: self._going_on(case, act, now), act not in case.continued
            case _:
                plain: dict[str, tuple[dict[str, Any], Callable[[], None]]] = {
                    "set_aside": ({"suspicion": "spam"}, lambda: case.set_aside(now, who.id)),
                    "confirm_set_aside": ({"suspicion": "spam"}, lambda: case.confirm_set_aside(now)),
                    "restore": ({}, lambda: case.restore(now)),
                    "advise": ({"words": "Ý kiến."}, lambda: case.advise(now, who.unit)),
                    "send_back": ({"reason": "Thiếu."}, lambda: case.send_back(now)),
                    "release": ({}, lambda: case.release(now)),
                    "withhold": ({"reason": "Trùng."}, lambda: case.decide(now)),
                    "correct": ({"text": "Đúng.", "reason": "Nhầm."}, lambda: case.correct(now, who.id)),
                    "withdraw": ({}, lambda: case.withdraw(now)),
                    "rate": ({}, lambda: setattr(case, "rated", True)),
                    "add_information": ({}, lambda: None),
                    "erase": ({}, lambda: case.erase(now)),
                }
                return (*plain[act], True)

    def _complex(
        self, case: Case, now: datetime, data: st.DataObject
    ) -> tuple[dict[str, Any], Callable[[], None], bool]:
        """At least two units, before day 7 ends; an opinion by a working day within the ten."""
        consulted = {
            unit: worked_from(day_of(now) + data.draw(st.integers(0, 4)) * DAY)
            for unit in data.draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=2, unique=True))
        }
        ten = term(case._beginning, 10)
        in_order = (
            case.unit not in consulted
            and case.seven_days_end is not None
            and now < case.seven_days_end
            and all(end_of(day) <= ten for day in consulted.values())
        )
        rows = [{"unit": unit, "due_on": day.isoformat()} for unit, day in consulted.items()]
        body = {"consulted": rows, "reason": "Liên quan nhiều đơn vị."}
        return body, lambda: case.make_complex(now, consulted), in_order

    def _split(self, case: Case, now: datetime) -> None:
        told = self._heard()
        (event,) = [each.event for each in told if isinstance(each.event, QuestionSplit)]
        case.split(now, [str(part.question_id) for part in event.parts])
        self.cases.extend(case.parts[-2:])

    def _going_on(self, case: Case, act: str, now: datetime) -> None:
        case.continued.add(act)
        if act == "resubmit":
            case.resubmitted(now)
        self._new(str(self.begun.id))


def _fields(letter: Any) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in letter.__dataclass_fields__}


@pytest.fixture
async def town(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    town = Town(edges, asyncio.get_running_loop())
    edge = edges.service.edge
    monkeypatch.setattr(edge, "desk", town.desk)
    monkeypatch.setattr(edge, "policy", edge.policy)
    TOWN[:] = [town]
    yield town
    TOWN.clear()


@pytest.mark.timeout(230)
async def test_whatever_people_do_every_clock_is_what_the_sentences_come_to(town: Town) -> None:
    """Lives of one seed after another, until everything has been done by somebody or the time is over."""
    bounds = settings(
        max_examples=2, stateful_step_count=STEPS, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    until, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < until and set(town.done) < {*PATHS, *BY_ASKER}:
        number += 1
        await asyncio.to_thread(run_machine, seed(number)(type("Life", (Life,), {})), settings=bounds)
    print(f"{number} lives: {sum(town.done.values())} acts done, {sum(town.refused.values())} refused")
    print(sorted(town.done.items()))
    assert sum(town.done.values()) > 30
    assert sum(town.refused.values()) > 10
