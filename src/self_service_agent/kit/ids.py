"""Identifiers: time-ordered ones for new things, derived ones for consequences of known things."""

import os
import time
import uuid

_NAMESPACE = uuid.UUID("6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55")


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits."""
    time_part = f"{time.time_ns() // 1_000_000:012x}"
    random = int.from_bytes(os.urandom(10), "big")
    # Written out, not through uuid.UUID, which takes five times as long: every request needs several.
    return (
        f"{time_part[:8]}-{time_part[8:]}-7{random >> 68:03x}-{0x8000 | (random >> 48) & 0x3FFF:04x}-"
        f"{random & 0xFFFFFFFFFFFF:012x}"
    )


def derived_id(parent: str, step: str) -> str:
    """Return the UUIDv5 of `parent` and `step`: the same for every repetition of the same step."""
    return str(uuid.uuid5(_NAMESPACE, f"{parent}/{step}"))
