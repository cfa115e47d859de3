"""Logs: one line per event on standard error, from our own code and from the libraries alike."""

import io
import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO, cast

import orjson
import structlog
from pydantic import SecretBytes, SecretStr
from structlog.types import EventDict, ExcInfo, Processor, WrappedLogger

from . import tracing
from .sensitive import without_sensitive

_SECRET_NAME = re.compile(
    r"authorization|token|passw|secret|api[_-]?key|private[_-]?key|cookie|credential|signature|bearer", re.IGNORECASE
)
_REDACTED = "[redacted]"
# Libraries that bring handlers of their own, which would write a second line beside ours.
_OWN_HANDLERS = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "aiohttp.access",
    "sqlalchemy",
    "sqlalchemy.engine",
    "mcp",
)


def configure(*, level: str, format: Literal["json", "console"]) -> None:  # noqa: A002  # named as LOG_FORMAT is
    """Send all logs from `level` up to standard error, as JSON lines or for a person to read.

    A server that configures logging itself must be told not to (uvicorn: `log_config=None`).
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = cast("TextIO", _StandardError())  # it writes and flushes, which is all that loggers do
    start: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        tracing.correlate,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish: list[Processor] = [redact, *_renderers(format)]
    structlog.configure(
        processors=[*start, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(number, start=start, finish=finish, stream=stream)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what is secret by its name, its type or its looks, at any depth; numbers are never secrets."""
    return {name: _redacted(name, value) for name, value in event.items()}


def _redacted(name: object, value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, SecretStr | SecretBytes) or (isinstance(name, str) and _SECRET_NAME.search(name)):
        return _REDACTED
    if isinstance(value, Mapping):
        return {key: _redacted(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return value if name == "exc_info" else [_redacted(None, inner) for inner in value]
    return without_sensitive(value) if isinstance(value, str) else value


def _redact_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide what an error's own words tell."""
    if isinstance(event.get("exception"), str):
        event["exception"] = without_sensitive(event["exception"])
    return event


def _renderers(format: Literal["json", "console"]) -> list[Processor]:  # noqa: A002  # as in configure
    if format == "json":
        return [
            structlog.processors.format_exc_info,
            _redact_traceback,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_write_traceback)]


def _write_traceback(stream: TextIO, error: ExcInfo) -> None:
    """Write a traceback without the values of variables, which may be secrets, and without what its words tell."""
    written = io.StringIO()
    structlog.dev.plain_traceback(written, error)
    stream.write(without_sensitive(written.getvalue()))


def _to_json(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits and lone surrogates: a log line must not fail for them.
        return json.dumps(event, default=str, skipkeys=True)


def _route_standard_logging(level: int, *, start: list[Processor], finish: list[Processor], stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *start],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written, because it may be replaced while loggers live on."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
