"""What aiokafka fetches, made whole. A header name that is no UTF-8 is read to the byte
(``surrogateescape``); a partition that can't be read on (a checksum, a codec) stands still alone: nothing of
it is passed over, and nothing that was drawn from it or from another is lost."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

import structlog
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from shared.logging import spoken

log = structlog.get_logger(__name__)

ANY: Final = "surrogateescape"
LENGTH_AT: Final = 8  # in a batch: after its base offset; what is behind the length is counted by it
OVERHEAD: Final = 12
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds until a partition that can't be read is fetched again


class Records:
    """Batches one after another. Stands where aiokafka has its own."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._plain = MemoryRecords(data)
        self.has_next, self.size_in_bytes = self._plain.has_next, self._plain.size_in_bytes
        if data and not self._plain.has_next():
            # A broker cuts off at the end, never within the first batch: its length is damaged. aiokafka
            # would take it for a record that is too large, and pass over it.
            self.has_next = lambda: True

    def next_batch(self) -> "Batch":
        start = self._at
        if not self._plain.has_next():
            raise CorruptRecordException("the length of a batch is damaged")
        length = int.from_bytes(self._data[start + LENGTH_AT : start + OVERHEAD], "big")
        self._at = start + OVERHEAD + length
        return Batch(self._plain.next_batch(), self._data[start : self._at])


class Batch:
    def __init__(self, plain: Any, data: bytes) -> None:
        self._plain, self._data = plain, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def __next__(self) -> Any:
        return next(self._plain)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._plain
        except UnicodeDecodeError:  # once more from its first record: the fetcher passes what it has had
            yield from _ToTheByte(self._data)


class _ToTheByte(_DefaultRecordBatchPy):  # type: ignore[misc]
    _pos: int

    def _read_msg(self, *_given: Any) -> _DefaultRecordPy:
        buffer = self._buffer
        length, start = decode_varint(buffer, self._pos)
        _, at = decode_varint(buffer, start)  # attributes
        later, at = decode_varint(buffer, at)
        offset, at = decode_varint(buffer, at)
        key, at = _part(buffer, at)
        value, at = _part(buffer, at)
        count, at = decode_varint(buffer, at)
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(count):
            name, at = _part(buffer, at)
            raw, at = _part(buffer, at)
            headers.append(((name or b"").decode(errors=ANY), raw))
        self._pos = start + length
        time = self.max_timestamp if self.timestamp_type else self.first_timestamp + later
        return _DefaultRecordPy(self.base_offset + offset, time, self.timestamp_type, key, value, headers)


def _part(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(buffer, at)
    return (None, at) if length < 0 else (bytes(buffer[at : at + length]), at + length)


def kept(name: str) -> str | bytes:
    """A header's name as the database can keep it: text, or the bytes of what is none."""
    raw = name.encode(errors=ANY)
    return name if raw.decode(errors="replace") == name else raw


def named(kept: str | bytes) -> str:
    return kept if isinstance(kept, str) else kept.decode(errors=ANY)


def shown(name: str) -> str:
    """A header's name as text, whatever its bytes were."""
    return name.encode(errors=ANY).decode(errors="backslashreplace")


class Result(fetcher.FetchResult):  # type: ignore[misc]
    """What was fetched of one partition. aiokafka's own raises in the middle of a draw, which throws away
    what was drawn by then from this partition and the others, and the next commit passes over that."""

    _partition_records: Any
    _waits: ClassVar[WeakKeyDictionary[Any, float]] = WeakKeyDictionary()  # of partitions that stand still

    def getall(self, max_records: int | None = None) -> list[Any]:
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        drawn: list[Any] = []
        state, broken = self._assignment.state_value(self._topic_partition), None
        try:
            for record in islice(self._partition_records, max_records):
                drawn.append(record)  # noqa: PERF402 (what came before an error counts)
        except Exception as error:
            broken = error
        self._update_position()
        if broken or len(drawn) != max_records:
            self._partition_records = None
        if drawn:
            self._waits.pop(state, None)
        elif broken:
            self._stand_still(state, broken)
        return drawn

    def _stand_still(self, state: Any, error: Exception) -> None:
        """For a while, longer each time. The position stays, so that it shows as lag."""
        wait = self._waits.get(state, FIRST_WAIT)
        self._waits[state] = min(wait * 2, LONGEST_WAIT)
        topic, partition = self._topic_partition
        log.error(
            "partition.unreadable", topic=topic, partition=partition, offset=state.position,
            error=spoken(error), wait=wait,
        )  # fmt: skip
        state.pause()
        asyncio.get_running_loop().call_later(wait, state.resume)


def make_whole() -> None:
    fetcher.MemoryRecords, fetcher.FetchResult = Records, Result
