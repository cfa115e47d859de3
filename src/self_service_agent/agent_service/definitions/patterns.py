"""Patterns that authors write and that are searched in what people write, in time linear in its length.

RE2's: no lookaround and no references back, and so no text that takes for ever.
"""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

_MEMORY = 1 << 20  # bytes that one compiled pattern may take
_SEARCHED = 500  # characters: nobody writes numbers that long


def checked_pattern(pattern: str) -> str:
    """Return `pattern`, or raise ValueError with what is wrong with it."""
    _compiled(pattern)
    return pattern


def found(pattern: str, text: str) -> str | None:
    """Return what has the pattern first in the beginning of `text`, whatever its case, or None if nothing has."""
    searched = text[:_SEARCHED].encode("utf-8", "replace").decode()
    match = _compiled(pattern).search(searched)
    return None if match is None else str(match[0])


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.max_mem = False, False, _MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(f"not a pattern: {reason.decode() if isinstance(reason, bytes) else reason}") from error
