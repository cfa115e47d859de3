"""Taking secrets out of what is about to be written down, by their names and by their looks."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretBytes, SecretStr

from self_service_agent.kit.sensitive import SECRET_LOOKS

REDACTED: Final = "[redacted]"

_SECRET_NAME = re.compile(
    r"authorization|token|passw|passphrase|secret|api[_-]?key|private[_-]?key|cookie|credential|signature|bearer",
    re.IGNORECASE,
)
_DEPTH_LIMIT = 8
_TEXT_LIMIT = 2_000
_LARGEST_INTEGER = 2**63 - 1


def without_secrets(value: Any, *, depth: int = 0) -> Any:
    """Return JSON that can be stored: secrets hidden at any depth, and every foreign kind of value as text."""
    if _is_plain(value):
        return value
    if isinstance(value, SecretStr | SecretBytes | bytes | bytearray) or depth > _DEPTH_LIMIT:
        return REDACTED
    if isinstance(value, Mapping):
        return {_text(name): _member(str(name), inner, depth=depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [without_secrets(inner, depth=depth + 1) for inner in value]
    return _text(value)


def _member(name: str, value: Any, *, depth: int) -> Any:
    is_secret = _SECRET_NAME.search(name) is not None and not _is_plain(value)
    return REDACTED if is_secret else without_secrets(value, depth=depth)


def _is_plain(value: Any) -> bool:
    """Tell whether a value is no secret whatever it is called: a token count is one, a token is not."""
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INTEGER
    return value is None or isinstance(value, float)


def _text(value: object) -> str:
    """Return `value` as text that PostgreSQL takes, its secrets hidden."""
    text = str(value)[:_TEXT_LIMIT].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    for looks in SECRET_LOOKS:
        text = looks.sub(REDACTED, text)
    return text
