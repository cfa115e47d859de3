"""What the query strings of lists have in common: ends of days, and names with commas between them."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from .integrations import IntegrationType
from .sessions import Moment


def end_of_day(value: object) -> object:
    """Read a day without a time as the end of that day."""
    with contextlib.suppress(ValueError, OverflowError):
        if isinstance(value, str):
            return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
    return value


def split(values: object) -> object:
    """Read names that are given one by one, or several with commas between them."""
    if not isinstance(values, list):
        return values
    return [name.strip() for value in values for name in str(value).split(",") if name.strip()]


End = Annotated[Moment, BeforeValidator(end_of_day)]
Kinds = Annotated[list[IntegrationType], BeforeValidator(split)]
