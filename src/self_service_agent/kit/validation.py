"""What pydantic found wrong, in words that never repeat the rejected value."""

from collections.abc import Mapping
from typing import Any

_SHORTEST_ECHO = 4


def complaint(error: Mapping[str, Any]) -> str:
    """Return the message of one pydantic error, or a plain one if the message quotes the value."""
    message = str(error["msg"]).removeprefix("Value error, ")
    values = (error.get("input"), error.get("ctx", {}).get("tag"))
    return "is not valid" if any(_is_echoed(value, message) for value in values) else message


def _is_echoed(value: object, message: str) -> bool:
    # A shorter value is found by chance in any sentence, and gives nothing away.
    return isinstance(value, str | int | float) and len(str(value)) >= _SHORTEST_ECHO and str(value) in message
