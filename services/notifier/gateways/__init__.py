"""What leaves the building."""

from services.notifier.gateways.chat import Chat
from services.notifier.gateways.mail import BEFORE_BODY, START_INPUT, Smtp
from services.notifier.gateways.mail_composing import ONE_ADDRESS, Mail, NotSent, composed
from services.notifier.gateways.mail_relays import AVOIDED, IDLE, Relay
from services.notifier.gateways.mail_signing import Signer
from services.notifier.gateways.owners import Letters, LetterUnavailable, Services
from services.notifier.gateways.signals import Signal, Signals
from services.notifier.gateways.sms import SmsGateway

__all__ = [
    "AVOIDED",
    "BEFORE_BODY",
    "IDLE",
    "ONE_ADDRESS",
    "START_INPUT",
    "Chat",
    "LetterUnavailable",
    "Letters",
    "Mail",
    "NotSent",
    "Relay",
    "Services",
    "Signal",
    "Signals",
    "Signer",
    "SmsGateway",
    "Smtp",
    "composed",
]
