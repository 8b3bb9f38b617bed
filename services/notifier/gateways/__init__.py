"""What leaves the building."""

from services.notifier.gateways.mail import (
    BEFORE_BODY,
    IDLE,
    ONE_ADDRESS,
    START_INPUT,
    Mail,
    NotSent,
    Smtp,
    composed,
)
from services.notifier.gateways.owners import Letters, LetterUnavailable, Services

__all__ = [
    "BEFORE_BODY",
    "IDLE",
    "ONE_ADDRESS",
    "START_INPUT",
    "LetterUnavailable",
    "Letters",
    "Mail",
    "NotSent",
    "Services",
    "Smtp",
    "composed",
]
