"""What runs on a timer. Each bears being run by several replicas at the same moment."""

from services.notifier.jobs.digests import Digests
from services.notifier.jobs.firing import LOST_RACE, SWEEP, Sweeper, fire_due
from services.notifier.jobs.letters import Withheld, letter_for
from services.notifier.jobs.moving import Mover
from services.notifier.jobs.outbox import FAREWELL, Outbox, log
from services.notifier.jobs.polling import WATCHED, measure, poll_services
from services.notifier.jobs.previews import NoPreview, Previews

__all__ = [
    "FAREWELL",
    "LOST_RACE",
    "SWEEP",
    "WATCHED",
    "Digests",
    "Mover",
    "NoPreview",
    "Outbox",
    "Previews",
    "Sweeper",
    "Withheld",
    "fire_due",
    "letter_for",
    "log",
    "measure",
    "poll_services",
]
