"""Values that definitions compute with: dotted paths into records, dates and whole months."""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Any


class ValueProblem(Exception):
    """A value is missing or of the wrong sort, so nothing can be decided or said from it."""


def walk_path(names: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the value at `path`; only the keys of records are followed, never attributes of objects."""
    value: Any = names
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            raise ValueProblem(f"{'.'.join(path)} is not known")
        value = value[key]
    return value


def read_date(value: Any) -> date:
    """Return the date that an ISO text or a date stands for."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueProblem("a date is missing")
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise ValueProblem(f"{value!r} is not a date") from error


def add_months(start: Any, months: Any) -> date:
    """Return the same day `months` later, or the last day of a month that is too short for it."""
    day = read_date(start)
    if not isinstance(months, int):
        raise ValueProblem("a number of months is missing")
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ValueProblem("the date is out of range") from error


def months_between(start: Any, end: Any) -> int:
    """Return the whole months from `start` to `end`; a month is whole on the day that `add_months` reaches."""
    first, last = read_date(start), read_date(end)
    months = (last.year - first.year) * 12 + last.month - first.month
    return months if add_months(first, months) <= last else months - 1
