"""A question in each state, fit for each act; and every act as somebody would do it."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from services.qa import domain
from services.qa.domain import Question
from services.qa.domain.codes import question_id_of
from services.qa.regulation import WORKFLOW, Role, Status
from shared.calendar import CALENDAR
from shared.contracts.base import Decision
from shared.contracts.qa import (
    DisclosureReason,
    Finding,
    NoticeKind,
    Part,
    QuestionClosed,
    RefusalGround,
    Suspicion,
)
from shared.testing import local
from shared.workflow import Actor
from tests.qa.world import DUC, HA, KHOI, LETTER, NGA, TUAN, Rules, received

RULES = Rules()
AT = "2026-11-25T10:00"
DAY = date(2026, 11, 23)
HEAD = Actor("u-hai", "Lý Thanh Hải", "tt-cskh", frozenset({Role.CENTRE_HEAD}))
ACTS: Final = tuple(dict.fromkeys(step.act for step in WORKFLOW.steps))
OF_UNITS: Final = (Role.ANSWERER, Role.UNIT_HEAD)


def facts(by: Actor, at: str = AT) -> dict[str, Any]:
    return {"by": by, "at": local(at), "calendar": CALENDAR, "policy": RULES.policy}


def parts_of(question: Question, count: int = 2) -> tuple[Part, ...]:
    ids = [question_id_of(f"part {place} of {question.id}", DAY) for place in range(1, count + 1)]
    return tuple(Part(question_id=id, letter_ref="ref", letter_hash="hash") for id in ids)


def another() -> Question:
    """A second question of the same asker."""
    question, _ = domain.receive(
        question_id_of("another", DAY), domain.ReceiveQuestion("another", LETTER), "ref", "hash",
        at=local("2026-11-23T08:00"), calendar=CALENDAR, policy=RULES.policy,
    )  # fmt: skip
    return question


def do(question: Question, act: str, by: Actor) -> Decision[Question]:
    """With words and dates that are in order."""
    id, words, when = question.id, ("ref", "hash"), facts(by)

    def going_on() -> Decision[Question]:
        domain.check_continuation(question, act, by=by, at=local(AT), policy=RULES.policy)
        return domain.continued(question, another().id, another().number, resubmitted=act == "resubmit")

    def unmerge() -> Decision[Question]:
        domain.permit(question, act, by)
        return domain.unmerge(question, another().id)

    def close() -> Decision[Question]:
        domain.permit(question, "close", by)
        return question.then(QuestionClosed(question_id=id))

    doing: dict[str, Callable[[], Decision[Question]]] = {
        "forward": lambda: domain.forward(question, domain.ForwardQuestion(id, NGA.unit, "bhyt"), **when),
        "refuse": lambda: RULES.refuse(question, AT, by=by),
        "answer": lambda: RULES.answer(question, AT, by=by),
        "unmerge": unmerge,
        "merge": lambda: domain.merge(question, another(), same_asker=True, by=by),
        "split": lambda: domain.split(question, parts_of(question), by=by),
        "set_aside": lambda: domain.set_aside(
            question, domain.SetAsideQuestion(id, Suspicion.SPAM), *words, by=by
        ),
        "confirm_set_aside": lambda: domain.confirm_set_aside(
            question, domain.ConfirmSetAside(id, Suspicion.SPAM), by=by
        ),
        "restore": lambda: domain.restore(question, by=by),
        "give_back": lambda: domain.give_back(
            question, domain.GiveBackQuestion(id, Finding.OTHER_UNIT, "Của đơn vị khác."), *words, **when
        ),
        "make_complex": lambda: domain.make_complex(
            question, domain.MakeComplex(id, ((DUC.unit, date(2026, 12, 2)),), "Hai đơn vị."), *words, **when
        ),
        "advise": lambda: domain.advise(question, domain.GiveAdvice(id, "Ý kiến."), *words, **when),
        "progress": lambda: RULES.progress(question, date(2026, 12, 1), AT, by=by),
        "send_back": lambda: domain.send_back(question, domain.SendBackAnswer(id, "Thiếu."), *words, **when),
        "release": lambda: domain.release(question, domain.ReleaseAnswer(id), by=by),
        "publish": lambda: RULES.publish(question, by=by),
        "withhold": lambda: domain.withhold(question, domain.WithholdAnswer(id, "Trùng."), by=by, left={}),
        "correct": lambda: domain.correct(
            question, domain.CorrectAnswer(id, "Đúng là.", "Nhầm năm."), *words, reason_ref="ref",
            reason_hash="hash", **when,
        ),
        "reopen": lambda: domain.reopen(
            question, domain.ReopenQuestion(id, "12/BHXH", DAY, "Theo chỉ đạo."), *words, **when
        ),
        "add_information": lambda: domain.add_information(
            question, domain.AddInformation(id, "Thêm."), *words, by=by
        ),
        "withdraw": lambda: domain.withdraw(question, *words, by=by),
        "resubmit": going_on,
        "follow_up": going_on,
        "rate": lambda: domain.rate(question, domain.RateAnswer(id, 4), *words, by=by),
        "assign": lambda: domain.assign(
            question, domain.AssignQuestion(id, "u-khac", frozenset({"u-khac"})), by=by
        ),
        "note": lambda: domain.take_note(question, *words, by=by),
        "disclose": lambda: domain.disclose(
            question, domain.DiscloseAsker(id, DisclosureReason.CONTACT), *words, by=by
        ),
        "erase": lambda: domain.erase(question, domain.EraseAsker(id), by=by),
        "close": close,
    }  # fmt: skip
    return doing[act]()


def _then(question: Question, *acts: tuple[str, Actor]) -> Question:
    for act, by in acts:
        question, _ = do(question, act, by)
    return question


def _held() -> Question:
    return RULES.forward(received())[0]  # type: ignore[no-any-return]


def _answered(*, by_unit: bool) -> Question:
    return _then(_held(), ("answer", TUAN)) if by_unit else _then(received(), ("answer", HA))


def _sent(question: Question) -> Question:
    return RULES.told(_then(question, ("release", KHOI)), NoticeKind.ANSWER)[0]  # type: ignore[no-any-return]


def _refused(question: Question, ground: RefusalGround) -> Question:
    unclear = {"ground": ground, "referral": None, "agency": ""} if ground is RefusalGround.UNCLEAR else {}
    return RULES.refuse(question, AT, **unclear)[0]  # type: ignore[no-any-return]


def fit(status: Status, act: str, role: Role) -> Question:
    """A question in this state of which, if anybody of this role ever may, this one can be done."""
    unit = role in OF_UNITS
    ground = RefusalGround.UNCLEAR if act == "resubmit" else RefusalGround.OUT_OF_SCOPE
    asked_of_two = act == "advise"
    sent_before = act in ("correct", "follow_up", "rate")
    living: dict[Status, Callable[[], Question]] = {
        Status.RECEIVED: received,
        Status.FORWARDED: lambda: _then(_held(), ("make_complex", TUAN)) if asked_of_two else _held(),
        Status.RETURNED: lambda: _then(
            _held(), *([("make_complex", TUAN)] if asked_of_two else []), ("give_back", TUAN)
        ),
        Status.SET_ASIDE: lambda: _then(received(), ("set_aside", HA)),
        Status.SPLIT: lambda: _then(received(), ("split", HA)),
        Status.REFUSED: lambda: _refused(_held() if unit else received(), ground),
        Status.ANSWERED: lambda: _sent(_answered(by_unit=unit)) if sent_before else _answered(by_unit=unit),
        Status.CLOSED: lambda: (
            _then(received(), ("merge", HA))
            if act == "unmerge"
            else _then(_sent(_answered(by_unit=unit)), ("publish", KHOI))
        ),
    }
    return living[status]()


def somebody(role: Role, act: str) -> Actor:
    """Of the unit that holds the question, or that is asked for its opinion, or of the centre."""
    unit = (DUC.unit if act == "advise" else TUAN.unit) if role in OF_UNITS else "tt-cskh"
    return Actor("u-other", "Ai đó", unit, frozenset({role}))
