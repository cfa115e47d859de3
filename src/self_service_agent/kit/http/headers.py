"""Reads what HTTP headers say, without trusting them to be well-formed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how many seconds the peer asks us to wait, or None when it does not say so in a known form."""
    wish = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(wish):
        return float(wish)
    try:
        moment = parsedate_to_datetime(wish)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
