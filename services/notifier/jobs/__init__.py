"""What runs on a timer. Each bears being run by several replicas at the same moment."""

from services.notifier.jobs.firing import LOST_RACE, SWEEP, fire_due
from services.notifier.jobs.moving import Mover
from services.notifier.jobs.outbox import FAREWELL, Outbox, log
from services.notifier.jobs.polling import WATCHED, measure, poll_services

__all__ = [
    "FAREWELL",
    "LOST_RACE",
    "SWEEP",
    "WATCHED",
    "Mover",
    "Outbox",
    "fire_due",
    "log",
    "measure",
    "poll_services",
]
