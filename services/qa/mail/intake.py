"""One mail that a server hands over: read, recognised, put on record; and what the server is told. It keeps
what is not taken for good, so that nothing is lost while the database is away."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from prometheus_client import Counter
from pydantic import TypeAdapter, ValidationError

from services.qa import domain, handlers
from services.qa.asking import Door
from services.qa.domain import ASKER
from services.qa.domain.codes import Codes
from services.qa.domain.mailed import TakeMail
from services.qa.files import TooManyFiles, owning
from services.qa.files.tokens import Staged
from services.qa.handlers.mail import take_mail
from services.qa.mail import replies
from services.qa.mail.addresses import Addresses
from services.qa.mail.attaching import taken, with_files
from services.qa.mail.reading import Mail, MailRefused, Trouble, read
from services.qa.queries.files import FileStore
from services.qa.queries.limits import Limiter
from services.qa.queries.threads import CHANNEL, question_of
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.desk import fingerprint
from shared.errors import PortalError, TooManyRequests
from shared.web.edge import Edge
from shared.web.forms import Email

log = structlog.get_logger(__name__)

MAILS: Final = Counter(
    "mails_handed_over", "Mails that a server handed over, by what became of them", ["outcome"]
)
ONE_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(Email)
AN_HOUR: Final = timedelta(hours=1)
READ_AT_ONCE: Final = 2
NAMELESS: Final = {"vi": "bạn", "en": "Sir or Madam"}


@dataclass
class Intake:
    edge: Edge[Policy]
    settings: QaSettings
    codes: Codes
    store: FileStore
    addresses: Addresses = field(init=False)
    _readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READ_AT_ONCE, "mail"))

    def __post_init__(self) -> None:
        self.addresses = Addresses.of(self.settings.mail_address, self.codes)
        self._handler = partial(
            take_mail, receive=owning(self.store, handlers.receive_question),
            add=owning(self.store, handlers.add_information),
        )  # fmt: skip

    @property
    def ask(self) -> str:
        """Where a question can be asked without mail."""
        return f"{self.settings.qa_url}/ask"

    async def take(self, raw: bytes, sender: str, recipient: str) -> str:
        """The reply. 250 once the majority has it, or it is no question of a person; 451 or 452: to be handed
        over again; 554: its sender is told why."""
        try:
            mail = await self._read(raw, sender)
            if mail.automatic:
                return _told(replies.SET_ASIDE, f"automatic:{mail.automatic}")
            await self._put_down(mail, recipient)
        except MailRefused as refused:
            return _told(replies.refusal(refused.trouble, self.ask), f"refused:{refused.trouble}")
        except TooManyRequests:
            return _told(replies.TOO_MANY, "too_many")
        except PortalError as error:
            return _told(replies.PUT_OFF, f"put_off:{error.code}")
        except Exception as error:  # the server keeps the mail; a trace would hold its words
            log.warning("mail.failed", error=type(error).__name__)
            return _told(replies.PUT_OFF, "put_off:failed")
        return _told(replies.TAKEN, "taken")

    async def _read(self, raw: bytes, sender: str) -> Mail:
        """In threads of its own: a big mail holds up no other work, and waits for none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, read, raw, sender, self.addresses.domain)

    async def _put_down(self, mail: Mail, recipient: str) -> None:
        try:
            address = ONE_ADDRESS.validate_python(mail.sender)
        except ValidationError:
            raise MailRefused(Trouble.NO_SENDER) from None
        once, same = self._once(mail)
        desk = self.edge.desk(ASKER, once=once, fingerprint=same)
        if await desk.journal.find(once) is not None:
            return
        limiter = Limiter(self.edge.database, most=self.settings.mails_an_hour, window=AN_HOUR)
        await limiter.enter(self.codes.visitor(f"{CHANNEL}\0{address.casefold()}"), datetime.now(UTC))
        about = self.addresses.question(recipient)
        about = about or await question_of(self.edge.database, self.codes, mail.answers)
        door = Door(self.edge, self.codes, self.settings, "")
        files = await taken(mail.attached, door, self.store, once)
        # Of a reply only what it says itself: what it quotes is our letter, with the asker's code in it.
        said = mail.reply if about or mail.answers else mail.text
        asked = self._asked(mail, address, said, files)
        try:
            question = await desk.run(self._handler, TakeMail(asked, about))
        except TooManyFiles:
            raise MailRefused(Trouble.TOO_MANY_FILES) from None
        log.info("mail.taken", id=str(question.id), version=desk.version(question))

    def _asked(self, mail: Mail, address: str, text: str, files: Sequence[Staged]) -> domain.ReceiveQuestion:
        letter = domain.Letter(
            mail.name or NAMELESS[mail.language], address, "", "", mail.subject, text, mail.language,
            message_id=mail.message_id,
        )  # fmt: skip
        same = self.codes.same_letter(address, mail.subject, text, *(each.mark for each in files))
        return with_files(domain.ReceiveQuestion(same, letter, CHANNEL), files)

    def _once(self, mail: Mail) -> tuple[str, str]:
        """The mail's own id and a keyed hash of what it says: handed over twice, it is taken once."""
        files = [hashlib.sha256(each.content).hexdigest() for each in mail.attached]
        said = self.codes.mail(mail.sender, mail.subject, mail.text, *files)
        return f"{CHANNEL}:{self.codes.mail(mail.message_id, said)}", fingerprint(said)


def _told(reply: str, outcome: str) -> str:
    MAILS.labels(outcome).inc()
    if outcome != "taken":
        log.info("mail.not_taken", outcome=outcome)
    return reply
