"""The asker's own door: a tracking code and a second proof, the same silence for unknown and wrong, and a
sealed short-lived cookie instead of a code in an address."""

import asyncio
import hmac
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response

from services.qa.domain.codes import Codes
from services.qa.queries.file import File, file_of, letter_in
from services.qa.queries.limits import Limiter
from services.qa.queries.read_models import QUESTIONS, read
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.errors import NotFound
from shared.mongo import answered
from shared.web.edge import Edge, edge_of
from shared.web.session import door_of
from shared.web.spoken import N_

COOKIE_LIFETIME: Final = timedelta(minutes=30)
SAME_TIME: Final = 0.25  # seconds that every wrong look-up takes


class NoSuchQuestion(NotFound):
    """Unknown code or wrong proof: nobody learns which."""

    code = "tracking_not_found"
    title_vi, title_en = "Không tìm thấy câu hỏi", "No question found"

    def __init__(self) -> None:
        super().__init__(N_("Không có câu hỏi nào khớp với mã và địa chỉ thư (hoặc số điện thoại) này."))


@dataclass(frozen=True, slots=True)
class Door:
    edge: Edge[Policy]
    codes: Codes
    settings: QaSettings
    visitor: str

    @property
    def limiter(self) -> Limiter:
        window = timedelta(seconds=self.settings.tracking_window)
        return Limiter(self.edge.database, most=self.settings.tracking_failures, window=window)


@lru_cache(maxsize=4)
def _codes(secret: str) -> Codes:
    return Codes(secret)


def settings_of(request: Request) -> QaSettings:
    settings: QaSettings = request.app.state.service.settings
    return settings


def codes_of(request: Request) -> Codes:
    return _codes(settings_of(request).secret_key.get_secret_value())


def asking(request: Request) -> Door:
    codes = codes_of(request)
    address = request.client.host if request.client else ""
    return Door(edge_of(request), codes, settings_of(request), codes.visitor(address))


Asking = Annotated[Door, Depends(asking)]


async def look_up(door: Door, code: str, proof: str) -> File:
    """The question of this code, for who also knows the address or the phone's last digits. Raises
    NoSuchQuestion, or TooManyRequests after too many wrong tries from one address."""
    began, now = time.monotonic(), datetime.now(UTC)
    await door.limiter.enter(door.visitor, now)
    row = await _find(door, door.codes.mark(code))
    kept = await read(door.edge.vault, str(row["letter_ref"]) if row else uuid4().hex)
    if not _proven(kept, proof) or row is None:
        await asyncio.sleep(max(0.0, SAME_TIME - (time.monotonic() - began)))
        raise NoSuchQuestion
    edge = door.edge
    file: File
    _, file = await asyncio.gather(
        door.limiter.right(door.visitor, now),
        file_of(edge.journal, edge.vault, edge.source, UUID(row["_id"]), letter=letter_in(kept)),
    )
    return file


async def of_the_question(edge: Edge[Policy], whole: File, part: UUID | None) -> File:
    """The question itself or, of one that was split, this part. Raises NotFound for what is not of it."""
    if part is None:
        return whole
    if part not in whole.question.parts:
        raise NotFound("Câu hỏi không có phần này.")
    return await file_of(edge.journal, edge.vault, edge.source, part)


async def parts_of(edge: Edge[Policy], whole: File) -> list[File]:
    """The parts of a question that was split, in order; one that is not on record yet is left out."""
    parts = []
    for id in whole.question.parts:
        with suppress(NotFound):
            parts.append(await file_of(edge.journal, edge.vault, edge.source, id))
    return parts


@answered
async def _find(door: Door, mark: str) -> dict[str, Any] | None:
    row: dict[str, Any] | None = await door.edge.database[QUESTIONS].find_one(
        {"code_mark": {"$eq": mark}}, {"letter_ref": 1}
    )
    return row


def _proven(kept: dict[str, Any], proof: str) -> bool:
    """Compared in constant time, also when there is nothing to compare with."""
    email = str(kept.get("email", "-")).casefold()
    digits = "".join(letter for letter in str(kept.get("phone", "")) if letter.isdigit())[-4:]
    given = proof.strip().casefold()
    by_email = hmac.compare_digest(given.encode(), email.encode())
    by_phone = hmac.compare_digest(given.encode(), (digits or "-").encode())
    return bool(kept) and (by_email or (by_phone and len(digits) == 4))


def _cookie_name(request: Request) -> str:
    return "__Host-qa-track" if door_of(request).secure else "qa_track"


def remember(request: Request, response: Response, question_id: UUID) -> None:
    """Let this browser see this question for a while."""
    until = int(time.time() + COOKIE_LIFETIME.total_seconds())
    sealed = codes_of(request).sealed(str(question_id), until)
    door_of(request).set_cookie(response, _cookie_name(request), sealed, COOKIE_LIFETIME)


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(
        _cookie_name(request), path="/", secure=door_of(request).secure, httponly=True, samesite="lax"
    )


def remembered(request: Request) -> UUID | None:
    """The question that this browser may see, by its cookie."""
    value = request.cookies.get(_cookie_name(request), "")
    opened = codes_of(request).unsealed(value, time.time())
    try:
        return UUID(opened) if opened else None
    except ValueError:
        return None


def private(response: Response) -> Response:
    """Nobody else on the way, or at this machine, is shown it again."""
    response.headers["Cache-Control"] = "no-store"
    return response
