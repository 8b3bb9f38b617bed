"""Who hands out the message for a notice: askers' words come from qa, words for staff from the register and
the directory. All of it at the moment of sending, none of it kept."""

from datetime import datetime
from uuid import UUID

from services.notifier import letters, queries
from services.notifier.gateways import Letters, LetterUnavailable, Mail, NotSent, Signal
from services.notifier.jobs.addressees import Addressee, NoNumber, addressee_of
from services.notifier.jobs.digests import digest_for
from services.notifier.jobs.memos import NotSo, memo_for
from services.notifier.queries import DueNotice
from services.notifier.regulation import SIGNALS, Policy
from shared.contracts.notifier import Delivery
from shared.web.edge import Edge

Message = Mail | Signal


class Withheld(Exception):
    """This notice is not to go out this way; ``reason`` is Vietnamese and goes on record. ``moot``: nobody is
    left to be told."""

    def __init__(self, reason: str, *, moot: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.moot = reason, moot


async def letter_for(edge: Edge[Policy], owner: Letters, due: DueNotice, *, at: datetime) -> Message:
    """The message as it goes out at ``at``. Raises NotSent when the words cannot be had now, Withheld when
    they must not go out, or nobody is left to get them."""
    try:
        message = await _composed(edge, owner, due, at)
        by_mail = isinstance(message, Mail)
        held = await queries.suppressed(edge.database, edge.policy, message.to) if by_mail else ""
    except LetterUnavailable as error:
        if error.gone:
            raise Withheld("Không gửi: dữ liệu của người hỏi đã được xóa.", moot=True) from error
        raise NotSent(Delivery.TEMPORARY, str(error)) from error
    except NotSo as error:
        raise Withheld(f"Không gửi: {error}.") from error
    except NoNumber as error:
        raise Withheld("Không gửi: danh bạ không có số điện thoại.") from error
    except letters.LetterIncomplete as error:
        raise NotSent(Delivery.TEMPORARY, f"không soạn được thư: {error}") from error
    except Exception as error:  # a letter that our templates cannot take: seen by a person, tried again
        raise NotSent(Delivery.TEMPORARY, f"không soạn được thư ({type(error).__name__})") from error
    if held:
        raise Withheld(f"Địa chỉ này đang được ngừng gửi: {held}")
    return message


async def _composed(edge: Edge[Policy], owner: Letters, due: DueNotice, at: datetime) -> Message:
    look, id, version = edge.look, due.message_id, due.template
    if due.recipient == "asker":
        handed = await owner.letter(UUID(due.subject.partition("-")[2]), due.kind, due.round)
        return letters.mail_for(look, due.kind, handed, message_id=id, at=at, version=version)
    to, unknown = await _looked_up(edge, due)
    message = await _to_our_own(edge, due, to, at)  # what is no longer so waits for nobody's address
    if unknown is not None:
        raise unknown
    return message


async def _looked_up(edge: Edge[Policy], due: DueNotice) -> tuple[Addressee, LetterUnavailable | None]:
    try:
        return await addressee_of(edge.directory, due.recipient, edge.policy), None
    except LetterUnavailable as error:
        return Addressee("", due.recipient), error


async def _to_our_own(edge: Edge[Policy], due: DueNotice, to: Addressee, at: datetime) -> Message:
    look, id, version = edge.look, due.message_id, due.template
    if due.kind == "digest":
        digest = await digest_for(edge, due, to, at=at)
        return letters.digest_mail(look, digest, message_id=id, at=at, version=version)
    if due.kind == "alarm":
        return letters.alarm_signal(due.about, to=to.to, message_id=id, at=at)
    memo = await memo_for(edge, due, to, at=at)
    if due.recipient.startswith(SIGNALS):
        return letters.signal_for(due.kind, memo, message_id=id, at=at)
    return letters.memo_mail(look, due.kind, memo, message_id=id, at=at, version=version)
