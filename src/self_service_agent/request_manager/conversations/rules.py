"""How the search for conversations is bounded."""

from datetime import datetime, timedelta
from typing import Final

LAST: Final = "z"  # comes after every session id
_SLACK: Final = timedelta(hours=1)  # the clock that made an id is not the database's
_HEX_DIGITS: Final = 12


def id_bound(end: datetime | None) -> str:
    """Return an id that comes after those of all sessions that were created until `end`: ids begin with their time."""
    if end is None:
        return LAST
    milliseconds = max(0, round((end.timestamp() + _SLACK.total_seconds()) * 1000))
    digits = f"{milliseconds:0{_HEX_DIGITS}x}"
    return LAST if len(digits) > _HEX_DIGITS else f"{digits[:8]}-{digits[8:]}-"
