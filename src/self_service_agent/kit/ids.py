"""Identifiers: time-ordered ones for new things, derived ones for consequences of known things."""

import os
import time
import uuid

_NAMESPACE = uuid.UUID("6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55")


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))


def derived_id(parent: str, step: str) -> str:
    """Return the UUIDv5 of `parent` and `step`: the same for every repetition of the same step."""
    return str(uuid.uuid5(_NAMESPACE, f"{parent}/{step}"))
