"""Structured logs: JSON in production, readable in a terminal. Only fields on the list leave the process,
so that a citizen's words can't slip in by way of an extra keyword."""

import asyncio
import json
import logging
import sys
import traceback
from types import TracebackType
from typing import Any, Final, TextIO, cast

import structlog
from aiokafka.errors import KafkaError
from pymongo.errors import ConnectionFailure

from shared.errors import PortalError

ALLOWED: Final = frozenset({
    "event", "level", "timestamp", "logger", "service", "replica", "correlation", "exc_info", "exception",
    "error", "code", "status", "method", "path", "seconds", "count", "records", "wait", "pause",
    "follower", "epoch", "resumed", "job", "roles", "port", "topic", "partition", "offset", "stream",
    "version", "id", "kind", "duty", "subject_id", "partner", "attempt", "outcome", "http_status",
    "unit", "act", "host", "reason", "late", "due_at", "peer",
})  # fmt: skip

_encode: Final = json.JSONEncoder(ensure_ascii=False, default=repr).encode  # made once, not for each line


def _only_allowed(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if line.keys() <= ALLOWED:
        return line
    return {name: value for name, value in line.items() if name in ALLOWED or name.startswith("_")}


SPEAKING: Final = (PortalError, OSError, EOFError, ConnectionFailure, KafkaError)


def spoken(error: BaseException) -> str:
    """What may be said of an error: our own words and the system's. What quotes the value that it stumbled
    over (a ValueError, a KeyError, a refused write) is named only."""
    return repr(error) if isinstance(error, SPEAKING) else type(error).__name__


def _where(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """A traceback in the house's own words: places in the code, and what each error may say."""
    lines, error, seen = [], cast("BaseException | None", exc_info[1]), set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        lines += [*traceback.format_tb(error.__traceback__), f"{type(error).__module__}.{spoken(error)}\n"]
        error = error.__cause__ or error.__context__
    return "".join(lines)


class Lines:
    """Lines of one turn of the event loop go out together: to write each by itself costs more than all that
    it says. An end of the process that Python sees loses none."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._waiting: asyncio.AbstractEventLoop | None = None

    def write(self, line: str) -> None:
        self._out.write(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop runs in this thread
            self._out.flush()
            return
        if self._waiting is not loop:
            self._waiting = loop
            loop.call_soon(self._go)

    def flush(self) -> None:
        """The logger asks for it after each line; see ``write``."""

    def _go(self) -> None:
        self._waiting = None
        self._out.flush()


def set_up(service: str, replica: str, *, style: str, level: str) -> None:
    """``style`` is ``json`` or ``console``."""
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(lambda line, **_: _encode(line))
        if style == "json"
        else structlog.dev.ConsoleRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _only_allowed,
        structlog.processors.ExceptionRenderer(_where),
    ]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, Lines(sys.stdout))),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, replica=replica)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
