"""A letter as it would go out now, for somebody who keeps the templates: with a real notice's facts, and
without what is a person's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jinja2 import UndefinedError
from pydantic import ValidationError

from services.notifier import letters, queries
from services.notifier.gateways import Letters, LetterUnavailable, Mail
from services.notifier.jobs.addressees import NoNumber, addressee_of
from services.notifier.jobs.digests import digest_for
from services.notifier.jobs.memos import NotSo, memo_for
from services.notifier.letters import Language, samples
from services.notifier.queries import DueNotice
from services.notifier.regulation import DUTY_TOLD, Policy
from shared.errors import PortalError
from shared.web.edge import Edge


class NoPreview(PortalError):
    """This notice would not go out now; the sentence says why."""

    status, code = 409, "no_preview"
    title_vi, title_en = "Thư này nay không soạn được", "This letter cannot be composed now"


@dataclass(frozen=True, slots=True)
class Previews:
    owner: Letters

    async def sample(self, edge: Edge[Policy], kind: str, language: Language, at: datetime) -> Mail:
        """With made-up facts."""
        facts: dict[str, Any] = {"message_id": "<mau@example.vn>", "at": at}
        if kind in DUTY_TOLD:
            return letters.mail_for(edge.look, kind, samples.ASKER, language=language, **facts)
        if kind == "digest":
            return letters.digest_mail(edge.look, samples.digest(language), **facts)
        return letters.memo_mail(edge.look, kind, samples.memo(kind, language), **facts)

    async def real(self, edge: Edge[Policy], id: UUID, language: Language, at: datetime) -> Mail:
        """With this notice's facts as they stand now. Raises NotFound, NoPreview."""
        due = DueNotice.of(await queries.notice(edge.database, id))
        facts: dict[str, Any] = {"message_id": due.message_id, "at": at, "version": due.template}
        try:
            if due.recipient == "asker":
                handed = await self.owner.letter(UUID(due.subject.partition("-")[2]), due.kind, due.round)
                return letters.mail_for(
                    edge.look, due.kind, samples.masked(handed), language=language, **facts
                )
            to = await addressee_of(edge.directory, due.recipient, edge.policy)
            if due.kind == "digest":
                digest = await digest_for(edge, due, to, at=at)
                return letters.digest_mail(
                    edge.look, digest.model_copy(update={"language": language}), **facts
                )
            memo = await memo_for(edge, due, to, at=at, language=language)
            return letters.memo_mail(edge.look, due.kind, memo, **facts)
        except (NotSo, LetterUnavailable, letters.LetterIncomplete) as error:
            raise NoPreview(f"{str(error).capitalize()}.") from error
        except NoNumber as error:
            raise NoPreview("Danh bạ không có số điện thoại.") from error
        except ValidationError as error:
            holes = ", ".join(str(each["loc"][0]) for each in error.errors())
            raise NoPreview(f"Thiếu hoặc sai: {holes}.") from error
        except UndefinedError as error:
            raise NoPreview(f"Mẫu thư thiếu: {error}.") from error
