"""Deliveries: the promise to bring one answer to one person on one channel."""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """Where a delivery stands. The last five are final."""

    PENDING = "PENDING"
    RETRYING = "RETRYING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    SKIPPED = "SKIPPED"
    UNKNOWN = "UNKNOWN"
    DEAD_LETTERED = "DEAD_LETTERED"
