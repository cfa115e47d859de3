"""Decides how a person's overrides and the defaults add up, and what of a configuration may be shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from self_service_agent.channels.base import Person
from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType
from self_service_agent.shared_models.users import user_id_of

from .defaults import Configs, by_priority

MASK = "********"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PHONE_NUMBER = re.compile(r"\+?[\d ()/.-]{5,}")
_SECRETS = ("token", "secret", "password", "api_key", "authorization")


@dataclass(frozen=True, kw_only=True)
class Override:
    """What a person wants otherwise than the default; None inherits."""

    enabled: bool | None = None
    priority: int | None = None
    retry_count: int | None = None
    retry_delay_seconds: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


Overrides = Mapping[IntegrationType, Override]


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """A person, and what they override."""

    person: Person
    overrides: Overrides


def stranger(name: str) -> Person:
    """Return whom `name` means if nobody is stored under it: a uuid is an id, what has an @ is an e-mail address."""
    form = name.strip().casefold()
    if _UUID.fullmatch(form):
        return Person(user_id=form, login=None, email=None)
    if "@" in form:
        return Person(user_id=user_id_of(form), login=None, email=form)
    return Person(user_id=user_id_of(form), login=form, email=None)


def effective_configs(defaults: Configs, overrides: Overrides) -> Configs:
    """Return what holds for a person with these overrides, highest priority first."""
    return by_priority({kind: effective(config, overrides.get(kind)) for kind, config in defaults.items()})


def effective(default: IntegrationConfig, override: Override | None) -> IntegrationConfig:
    """Return `default` with what `override` changes; their `config` entries are merged key by key."""
    if override is None:
        return default
    named = {
        "enabled": override.enabled,
        "priority": override.priority,
        "retry_count": override.retry_count,
        "retry_delay_seconds": override.retry_delay_seconds,
    }
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    return default.model_copy(update={**changes, "config": {**default.config, **override.config}})


def masked(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` with every secret in it, at any depth, made unreadable."""
    return {key: MASK if _is_secret(key) and value is not None else _masked(value) for key, value in config.items()}


def unmasked(config: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` with the stored secrets where it holds our own mask: an answer may be sent back changed."""
    return {key: _unmasked(value, stored.get(key)) for key, value in config.items()}


def masked_address(address: BaseModel) -> dict[str, str]:
    """Return where a person is reached, recognisable to themselves and to nobody else."""
    shown = address.model_dump(mode="json", exclude_none=True)
    return {key: _hint(value) for key, value in shown.items() if isinstance(value, str) and not _is_secret(key)}


def _is_secret(key: str) -> bool:
    return key.lower().replace("-", "_").endswith(_SECRETS)


def _masked(value: Any) -> Any:
    match value:
        case dict():
            return masked(value)
        case list():
            return [_masked(each) for each in value]
        case _:
            return value


def _unmasked(value: Any, stored: Any) -> Any:
    if value == MASK and stored is not None:
        return stored
    if isinstance(value, dict) and isinstance(stored, dict):
        return unmasked(value, stored)
    return value


def _hint(text: str) -> str:
    """Keep the first letter and domain of a mail address, host and port of a URL, the end of a phone number."""
    local, at, domain = text.rpartition("@")
    if "://" in text:
        parts = urlsplit(text)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    if at:
        return f"{local[:1]}***@{domain}"
    return f"***{text[-2:]}" if _PHONE_NUMBER.fullmatch(text) else text
