"""What of a person's data stays after an erasure and why, and what of it is shown to nobody."""

from collections.abc import Mapping
from typing import Any

_SECRETS = ("token", "secret", "password", "api_key", "authorization")
_MASK = "********"

REMAINS = (
    ("audit_log", "who did what is kept as evidence; it names the person by id, and the erasure itself is in it"),
    ("processed_events", "ids of handled events, without content, are kept for 15 days against repetitions"),
    ("delivered messages", "what reached a mailbox, a chat or another receiver is no longer in our hands"),
    ("operational logs and backups", "they hold ids but no contents, and end with the operator's own periods"),
)


def without_secrets(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with what opens other systems made unreadable, at any depth."""
    return {key: _MASK if _is_secret(key) and value is not None else _masked(value) for key, value in document.items()}


def _masked(value: Any) -> Any:
    match value:
        case dict():
            return without_secrets(value)
        case list():
            return [_masked(each) for each in value]
        case _:
            return value


def _is_secret(key: str) -> bool:
    return key.lower().replace("-", "_").endswith(_SECRETS)
