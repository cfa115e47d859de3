"""Identifiers: time-ordered ones for new things, derived ones for consequences of known things."""

import os
import time
import uuid

# The first digit of the fourth group begins with the bits 10; the other two are random.
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
_NAMESPACE = uuid.UUID("6f1b7a52-2f0e-5d0b-9a39-6c0c6d0f4f55")


def new_id() -> str:
    """Return a fresh UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits."""
    # Written out, not through uuid.UUID, which takes many times as long: every request needs several.
    time_part, random = f"{time.time_ns() // 1_000_000:012x}", os.urandom(10).hex()
    return f"{time_part[:8]}-{time_part[8:]}-7{random[:3]}-{_VARIANT[random[3]]}{random[4:7]}-{random[7:19]}"


def derived_id(parent: str, step: str) -> str:
    """Return the UUIDv5 of `parent` and `step`: the same for every repetition of the same step."""
    return str(uuid.uuid5(_NAMESPACE, f"{parent}/{step}"))
