"""A second reading of Điều 11 khoản 1 điểm a, hỏi đáp, written from the sentences alone: its own days and
terms, its own account of who owes what until when. What the service says is compared with it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone

HANOI = timezone(timedelta(hours=7))
DAY = timedelta(days=1)
CENTRE = "tt-cskh"
# Days off and days worked by decision, as the documents name them; other weeks run from Monday to Friday.
OFF = {
    date(2025, 4, 30), date(2025, 5, 1), date(2025, 5, 2), date(2026, 1, 1), date(2026, 1, 2),
    *(date(2026, 2, day) for day in range(16, 21)), date(2026, 4, 27), date(2026, 4, 30), date(2026, 5, 1),
    date(2026, 8, 31), date(2026, 9, 1), date(2026, 9, 2), date(2026, 11, 24), date(2027, 1, 1),
    *(date(2027, 2, day) for day in range(4, 11)),
}  # fmt: skip
WORKED = {date(2025, 4, 26), date(2026, 1, 10), date(2026, 8, 22)}


def works(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


def day_of(at: datetime) -> date:
    return at.astimezone(HANOI).date()


def end_of(day: date) -> datetime:
    """24 giờ của ngày ấy."""
    return datetime.combine(day + DAY, time(), HANOI)


def term(day_zero: date, days: int) -> datetime:
    """So many working days; the day of the event is not counted."""
    day = day_zero
    while days:
        day += DAY
        days -= works(day)
    return end_of(day)


def worked_from(day: date) -> date:
    while not works(day):
        day += DAY
    return day


@dataclass
class Owed:
    """One party's duty, and what became of it: met, late or void."""

    duty: str
    owner: str
    due: datetime
    verdict: str = ""
    issue: int = 0  # of a duty to send: which answer or correction

    def met(self, at: datetime) -> None:
        self.verdict = "met" if at < self.due else "late"


@dataclass
class Case:
    """One question as the sentences see it."""

    id: str
    received_at: datetime
    finding: bool = False  # the same day is that of the finding, not that of the receipt
    from_receipt: bool = False  # the unit's seven days run from the centre's receipt
    state: str = "received"
    owed: list[Owed] = field(default_factory=list)
    unit: str = ""
    reopened_at: datetime | None = None
    seven_days_end: datetime | None = None
    consulted: set[str] = field(default_factory=set)
    advised: set[str] = field(default_factory=set)
    found_out: bool = False
    ended: list[Owed] = field(default_factory=list)
    answered_by: str = ""
    answered_unit: str = ""
    released: bool = False
    sent: bool = False
    asker_has_it: datetime | None = None
    decided: bool = False
    correcting: bool = False
    issue: int = 0
    ground: str = ""
    refusals: int = 0
    set_aside_by: str = ""
    continued: set[str] = field(default_factory=set)
    rated: bool = False
    erased: bool = False
    outcome: str = ""
    whole: "Case | None" = None
    parts: list["Case"] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.owed:
            self._owe("triage", CENTRE, term(self.counted, 5))

    @property
    def counted(self) -> date:
        """Nhận ngoài ngày làm việc thì tính là nhận vào ngày làm việc tiếp theo."""
        day = day_of(self.received_at)
        return day if self.finding else worked_from(day)

    @property
    def _beginning(self) -> date:
        return day_of(self.reopened_at) if self.reopened_at else self.counted

    def _owe(self, duty: str, owner: str, due: datetime) -> None:
        self.owed.append(Owed(duty, owner, due, issue=self.issue))

    def _running(self, *duties: str) -> list[Owed]:
        return [each for each in self.owed if not each.verdict and (not duties or each.duty in duties)]

    def _void(self, *duties: str) -> None:
        for each in self._running(*duties):
            each.verdict = "void"

    def _met(self, at: datetime, *duties: str) -> list[Owed]:
        found = self._running(*duties)
        for each in found:
            each.met(at)
        return found

    def running(self) -> list[tuple[str, str, datetime]]:
        return sorted((each.duty, each.owner, each.due) for each in self._running())

    def judged(self) -> list[tuple[str, datetime, str]]:
        return sorted(
            (each.duty, each.due, each.verdict) for each in self.owed if each.verdict in ("met", "late")
        )

    @property
    def leads(self) -> datetime | None:
        """By when something is owed next, of whoever works on it; of promises the newest alone."""
        promises = self._running("promised_reply")
        counted = [
            each.due for each in self._running() if each.duty != "consultation" and each not in promises[:-1]
        ]
        return min(counted, default=None) if self.state != "closed" else None

    WRITING = ("unit_reply", "complex_reply", "promised_reply")

    def forward(self, at: datetime, unit: str) -> None:
        self._met(at, "triage")
        if self.unit:  # chuyển tiếp không tính lại hạn
            for each in self._running(*self.WRITING):
                each.owner = unit
            for each in self._running("consultation"):
                if each.owner == unit:
                    each.verdict = "void"
        else:
            due = term(self._beginning if self.from_receipt else day_of(at), 7)
            self._owe("unit_reply", unit, due)
            self.seven_days_end = due
        self._void("same_day_notice")
        self.state, self.unit, self.found_out = "forwarded", unit, False

    def refuse(self, at: datetime, ground: str) -> None:
        self._met(at, "triage")
        self._void(*self.WRITING, "consultation")
        late = bool(self.unit) or self.reopened_at is not None
        if not self._running("same_day_notice"):
            self._owe("same_day_notice", CENTRE, end_of(day_of(at) if self.finding or late else self.counted))
        self.state, self.ground = "refused", ground
        self.refusals += 1

    def told_refusal(self, at: datetime, number: int) -> None:
        if number != self.refusals:  # the letter of an earlier one, from before it was opened again
            return
        self._met(at, "same_day_notice")
        if self.state == "refused" and self.ground == "out_of_scope":
            self._close("refused")

    def give_back(self, at: datetime, finding: str) -> None:
        for each in self._running(*self.WRITING):
            each.owner = CENTRE
        self.found_out = finding != "other_unit"
        if self.found_out:
            self._owe("same_day_notice", CENTRE, end_of(day_of(at)))
        self.state = "returned"

    def make_complex(self, at: datetime, consulted: dict[str, date]) -> None:
        self._void("unit_reply")
        self._owe("complex_reply", self.unit, term(self._beginning, 10))
        for unit, day in consulted.items():
            self._owe("consultation", unit, end_of(day))
        self.consulted = set(consulted)

    def advise(self, at: datetime, unit: str) -> None:
        for each in self._running("consultation"):
            if each.owner == unit:
                each.met(at)
        self.advised.add(unit)

    def progress(self, at: datetime, day: date) -> None:
        self._met(at, "unit_reply")
        self._owe("promised_reply", self.unit, end_of(day))

    def answer(self, at: datetime, by: str, unit: str) -> None:
        self.issue += 1
        self.ended = self._met(at, "triage", *self.WRITING)
        self._void("consultation", "same_day_notice")
        self._centre(at)
        self.state, self.answered_by, self.answered_unit = "answered", by, unit
        self.released = self.sent = self.decided = self.correcting = False

    def _centre(self, at: datetime) -> None:
        for duty in ("send_answer", "publish_answer"):
            self._owe(duty, CENTRE, term(day_of(at), 2))

    def send_back(self, at: datetime) -> None:
        self._void("send_answer", "publish_answer")
        for each in self.ended:  # as if it had not been answered
            each.verdict = ""
        by_unit = self.answered_unit != CENTRE
        self.state = "forwarded" if by_unit else "returned" if self.unit else "received"

    def release(self, at: datetime) -> None:
        self.released = True

    def told_answer(self, at: datetime, issue: int) -> None:
        """The letter with a correction brings what came before it too, and none of what came after."""
        for each in self._running("send_answer"):
            if each.issue <= issue:
                each.met(at)
        self.asker_has_it, self.sent = at, self.sent or issue == self.issue
        self._end()

    def decide(self, at: datetime) -> None:
        self._met(at, "publish_answer")
        self.decided = True
        self._end()

    def _end(self) -> None:
        if self.state == "answered" and self.sent and self.decided:
            self._close("answered")

    def correct(self, at: datetime, by: str) -> None:
        self.issue += 1
        self._void("publish_answer")
        self._centre(at)
        self.state, self.answered_by, self.outcome = "answered", by, ""
        self.released = self.sent = self.decided = False
        self.correcting = True

    def merge(self, at: datetime) -> None:
        self._met(at, "triage")
        self._void()
        self._close("merged")

    def set_aside(self, at: datetime, by: str) -> None:
        self.state, self.set_aside_by = "set_aside", by

    def restore(self, at: datetime) -> None:
        self.state = "received"

    def confirm_set_aside(self, at: datetime) -> None:
        self._void()
        self._close("set_aside")

    def split(self, at: datetime, ids: list[str]) -> None:
        """Each part is sorted by the day by which the whole was to be."""
        triage = self._running("triage")[0]
        self._void("triage")
        self.state = "split"
        for id in ids:
            part = Case(id, self.received_at, self.finding, self.from_receipt, whole=self)
            part.owed[0].due = triage.due
            part.reopened_at = None
            self.parts.append(part)

    def withdraw(self, at: datetime) -> None:
        self._void()
        self._close("withdrawn")
        for part in self.parts:
            if part.state in ("received", "forwarded", "returned", "set_aside"):
                part.withdraw(at)

    def reopen(self, at: datetime) -> None:
        self._void()
        self.reopened_at, self.state, self.outcome, self.unit, self.ground = at, "received", "", "", ""
        self.consulted, self.advised = set(), set()
        self.released = self.sent = self.decided = self.correcting = False
        self._owe("triage", CENTRE, term(day_of(at), 5))

    def resubmitted(self, at: datetime) -> None:
        self.continued.add("resubmit")
        if self.state == "refused":
            self._close("resubmitted")

    def erase(self, at: datetime) -> None:
        self._void()
        self.erased = True
        if self.state != "closed":
            self._close("withdrawn")
        for part in self.parts:
            if not part.erased:
                part.erase(at)

    def _close(self, outcome: str) -> None:
        self.state, self.outcome = "closed", outcome
        whole = self.whole
        if whole and whole.state == "split" and all(part.state == "closed" for part in whole.parts):
            whole._close("parts")
