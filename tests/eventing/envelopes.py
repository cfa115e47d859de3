"""Builders of events and of the messages that carry them."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from self_service_agent.eventing.envelope import CloudEvent

REQUIRED = {"ce-specversion": "1.0", "ce-id": "42", "ce-source": "request-manager", "ce-type": "created"}
DOCUMENT = {"specversion": "1.0", "id": "42", "source": "request-manager", "type": "created"}


def an_event(**changes: Any) -> CloudEvent:
    """Return a valid event, with the attributes that the test names."""
    values: dict[str, Any] = {"id": "42", "source": "request-manager", "type": "created"}
    return CloudEvent(**(values | changes))


def a_full_event(**changes: Any) -> CloudEvent:
    """Return an event that uses every attribute and every extension type."""
    values: dict[str, Any] = {
        "subject": "request/7",
        "time": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "datacontenttype": "application/json",
        "dataschema": "https://schemas.example/created",
        "extensions": {"userid": 'zoë "z" 100%', "sequence": 7, "urgent": True, "partitionkey": "s-1"},
        "data": b'{"n":1}',
    }
    return an_event(**(values | changes))


_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]))
_names = st.from_regex(r"x[a-z0-9]{0,24}", fullmatch=True)
_values = st.one_of(_texts, st.booleans(), st.integers(-(2**31), 2**31 - 1))
_times = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy wants naive bounds
_media_types = st.sampled_from(["application/json", "text/plain", "text/plain; charset=iso-8859-1", "image/png"])

events = st.builds(
    CloudEvent,
    id=_texts.filter(bool),
    source=_texts.filter(bool),
    type=_texts.filter(bool),
    subject=st.none() | _texts.filter(bool),
    time=st.none() | _times,
    datacontenttype=_media_types,
    dataschema=st.none() | _texts.filter(bool),
    extensions=st.dictionaries(_names, _values, max_size=5),
    data=st.none() | st.binary(min_size=1) | _texts.filter(bool).map(str.encode),
)
