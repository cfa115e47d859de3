"""Turns a person's configuration into a testing address, and an outcome into what a provider would say."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from self_service_agent.channels.base import (
    NoAddress,
    PermanentDeliveryError,
    Person,
    Receipt,
    Reply,
    TransientDeliveryError,
    UnknownOutcomeError,
    check_fields,
)

from .config import Outcome, RecordingAddress

BUSY_SECONDS = 1.0


def address_of(person: Person, config: Mapping[str, Any], _origin: Mapping[str, Any]) -> RecordingAddress:
    """Return where the testing channel reaches this person, which is everybody."""
    try:
        return RecordingAddress(user_id=person.user_id, outcome=config.get("outcome", Outcome.DELIVERED))
    except ValidationError:
        raise NoAddress(f"outcome must be one of {', '.join(Outcome)}") from None


def check_config(config: Mapping[str, Any]) -> None:
    """Raise `InvalidConfig` for an outcome that cannot be played."""
    check_fields(RecordingAddress, {key: value for key, value in config.items() if key == "outcome"})


def read_receipt(reply: Reply, outcome: Outcome) -> Receipt:
    """Turn the wanted outcome into a receipt, or into the error it stands for."""
    match outcome:
        case Outcome.DELIVERED:
            return Receipt(external_id=reply.delivery_id)
        case Outcome.REFUSED:
            raise PermanentDeliveryError("refused, as configured")
        case Outcome.BUSY:
            raise TransientDeliveryError("busy, as configured", retry_after=BUSY_SECONDS)
        case Outcome.UNKNOWN:
            raise UnknownOutcomeError("answer lost, as configured")
