"""What time it is; every decision takes the time as a value, and this is where the value comes from."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)
