"""The forms that tools declare for what they take and give, as JSON Schema, and whether a value has them.

Schemas come from servers: nothing they refer to is fetched, and their patterns may not search for long.
"""

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import FancyRegexOptions, ReferencingError, ValidationError, Validator, validator_for

_PATTERNS = FancyRegexOptions(backtrack_limit=100_000)
_MOST_PROBLEMS = 3


class UnusableForm(Exception):
    """The schema is none, or refers to something outside itself."""


class Form:
    """A compiled schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            # Values are left out of what is said: they can be anybody's.
            self._validator: Validator = validator_for(
                dict(schema), offline=True, pattern_options=_PATTERNS, validate_formats=True, mask="the value"
            )
        except (ValidationError, ReferencingError, ValueError) as error:
            raise UnusableForm(str(error).partition("\n")[0]) from error

    def problems_with(self, value: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what keeps `value` from having this form, at most three things; nothing if it has it."""
        found: list[str] = []
        for error in self._validator.iter_errors(dict(value)):
            place = ".".join(map(str, error.instance_path))
            found.append(f"{place}: {error.message}" if place else error.message)
            if len(found) == _MOST_PROBLEMS:
                break
        return tuple(found)
