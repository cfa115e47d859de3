"""What a channel is: one verb that carries a reply to a person, and the errors that say what to do next."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from self_service_agent.kit.http.client import Client
from self_service_agent.kit.validation import complaint
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom a reply is for, as far as the dispatcher knows them."""

    user_id: str
    login: str | None
    email: str | None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An agent's answer on its way to a person.

    `delivery_id` is the idempotency key on every attempt; `origin` is the integration context of the request
    that is answered (thread, message ids), for channels that answer in place.
    """

    delivery_id: str
    request_id: str
    session_id: str
    person: Person
    agent_id: str | None
    subject: str | None
    content: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The provider's yes."""

    external_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class DeliveryError(Exception):
    """A reply was not handed over; the subclass says whether to try again."""


class TransientDeliveryError(DeliveryError):
    """May succeed later; `retry_after` is the provider's wish in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentDeliveryError(DeliveryError):
    """Will never succeed for this reply and address."""


class UnknownOutcomeError(TransientDeliveryError):
    """The line broke after everything was sent: the provider may or may not have taken it."""


class NoAddress(PermanentDeliveryError):
    """Nothing known about this person can be reached on this channel; the message says what is missing."""


class InvalidConfig(ValueError):
    """A configuration that could never work; the message names the fields, without their values."""


AddressT = TypeVar("AddressT", bound=BaseModel)
AddressT_contra = TypeVar("AddressT_contra", bound=BaseModel, contravariant=True)


class Channel(Protocol[AddressT_contra]):
    """Carries one reply to one person. Retrying and recording are the dispatcher's."""

    integration_type: ClassVar[IntegrationType]

    async def deliver(self, reply: Reply, address: AddressT_contra) -> Receipt:
        """Hand `reply` to the provider, or raise a `DeliveryError`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Manifest(Generic[AddressT]):
    """Everything the dispatcher must know about a channel without opening it.

    `read_settings()` reads the channel's environment and returns None when it is not configured; `open` yields the
    channel for as long as the service runs; `address_of` finds the person's address in their effective
    configuration, or raises `NoAddress`: it takes the person, that configuration, and the reply's `origin`.
    `switched_on_by(settings)` is for a channel that is off by default and that some settings turn on for everybody.
    `check_config` raises `InvalidConfig` for a person's configuration that no address could be made of; what is only
    missing is no fault, since the person or the default may bring it.
    `repeatable`: receivers recognise a repeated delivery id, so that an attempt of unknown outcome is safe to repeat.
    """

    integration_type: IntegrationType
    defaults: IntegrationConfig
    read_settings: Callable[[], Any | None]
    open: Callable[[Any, Client], AbstractAsyncContextManager[Channel[AddressT]]]
    address_of: Callable[[Person, Mapping[str, Any], Mapping[str, Any]], AddressT]
    check_config: Callable[[Mapping[str, Any]], None] = lambda _config: None
    switched_on_by: Callable[[Any], bool] = lambda _settings: False
    repeatable: bool = False

    def defaults_with(self, settings: Any | None) -> IntegrationConfig:
        """Return the defaults as they hold under what `read_settings()` said: off where nothing is configured."""
        enabled = settings is not None and (self.defaults.enabled or self.switched_on_by(settings))
        return self.defaults.model_copy(update={"enabled": enabled})


def check_fields(address: type[BaseModel], config: Mapping[str, Any]) -> None:
    """Raise `InvalidConfig` if a field of `address` that `config` holds is wrong."""
    try:
        address.model_validate(config)
    except ValidationError as error:
        if any(each["type"] != "missing" for each in error.errors()):
            # The cause is dropped because it holds the values, among them secrets.
            raise InvalidConfig(complaints(error, ignore="missing")) from None


def complaints(error: ValidationError, *, ignore: str | None = None) -> str:
    """Return where a configuration is wrong and why, without its values: they are addresses and credentials."""
    wrong = (each for each in error.errors() if each["type"] != ignore)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'config'}: {complaint(each)}" for each in wrong)
