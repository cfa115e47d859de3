"""The JSON event format, for one event or for a batch."""

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson

from .errors import InvalidEvent
from .event import CloudEvent, attributes_of, build

_DATA_MEMBERS = frozenset({"data", "data_base64"})
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]+)', re.IGNORECASE)
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1"}


def read_event(body: bytes) -> CloudEvent:
    """Return the event that a JSON document describes, or raise `InvalidEvent`."""
    return _event_of(_parse(body, "utf-8"))


def read_batch(body: bytes) -> tuple[CloudEvent, ...]:
    """Return the events of a JSON array; one bad event makes the whole batch invalid."""
    items = _parse(body, "utf-8")
    if not isinstance(items, list):
        raise InvalidEvent("a batch must be a JSON array")
    return tuple(_item_of(items, index) for index in range(len(items)))


def write_event(event: CloudEvent) -> bytes:
    """Return the event as a compact JSON document."""
    members: dict[str, Any] = dict(attributes_of(event))
    if event.datacontenttype is not None:
        members["datacontenttype"] = event.datacontenttype
    if event.data is not None:
        name, value = _data_member(event.datacontenttype or "", event.data)
        members[name] = value
    return orjson.dumps(members)


def write_batch(events: Iterable[CloudEvent]) -> bytes:
    """Return the events as a compact JSON array."""
    return b"[" + b",".join(write_event(event) for event in events) + b"]"


def media_type(content_type: str) -> str:
    """Return a content type in lower case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _item_of(items: list[Any], index: int) -> CloudEvent:
    try:
        return _event_of(items[index])
    except InvalidEvent as error:
        raise InvalidEvent(f"event {index} of the batch: {error}") from error


def _event_of(members: object) -> CloudEvent:
    if not isinstance(members, dict):
        raise InvalidEvent("an event must be a JSON object")
    data = _data_of(members)
    # A null attribute is an unset one (JSON format 2.2); a null `data` is data, and is read by now.
    attributes = {name: value for name, value in members.items() if value is not None and name not in _DATA_MEMBERS}
    if "data" in members:
        attributes.setdefault("datacontenttype", "application/json")  # what its absence means (JSON format 3.1.2)
    return build(attributes, data)


def _data_of(members: dict[str, Any]) -> bytes | None:
    if members.keys() >= _DATA_MEMBERS:
        raise InvalidEvent("data and data_base64 exclude each other")
    if "data_base64" in members:
        return _from_base64(members["data_base64"])
    if "data" not in members:
        return None
    content_type = members.get("datacontenttype") or "application/json"
    if not isinstance(content_type, str):
        raise InvalidEvent("datacontenttype must be a string")
    return _encode(members["data"], content_type)


def _from_base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise InvalidEvent("data_base64 must be a string")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidEvent("data_base64 is not valid base64") from error


def _encode(value: object, content_type: str) -> bytes:
    if _is_json(content_type):
        return _compact(value, _codec_of(content_type))
    if not isinstance(value, str):
        raise InvalidEvent("data must be a string, because datacontenttype is not JSON")
    try:
        return value.encode(_codec_of(content_type))
    except UnicodeEncodeError as error:
        raise InvalidEvent("data cannot be written in the charset that datacontenttype names") from error


def _data_member(content_type: str, data: bytes) -> tuple[str, Any]:
    """Return the member that carries `data`: base64 for whatever JSON cannot carry without loss."""
    with contextlib.suppress(InvalidEvent):
        if _is_json(content_type):
            return "data", orjson.Fragment(_compact(_parse(data, _codec_of(content_type)), "utf-8"))
        if content_type[:5].lower() == "text/":
            return "data", _decode(data, _codec_of(content_type))
    return "data_base64", base64.b64encode(data).decode("ascii")


def _is_json(content_type: str) -> bool:
    subtype = media_type(content_type).partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def _codec_of(content_type: str) -> str:
    match = _CHARSET.search(content_type)
    if match is None:
        return "utf-8"
    if match[1].lower() not in _CODECS:
        raise InvalidEvent("text in this charset can only be carried as data_base64")
    return _CODECS[match[1].lower()]


def _decode(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"not valid {codec} text") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object names a member twice")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# The standard library's parser and not orjson: it sees repeated members and keeps integers of any size.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _parse(body: bytes, codec: str) -> Any:
    text = _decode(body, codec)
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"not valid JSON: {error}") from error


def _compact(value: object, codec: str) -> bytes:
    try:
        return _ENCODER.encode(value).encode(codec)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent("data is not a JSON value that can be written again") from error
