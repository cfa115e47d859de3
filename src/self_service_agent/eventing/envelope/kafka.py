"""CloudEvents on Kafka: attributes as record headers, the partition key as record key."""

from collections.abc import Iterable

from . import json_format
from .errors import InvalidEvent, UnsupportedFormat
from .event import CloudEvent, attributes_of, build
from .http import STRUCTURED_JSON, check_not_structured, is_structured, text_of


def to_kafka(event: CloudEvent) -> tuple[bytes | None, list[tuple[str, bytes]], bytes | None]:
    """Return key, headers and value of a binary record; an event without data has no value."""
    headers = [(f"ce_{name}", text_of(value).encode()) for name, value in attributes_of(event).items()]
    if event.datacontenttype is not None:
        check_not_structured(event.datacontenttype)
        headers.append(("content-type", event.datacontenttype.encode()))
    partition_key = event.extensions.get("partitionkey")
    return None if partition_key is None else text_of(partition_key).encode(), headers, event.data


def from_kafka(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> CloudEvent:
    """Return the event of a binary or structured record, or raise an `EnvelopeError`; the key adds nothing."""
    texts = _texts(headers)
    content_type = texts.pop("content-type", None)
    if is_structured(content_type):
        return _from_structured(content_type or "", value)
    attributes = {name[3:]: text for name, text in texts.items()}
    if "datacontenttype" in attributes:
        raise InvalidEvent("ce_datacontenttype must not be sent: it is the content-type header")
    if content_type:
        attributes["datacontenttype"] = content_type
    return build(attributes, value)


def _from_structured(content_type: str, value: bytes | None) -> CloudEvent:
    if json_format.media_type(content_type) != STRUCTURED_JSON:
        raise UnsupportedFormat(f"the content type must be {STRUCTURED_JSON}")
    if value is None:
        raise InvalidEvent("a structured record must have a value")
    return json_format.read_event(value)


def _texts(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in headers:
        if name != "content-type" and not name.startswith("ce_"):
            continue
        if name in texts:
            raise InvalidEvent(f"header {name!r} was sent twice")
        texts[name] = _text(name, value)
    return texts


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"header {name!r} is not valid UTF-8") from error
