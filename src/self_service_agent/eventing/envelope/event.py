"""The event itself: one value that cannot be built against the rules of CloudEvents 1.0."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from .errors import InvalidEvent
from .timestamps import read_time, write_time

AttributeValue: TypeAlias = str | int | bool

_SPECVERSION = "1.0"
_NAME = re.compile(r"[a-z0-9]+")
_RESERVED = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"}
)
# Control characters, surrogates and noncharacters. All of them are unprintable, so only unprintable text is searched.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(p << 16 | e) for p in range(17) for e in (0xFFFE, 0xFFFF))
    + "]"
)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # the grammar's word for a name
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[ -~]*)?")
_INTEGERS = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """A CloudEvent 1.0 with its data as raw bytes; building one that breaks the specification raises `InvalidEvent`.

    `time_as_written` keeps the producer's own spelling (nanoseconds, offset), so that forwarding changes nothing.
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, AttributeValue] = field(default_factory=dict)
    data: bytes | None = None
    time_as_written: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_filled("id", self.id)
        _check_filled("source", self.source)
        _check_filled("type", self.type)
        if self.subject is not None:
            _check_filled("subject", self.subject)
        if self.dataschema is not None:
            _check_filled("dataschema", self.dataschema)
        if self.datacontenttype is not None:
            _check_media_type(self.datacontenttype)
        if self.time is not None and self.time.utcoffset() is None:
            raise InvalidEvent("time must carry its offset")
        if self.extensions:
            _check_extensions(self.extensions)

    def json(self) -> Any:
        """Return the data read as JSON, or raise `InvalidEvent` if it is not JSON."""
        if self.data is None:
            raise InvalidEvent("the event carries no data")
        try:
            return orjson.loads(self.data)
        except orjson.JSONDecodeError as error:
            raise InvalidEvent(f"data is not valid JSON: {error}") from error


def build(attributes: dict[str, Any], data: bytes | None) -> CloudEvent:
    """Return the event with these attributes as they came over the wire; `attributes` is used up."""
    if attributes.pop("specversion", None) != _SPECVERSION:
        raise InvalidEvent(f"specversion must be {_SPECVERSION!r}")
    written = attributes.pop("time", None)
    if written is not None and not isinstance(written, str):
        raise InvalidEvent("time must be a string")
    return CloudEvent(
        id=attributes.pop("id", None),
        source=attributes.pop("source", None),
        type=attributes.pop("type", None),
        subject=attributes.pop("subject", None),
        time=None if written is None else read_time(written),
        datacontenttype=attributes.pop("datacontenttype", None),
        dataschema=attributes.pop("dataschema", None),
        extensions=attributes,
        data=data,
        time_as_written=written,
    )


def attributes_of(event: CloudEvent) -> dict[str, AttributeValue]:
    """Return all attributes that are set, by their names on the wire, except datacontenttype."""
    attributes: dict[str, AttributeValue] = {
        "specversion": _SPECVERSION,
        "id": event.id,
        "source": event.source,
        "type": event.type,
    }
    if event.subject is not None:
        attributes["subject"] = event.subject
    if event.time is not None:
        attributes["time"] = write_time(event.time, event.time_as_written)
    if event.dataschema is not None:
        attributes["dataschema"] = event.dataschema
    attributes.update(event.extensions)
    return attributes


def _check_filled(name: str, value: object) -> None:
    if value is None or value == "":
        raise InvalidEvent(f"{name} is missing or empty")
    if not isinstance(value, str):
        raise InvalidEvent(f"{name} must be a string")
    if not value.isprintable():
        _check_characters(name, value)


def _check_characters(name: str, text: str) -> None:
    if _FORBIDDEN.search(text):
        raise InvalidEvent(f"{name} contains a control character or another one that attributes must not have")


def _check_media_type(value: object) -> None:
    if not isinstance(value, str) or not _MEDIA_TYPE.fullmatch(value):
        raise InvalidEvent("datacontenttype must be a media type")


def _check_extensions(extensions: Mapping[str, object]) -> None:
    for name, value in extensions.items():
        if name in _RESERVED or not _NAME.fullmatch(name):
            raise InvalidEvent(f"{name!r} is not a name that an extension may have")
        if isinstance(value, str):
            if not value.isprintable():
                _check_characters(name, value)
        elif not isinstance(value, int):
            raise InvalidEvent(f"{name} must be a string, an integer or a boolean")
        elif value not in _INTEGERS:
            raise InvalidEvent(f"{name} must fit into 32 bits")
