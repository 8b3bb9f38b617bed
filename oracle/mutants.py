"""Deliberate faults, one at a time, each with the short plan that shows it. The oracle must catch every one:
one that survives means that the oracle is too weak."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from oracle import mutations as put
from oracle import mutations_work as work
from oracle.plan import Fault, Plan

Faults = tuple[Fault, ...]


@dataclass(frozen=True)
class Mutant:
    words: str
    put_in: Callable[[str], None]
    faults: Faults = ()
    seconds: float = 12.0
    lives: int = 24
    replicas: int = 1
    patience: float = 20.0

    def plan(self, seed: int) -> Plan:
        return Plan(seed, self.seconds, self.lives, at_once=24, replicas=self.replicas, faults=self.faults)


def _numbered(*faults: Fault) -> Faults:
    ordered = sorted(faults, key=lambda f: f.at)
    return tuple(Fault(n, f.at, f.kind, f.who, f.what, f.nth, f.seconds) for n, f in enumerate(ordered, 1))


def deaths(point: str, *who: str, every: float = 2.5, times: int = 4, nth: int = 1) -> Faults:
    return _numbered(
        *(Fault(0, 1.5 + every * n, "die", name, point, nth + n % 2) for name in who for n in range(times))
    )


def poisoned(*more: Fault) -> Faults:
    made = [
        Fault(0, at, "poison", topic, f"{event} {way}")
        for at, topic, event, way in (
            (3.0, "qa.question", "qa.question.answered", "torn"),
            (4.0, "content.submission", "content.submission.published", "too_new"),
            (5.0, "qa.question", "qa.question.answered", "no_body"),
            (7.0, "qa.question", "qa.question.answered", "not_utf8"),
        )
    ]
    return _numbered(*made, *more)


OUTAGES: Final = _numbered(
    *(Fault(0, at, "part_dies", "mongod", seconds=0.6) for at in (3.0, 8.0)),
)
BROKER_AWAY: Final = _numbered(
    Fault(0, 4.0, "part_stops", "kafka", seconds=3.5),
    *(Fault(0, 5.0, "die", who, "token.after") for who in ("qa", "notifier", "content")),
    Fault(0, 12.0, "part_stops", "kafka", seconds=3.5),
    *(Fault(0, 13.0, "die", who, "token.after") for who in ("qa", "notifier", "content")),
)
SLEEPING_RELAY: Final = _numbered(Fault(0, 2.0, "freeze", "qa", "publish.before", seconds=8.5))
SLEEPING_PROJECTORS: Final = _numbered(
    *(Fault(0, 4.0, "freeze", who, "project.write", seconds=8.5) for who in ("qa", "notifier", "content")),
)
BACKLOG: Final = _numbered(
    *(
        Fault(0, at, "freeze", who, "publish.before", seconds=2.0)
        for at in (3.0, 7.0)
        for who in ("qa", "content")
    )
)
REBALANCES: Final = _numbered(
    *(Fault(0, at, "replica_comes", who) for at, who in ((2.0, "notifier"), (5.0, "notifier"), (7.0, "qa"))),
)
SILENT_SERVER: Final = _numbered(
    *(Fault(0, at, "mail_mood", "mail", "drop_after_data") for at in (1.0, 3.0, 5.0, 7.0, 9.0))
)
DEAF_PORTAL: Final = _numbered(
    *(Fault(0, at, "portal_mood", "bo-noi-vu", "down") for at in (0.5, 3.0, 6.0, 9.0)),
)
AFTER_BURIAL: Final = tuple(
    Fault(0, at, "die", who, "offset.after")
    for at, who in ((3.4, "notifier"), (4.4, "sync"), (5.4, "notifier"), (7.4, "notifier"))
)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no_once_key": Mutant(
        "commits carry no once key", put.no_once_key, deaths("offset.before", "qa", times=2)
    ),
    "key_of_its_own": Mutant("a repeated request gets a key of its own", put.key_of_its_own),
    "swallowed_error": Mutant("an append's error is swallowed", put.swallowed_error, OUTAGES),
    "deaf_group": Mutant("a group commit tells everybody that it went well", put.deaf_group),
    "ack_before_append": Mutant("acknowledged before it is appended", put.ack_before_append, OUTAGES),
    "no_majority": Mutant("the majority is not asked", put.no_majority),
    "words_later": Mutant(
        "words are kept after the commit that names them", put.words_later,
        deaths("journal.after", "qa", "content"),
    ),
    "token_first": Mutant(
        "the token is saved before the ack", put.token_first,
        _numbered(*deaths("publish.before", "qa", "content"), *deaths("project.before", "notifier")),
    ),
    "ack_unawaited": Mutant(
        "the broker's ack is not waited for", put.ack_unawaited, BROKER_AWAY, seconds=20.0, lives=40
    ),
    "two_relays": Mutant("two relays without a lease", put.two_relays, replicas=2),
    "no_fence": Mutant(
        "a relay that lost its lease goes on", put.no_fence, SLEEPING_RELAY, seconds=40.0, lives=50,
        replicas=2,
    ),
    "backwards": Mutant("a batch is published in another order", put.backwards, BACKLOG, lives=40),
    "no_version_guard": Mutant(
        "read models take older versions", put.no_version_guard, SLEEPING_PROJECTORS, seconds=16.0, lives=60,
        replicas=2,
    ),
    "offset_first": Mutant(
        "the offset is committed first", work.offset_first, deaths("journal.before", "notifier")
    ),
    "argless_commit": Mutant(
        "a commit without arguments, while work is in flight", work.argless_commit,
        deaths("journal.before", "notifier"),
    ),
    "no_rewind": Mutant("a failed batch is passed over", work.no_rewind, OUTAGES),
    "lost_rebalance": Mutant(
        "the batch in hand at a rebalance is dropped", work.lost_rebalance, REBALANCES, lives=40
    ),
    "bury_after_commit": Mutant(
        "buried after the offset commit", work.bury_after_commit, poisoned(*AFTER_BURIAL), lives=40
    ),
    "bury_dropped": Mutant("poison is thrown away", work.bury_dropped, poisoned()),
    "poison_redelivered": Mutant("poison is taken for an outage", work.poison_redelivered, poisoned()),
    "no_blocking": Mutant(
        "what follows a buried event does not wait", work.no_blocking, poisoned(), lives=60, seconds=10.0
    ),
    "discharge_dropped": Mutant("a discharge is dropped", work.discharge_dropped),
    "claim_dropped": Mutant(
        "a notice is sent without a record that it is being sent", work.claim_dropped, replicas=2
    ),
    "outcome_dropped": Mutant("a notice's outcome is not recorded before the retry", work.outcome_dropped),
    "doubt_forgotten": Mutant(
        "silence after the body counts as refused", work.doubt_forgotten, SILENT_SERVER
    ),
    "confirmed_unasked": Mutant(
        "a push counts as acknowledged when it has left", work.confirmed_unasked, DEAF_PORTAL, lives=40
    ),
}  # fmt: skip
