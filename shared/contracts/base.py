"""What every event is: a frozen pydantic model with a topic, a wire name and a version, and the envelope
that it travels in (CloudEvents 1.0, Kafka binary mode). Within a version only optional fields are added."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.errors import PortalError

REGISTRY: dict[tuple[str, int], type["Event"]] = {}
TOPICS: dict[str, list[type["Event"]]] = {}


class UnknownEvent(PortalError):
    """No class in this build carries that name and version: it may come from a newer service."""

    code = "unknown_event"


class Value(BaseModel):
    """A part of an event: frozen; fields that a newer publisher added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """Something that happened, named in the past tense. No name, address or words of a citizen in it."""

    topic: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[int]
    published: ClassVar[bool]  # False: it stays on the service's own record, no topic carries it

    def __init_subclass__(
        cls,
        *,
        topic: str | None = None,
        name: str | None = None,
        version: int = 1,
        published: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if topic is None or name is None:
            return
        cls.topic, cls.name, cls.version, cls.published = topic, name, version, published
        if REGISTRY.setdefault((name, version), cls) is not cls:
            raise TypeError(f"two classes for {name} v{version}")
        if published:
            TOPICS.setdefault(topic, []).append(cls)

    def upcast(self) -> "Event":
        """The same fact in the newest version of its class; an old class overrides this."""
        return self


class Clock(Value):
    """A deadline that a service asks the notifier to keep (thời hạn): whose duty, since when, due when."""

    name: str  # unique within its subject, e.g. "triage", "promised_reply:2"
    duty: str
    basis: str  # anchor in docs/regulation, e.g. "dieu-11#hoi-dap-1"
    owner_unit: str
    started_at: AwareDatetime
    start_reason: str  # Vietnamese, e.g. "ngày tiếp nhận câu hỏi"
    working_days: int | None = None  # None: a date stated otherwise
    warn_at: AwareDatetime | None = None
    due_at: AwareDatetime  # the first instant that is too late, UTC
    calendar_version: str
    provisional: bool = False
    explanation_vi: str
    explanation_en: str
    received_at: AwareDatetime | None = None  # ``started_at`` lies on the first working day from this receipt


class ClockedEvent(Event):
    """An event that starts, stops or cancels clocks of its own stream."""

    opens: tuple[Clock, ...] = ()
    closes: tuple[str, ...] = ()  # discharged, judged by `closed_at` or else by the commit's time
    voids: tuple[str, ...] = ()  # no longer owed
    reopens: tuple[Clock, ...] = ()  # what had discharged them was none: they run on as if it had not been
    closed_at: AwareDatetime | None = None


class ClockMoved(Event):
    """A clock of its own stream as another calendar counts it. It opens none: the notifier, which moved it,
    keeps it already."""

    deadline_id: UUID
    from_due_at: AwareDatetime
    clock: Clock  # as counted now
    document: str  # văn bản đã quyết định lịch mới


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E]):
    """An event with the facts of its commit. ``id`` is deterministic: publishing twice is recognisable."""

    event: E
    stream: str
    version: int
    index: int
    at: datetime
    by: str
    correlation: str
    source: str

    @property
    def id(self) -> str:
        return f"{self.source}:{self.stream}:{self.version}:{self.index}"

    @property
    def sequence(self) -> int:
        """Grows by commit and by event within it: the guard of every projection."""
        return self.version * 100 + self.index

    @property
    def subject_id(self) -> str:
        """The aggregate's id: the stream without its kind."""
        return self.stream.partition("-")[2]

    def headers(self) -> list[tuple[str, bytes]]:
        """CloudEvents attributes as Kafka headers; extension names are lower case letters only."""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", f"/services/{self.source}".encode()),
            ("ce_type", self.event.name.encode()),
            ("ce_subject", self.stream.encode()),
            ("ce_time", self.at.isoformat(timespec="milliseconds").encode()),
            ("ce_eventversion", b"%d" % self.event.version),
            ("ce_sequence", b"%d" % self.version),
            ("ce_index", b"%d" % self.index),
            ("ce_actor", self.by.encode()),
            ("ce_correlationid", self.correlation.encode()),
            ("content-type", b"application/json"),
        ]


def class_of(name: str, version: int) -> type[Event]:
    found = REGISTRY.get((name, version))
    if found is None:
        raise UnknownEvent(f"không biết sự kiện {name} v{version}")
    return found


def parse(name: str, version: int, data: bytes | str) -> Event:
    """Raises :class:`UnknownEvent` or pydantic's ``ValidationError``."""
    return class_of(name, version).model_validate_json(data).upcast()


_WORDS: Final = ("ce_type", "ce_subject", "ce_time", "ce_actor", "ce_correlationid", "ce_source")
_NUMBERS: Final = ("ce_eventversion", "ce_sequence", "ce_index")


def from_kafka(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Recorded[Event]:
    """Raises ``KeyError``/``ValueError`` for an envelope that is not ours."""
    attributes = dict(headers)  # what others have added to them is theirs, and may be no text
    "".join(attributes).encode()  # but a name that is none breaks Kafka's own rule: who knows what it was
    try:
        name, stream, time, by, correlation, source = [attributes[a].decode() for a in _WORDS]  # type: ignore[union-attr]
        version, sequence, index = [int(attributes[a]) for a in _NUMBERS]  # type: ignore[arg-type]
    except (AttributeError, TypeError) as error:  # Kafka lets a header have no value
        raise ValueError("an attribute of the envelope has no value") from error
    return Recorded(
        parse(name, version, value or b""), stream, sequence, index, datetime.fromisoformat(time), by,
        correlation, source.rpartition("/")[2],
    )  # fmt: skip


class Aggregate:
    """Something whose state is folded from its own events; ``KIND`` begins its stream's name."""

    KIND: ClassVar[str]
    id: Any

    @classmethod
    def begin(cls, event: Event) -> Self:
        """The state after the first event."""
        raise NotImplementedError

    def apply(self, event: Event) -> Self:
        """The state after one more event. Pure, and it never refuses: it happened."""
        raise NotImplementedError

    def then(self, *events: Event) -> "Decision[Self]":
        state = self
        for event in events:
            state = state.apply(event)
        return state, events

    @classmethod
    def starts_with(cls, first: Event, *more: Event) -> "Decision[Self]":
        state, _ = cls.begin(first).then(*more)
        return state, (first, *more)

    @classmethod
    def fold(cls, events: Iterable[Event]) -> Self:
        steps = iter(events)
        state = cls.begin(next(steps))
        for event in steps:
            state = state.apply(event)
        return state

    @classmethod
    def stream_of(cls, id: Any) -> str:
        return f"{cls.KIND}-{id}"


A = TypeVar("A", bound=Aggregate)
Decision = tuple[A, tuple[Event, ...]]


def only(event: Event, kind: type[E]) -> E:
    """Narrow an event that must be of one class (the first of a stream)."""
    if not isinstance(event, kind):
        raise TypeError(f"{event.name} cannot stand here")
    return event
