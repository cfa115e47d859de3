"""RFC 3339 timestamps, read strictly and written in UTC."""

import re
from datetime import UTC, datetime, timedelta

from .errors import InvalidEvent

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)((?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))",
    re.ASCII | re.IGNORECASE,
)


def read_time(text: str) -> datetime:
    """Return the moment that `text` names; a leap second counts as the first moment after it."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise InvalidEvent("time must be an RFC 3339 timestamp")
    try:
        if match[2] != "60":
            return datetime.fromisoformat(text.upper())
        return datetime.fromisoformat(f"{match[1]}59{match[3]}".upper()) + timedelta(seconds=1)
    except (ValueError, OverflowError) as error:
        raise InvalidEvent("time must be a date that exists") from error


def write_time(time: datetime, as_written: str | None) -> str:
    """Return the producer's own words for `time`, if it left any, or our own in UTC."""
    if as_written is not None and read_time(as_written) == time:
        return as_written
    return time.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
