"""CloudEvents on HTTP: binary, structured and batched messages."""

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias
from urllib.parse import quote, unquote_to_bytes

from . import json_format
from .errors import InvalidEvent, UnsupportedFormat
from .event import AttributeValue, CloudEvent, attributes_of, build

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[bytes, bytes]]

STRUCTURED_PREFIX = "application/cloudevents"
STRUCTURED_JSON = "application/cloudevents+json"
BATCH_JSON = "application/cloudevents-batch+json"

_PLAIN = re.compile(r"[!#$&-~]*")
_SAFE = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def from_http(headers: Headers, body: bytes) -> CloudEvent:
    """Return the event of a binary or structured message, or raise an `EnvelopeError`."""
    content_type, raw = _collect(headers)
    if is_structured(content_type):
        _demand(content_type, STRUCTURED_JSON)
        return json_format.read_event(body)
    if "datacontenttype" in raw:
        raise InvalidEvent("ce-datacontenttype must not be sent: it is the Content-Type header")
    if _needs_unescaping("".join(raw.values())):
        raw = {name: _unescape(name, value) for name, value in raw.items()}
    if content_type:
        raw["datacontenttype"] = content_type
    return build(raw, body or None)


def from_http_batch(headers: Headers, body: bytes) -> tuple[CloudEvent, ...]:
    """Return the events of a batched message, or raise an `EnvelopeError` if any of them is wrong."""
    content_type, _ = _collect(headers)
    _demand(content_type, BATCH_JSON)
    return json_format.read_batch(body)


def to_binary(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers and body with the attributes as headers, and the data as it is."""
    headers = {f"ce-{name}": _escape(value) for name, value in attributes_of(event).items()}
    if event.datacontenttype is not None:
        check_not_structured(event.datacontenttype)
        headers["content-type"] = event.datacontenttype
    return headers, event.data or b""


def to_structured(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Return headers and body with the whole event as a JSON document."""
    return {"content-type": STRUCTURED_JSON}, json_format.write_event(event)


def to_batch(events: Iterable[CloudEvent]) -> tuple[dict[str, str], bytes]:
    """Return headers and body with all events in one JSON array."""
    return {"content-type": BATCH_JSON}, json_format.write_batch(events)


def is_structured(content_type: str | None) -> bool:
    """Say whether this content type announces an event as a whole document."""
    return content_type is not None and content_type[: len(STRUCTURED_PREFIX)].lower() == STRUCTURED_PREFIX


def check_not_structured(content_type: str) -> None:
    """Refuse data whose own content type would make a binary message look like a structured one."""
    if is_structured(content_type):
        raise InvalidEvent("an event whose data is itself a CloudEvent can only travel in structured mode")


def text_of(value: AttributeValue) -> str:
    """Return an attribute's canonical text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _demand(content_type: str | None, wanted: str) -> None:
    if content_type is None or json_format.media_type(content_type) != wanted:
        raise UnsupportedFormat(f"the content type must be {wanted}")


def _collect(headers: Headers) -> tuple[str | None, dict[str, str]]:
    """Return the content type and the undecoded attributes by name."""
    content_type: str | None = None
    raw: dict[str, str] = {}
    for name, value in _pairs(headers):
        lowered = name.lower()
        if lowered.startswith(b"ce-"):
            attribute = lowered[3:].decode("latin-1")
            if attribute in raw:
                raise InvalidEvent(f"header 'ce-{attribute}' was sent twice")
            raw[attribute] = value.decode("latin-1")
        elif lowered == b"content-type":
            if content_type is not None:
                raise InvalidEvent("header 'content-type' was sent twice")
            content_type = value.decode("latin-1").strip(" \t")
    return content_type, raw


def _pairs(headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    if isinstance(headers, Mapping):
        return [
            (name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass"))
            for name, value in headers.items()
        ]
    return headers


def _needs_unescaping(texts: str) -> bool:
    return "%" in texts or '"' in texts or " " in texts or not texts.isprintable() or not texts.isascii()


def _unescape(name: str, value: str) -> str:
    value = value.strip(" \t")
    if not value.isascii():
        raise InvalidEvent(f"{name} must be sent percent-encoded")
    if value[:1] == '"':
        value = _unquote(name, value)
    return _percent_decode(name, value) if "%" in value else value


def _unquote(name: str, value: str) -> str:
    match = _QUOTED.fullmatch(value)
    if match is None:
        raise InvalidEvent(f"{name} opens a quotation that does not end")
    return _ESCAPED.sub(r"\1", match[1])


def _percent_decode(name: str, value: str) -> str:
    if _BROKEN_ESCAPE.search(value):
        raise InvalidEvent(f"{name} contains a broken percent escape")
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"{name} is not valid UTF-8 once percent-decoded") from error


def _escape(value: AttributeValue) -> str:
    text = text_of(value)
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)
