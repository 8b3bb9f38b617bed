"""What aiokafka fetches, made whole: a header name that is no UTF-8 is read to the byte (``surrogateescape``)
instead of stopping its partition, and a fetch that fails passes over nothing."""

from collections.abc import Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.errors import ConsumerStoppedError
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

ANY: Final = "surrogateescape"
LENGTH_AT: Final = 8  # in a batch: after its base offset; what is behind the length is counted by it
OVERHEAD: Final = 12


class Records:
    """Batches one after another. Stands where aiokafka has its own."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._plain = MemoryRecords(data)
        self.has_next, self.size_in_bytes = self._plain.has_next, self._plain.size_in_bytes

    def next_batch(self) -> "Batch":
        start = self._at
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


def make_whole(subscriber: Any) -> None:
    """aiokafka moves on partition by partition, so that one that fails (a checksum, a codec) would take
    with it what was drawn from the others just before: unseen, and the next commit would pass it."""
    fetcher.MemoryRecords = Records
    fetch = subscriber.get_msg

    async def get_msg(consumer: Any) -> Any:
        try:
            return await fetch(consumer)
        except ConsumerStoppedError:
            raise
        except Exception:
            for place in consumer.assignment():
                committed = await consumer.committed(place)
                if place not in consumer.assignment():
                    continue
                if committed is None:
                    await consumer.seek_to_beginning(place)
                else:
                    consumer.seek(place, committed)
            raise

    subscriber.get_msg = get_msg
