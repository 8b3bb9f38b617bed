"""The acts on a dead letter, on record in the service's own journal: replayed, edited, discarded, by whom and
why. Settled once; the record is right where the collection and it differ."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from bson import Binary
from pydantic import ValidationError

from shared.contracts.base import Aggregate, Decision, Event, UnknownEvent, from_kafka
from shared.contracts.operations import (
    DeadLetterDiscarded,
    DeadLetterEdited,
    DeadLetterReplayed,
    DeadLetterReplayFailed,
)
from shared.desk import Desk
from shared.errors import InvalidInput, PortalError
from shared.messaging.dead_letters import DeadLetters, Grave, State, original_of
from shared.messaging.masking import reason_of
from shared.messaging.records import kept, shown

Act = DeadLetterReplayed | DeadLetterReplayFailed | DeadLetterEdited | DeadLetterDiscarded


class DeadLetterSettled(PortalError):
    """It was replayed or discarded before."""

    status, code = 409, "dead_letter_settled"
    title_vi, title_en = "Thư chết này đã được xử lý", "This dead letter is settled already"


@dataclass(frozen=True)
class DeadLetter(Aggregate):
    """What people have done about one dead letter. Its burial is in the collection alone."""

    KIND: ClassVar[str] = "deadletter"
    id: str
    state: State = State.BURIED
    reason: str = ""
    current_edit: str = ""
    failures: int = 0

    @classmethod
    def begin(cls, event: Event) -> "DeadLetter":
        if not isinstance(event, Act):
            raise TypeError(f"{event.name} cannot stand here")
        return cls(event.dead_letter_id).apply(event)

    def apply(self, event: Event) -> "DeadLetter":
        match event:
            case DeadLetterReplayed():
                return replace(self, state=State.REPLAYED, reason=event.reason)
            case DeadLetterDiscarded():
                return replace(self, state=State.DISCARDED, reason=event.reason)
            case DeadLetterEdited():
                return replace(self, current_edit=event.edit)
            case DeadLetterReplayFailed():
                return replace(self, failures=self.failures + 1)
        return self


def decide(letter: DeadLetter | None, act: Act) -> Decision[DeadLetter]:
    if letter is None:
        return DeadLetter.starts_with(act)
    if letter.state is not State.BURIED:
        raise DeadLetterSettled(f"Thư {letter.id} đã ở trạng thái «{letter.state}».", state=letter.state)
    return letter.then(act)


async def record(act: Act, desk: Desk[Any]) -> DeadLetter:
    """Load, decide, append: the handler of every act."""
    return await desk.append(decide(await desk.find(DeadLetter, act.dead_letter_id), act))


async def discard(graves: DeadLetters, id: str, reason: str, desk: Desk[Any]) -> DeadLetter:
    await graves.get(id)
    letter = await desk.run(record, DeadLetterDiscarded(dead_letter_id=id, reason=reason))
    await graves.mark(id, letter.state, desk.by.subject, settled_reason=reason)
    return letter


@dataclass(frozen=True)
class Edit:
    reason: str
    patch: Mapping[str, Any] | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)


def edited(grave: Grave, change: Edit) -> Grave:
    """The letter with a merge patch (RFC 7396) laid on its body, so that what the operator was not shown need
    not be sent back; headers are set, or taken away by None. Raises InvalidInput for the unreadable."""
    original = original_of(grave, grave.get("current_edit", ""))
    value, patch, headers = original.value, change.patch, change.headers
    if patch is not None:
        try:
            body = json.loads(value or b"{}")
        except ValueError:
            body = {}
        value = json.dumps(_merged(body, patch), ensure_ascii=False, separators=(",", ":")).encode()
    changed = {k: v for k, v in original.headers if shown(k) not in headers}
    changed |= {k: v.encode() for k, v in headers.items() if v is not None}
    try:
        from_kafka(changed.items(), value)
    except KeyError as error:
        raise InvalidInput(f"Thiếu tiêu đề {error}.", errors=[{"field": "headers"}]) from None
    except (ValidationError, UnknownEvent, ValueError) as error:
        raise InvalidInput(
            f"Bản sửa vẫn chưa đọc được: {reason_of(error)}.", errors=[{"field": "patch"}]
        ) from None
    return {"value": value, "headers": list(changed.items())}


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


async def edit(graves: DeadLetters, id: str, change: Edit, desk: Desk[Any]) -> DeadLetter:
    """Keep an edited body beside the original; the next replay takes it."""
    grave = await graves.get(id)
    written = edited(grave, change)
    digest = hashlib.sha256(repr((written["value"], written["headers"])).encode()).hexdigest()
    if grave["state"] == State.BURIED:
        await graves.edit(id, digest, {
            "value": None if written["value"] is None else Binary(written["value"]),
            "headers": [[kept(n), None if raw is None else Binary(raw)] for n, raw in written["headers"]],
            "at": datetime.now(UTC), "by": desk.by.subject, "reason": change.reason,
        })  # fmt: skip
    letter = await desk.run(record, DeadLetterEdited(dead_letter_id=id, edit=digest, reason=change.reason))
    await graves.mark(id, letter.state, desk.by.subject, current_edit=letter.current_edit)
    return letter
