"""What a run does, as data drawn from a seed: how many lives of questions and of submissions are lived, and
which fault comes when. The same seed is the same plan; a part of it can be run alone."""

import random
from dataclasses import dataclass, replace
from typing import Final

from deploy.local.wiring import PORTALS
from oracle.points import ALL, POINTS

# What is put on a topic by hand: (topic, event); whoever handles that event must bury it.
POISONS: Final = (
    ("qa.question", "qa.question.answered"),
    ("content.submission", "content.submission.submitted"),
    ("content.submission", "content.submission.published"),
    ("sync.delivery", "sync.delivery.succeeded"),
    ("notifier.notice", "notifier.notice.sent"),
)
WAYS: Final = ("torn", "too_new", "no_body", "no_subject", "not_utf8")
BURIES: Final = {
    "content": "sync.delivery.succeeded", "qa": "notifier.notice.sent",
    "sync": "content.submission.published", "notifier": "qa.question.answered",
}  # fmt: skip
QUIET_POINTS: Final = ("anchor.before", "anchor.after")  # passed when a process starts


@dataclass(frozen=True)
class Fault:
    """``at`` is seconds since the first command; ``who`` a service, a part, a portal or a replica's name."""

    number: int
    at: float
    kind: str
    who: str = ""
    what: str = ""
    nth: int = 1
    seconds: float = 0.0

    def __str__(self) -> str:
        more = " ".join(x for x in (self.who, self.what, f"{self.seconds:.1f}s" if self.seconds else "") if x)
        return f"#{self.number} at {self.at:5.1f}s {self.kind} {more}"


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float  # over which lives begin and faults come
    lives: int
    at_once: int  # lives side by side
    replicas: int
    faults: tuple[Fault, ...]

    def only(self, numbers: set[int]) -> "Plan":
        return replace(self, faults=tuple(f for f in self.faults if f.number in numbers))


def small(seed: int) -> Plan:
    """Each point once, each kind of fault at least once."""
    return drawn(seed, seconds=62.0, lives=95, at_once=24, replicas=3, rounds=1)


def large(seed: int) -> Plan:
    """About 5,000 commands."""
    return drawn(seed, seconds=90.0, lives=1450, at_once=80, replicas=3, rounds=1)


def drawn(seed: int, *, seconds: float, lives: int, at_once: int, replicas: int, rounds: int) -> Plan:
    draw = random.Random(seed)
    wanted: list[Fault] = []
    for round in range(rounds):
        wanted += _deaths(draw, round) + _freezes(draw) + _parts(draw) + _edges(draw) + _replicas(draw)
    draw.shuffle(wanted)
    span = 0.85 * seconds
    times = sorted(draw.uniform(0.03 * seconds, span) for _ in wanted)
    faults = [replace(f, at=t) for f, t in zip(wanted, times, strict=True)]
    # Poison comes early enough to be blocked behind, and to be replayed while things still fall.
    faults += [
        Fault(0, draw.uniform(0.1, 0.75) * seconds, "poison", topic, f"{event} {draw.choice(WAYS)}")
        for topic, event in POISONS * rounds
    ]
    faults = [_beside_poison(f, faults, draw) for f in faults]
    faults.sort(key=lambda f: f.at)
    numbered = tuple(replace(f, number=i + 1) for i, f in enumerate(faults))
    return Plan(seed, seconds, lives, at_once, replicas, numbered)


def _beside_poison(fault: Fault, faults: list[Fault], draw: random.Random) -> Fault:
    """A death at a burial or a replay is armed just before something is buried there."""
    if fault.kind != "die" or not fault.what.startswith(("bury.", "replay.")):
        return fault
    event = BURIES[fault.who]
    poison = draw.choice([f for f in faults if f.kind == "poison" and f.what.startswith(event)])
    return replace(fault, at=poison.at - 0.2, nth=1)


def _deaths(draw: random.Random, round: int) -> list[Fault]:
    """Every point, in a service drawn for it; the first round takes each once, later ones other services."""
    found = []
    for point, (_, services) in POINTS.items():
        who = services[(draw.randrange(len(services)) + round) % len(services)]
        nth = 1 if point in QUIET_POINTS else draw.choice((1, 1, 2, 3))
        found.append(Fault(0, 0.0, "die", who, point, nth))
    return found


def _freezes(draw: random.Random) -> list[Fault]:
    """Longer than a lease lives, so that somebody takes over and the sleeper wakes into another's work."""
    points = (
        "publish.before",
        "publish.sent",
        "project.write",
        "offset.before",
        "mail.body",
        "journal.before",
    )
    return [
        Fault(0, 0.0, "freeze", draw.choice(POINTS[point][1]), point, 1, draw.uniform(7.5, 10.0))
        for point in draw.sample(points, 3)
    ]


def _parts(draw: random.Random) -> list[Fault]:
    return [
        Fault(0, 0.0, "part_dies", "mongod", seconds=draw.uniform(0.3, 2.0)),
        Fault(0, 0.0, "part_dies", "kafka", seconds=draw.uniform(0.3, 2.0)),
        Fault(0, 0.0, "part_stops", "mongod", seconds=draw.uniform(1.5, 4.0)),
        Fault(0, 0.0, "part_stops", "kafka", seconds=draw.uniform(1.5, 4.0)),
        Fault(0, 0.0, "history.lost", draw.choice(ALL)),
    ]


def _edges(draw: random.Random) -> list[Fault]:
    portal = draw.choice(PORTALS).id
    return [
        Fault(0, 0.0, "portal_mood", portal, draw.choice(("down", "error"))),
        Fault(0, 0.0, "portal_falls", draw.choice(PORTALS).id, seconds=draw.uniform(0.5, 3.0)),
        Fault(0, 0.0, "mail_mood", "mail", "tempfail"),
        Fault(0, 0.0, "mail_mood", "mail", "drop_after_data"),
        Fault(0, 0.0, "mail_falls", "mail", seconds=draw.uniform(0.5, 2.0)),
    ]


def _replicas(draw: random.Random) -> list[Fault]:
    goes, comes = draw.sample(ALL, 2)
    return [
        Fault(0, 0.0, "replica_goes", goes, seconds=draw.uniform(4.0, 12.0)),  # a stop in order, then back
        Fault(0, 0.0, "replica_comes", comes),  # under a new name: the consumer group rebalances
        Fault(0, 0.0, "replica_stops", draw.choice(ALL), seconds=draw.uniform(2.0, 12.0)),
    ]
