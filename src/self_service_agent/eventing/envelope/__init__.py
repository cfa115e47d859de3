"""CloudEvents 1.0: one event type, and its strict forms on HTTP and Kafka."""

from .errors import EnvelopeError, InvalidEvent, UnsupportedFormat
from .event import AttributeValue, CloudEvent
from .http import from_http, from_http_batch, to_batch, to_binary, to_structured
from .kafka import from_kafka, to_kafka

__all__ = [
    "AttributeValue",
    "CloudEvent",
    "EnvelopeError",
    "InvalidEvent",
    "UnsupportedFormat",
    "from_http",
    "from_http_batch",
    "from_kafka",
    "to_batch",
    "to_binary",
    "to_kafka",
    "to_structured",
]
