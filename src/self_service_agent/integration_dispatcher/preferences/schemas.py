"""What the preference endpoints take and give."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BaseModel, Field

from self_service_agent.shared_models.integrations import IntegrationConfig, IntegrationType

from .defaults import REQUEST_ONLY, Configs
from .rules import Override, masked

_CONFIG_LIMIT = 16_384


def _channel(kind: IntegrationType) -> IntegrationType:
    if kind in REQUEST_ONLY:
        raise ValueError(f"answers to {kind} requests go back to their caller; there is nothing to configure")
    return kind


def _storable(config: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(config))
    except orjson.JSONEncodeError as error:
        raise ValueError("must be JSON that can be stored") from error
    if size > _CONFIG_LIMIT:
        raise ValueError(f"must not be larger than {_CONFIG_LIMIT} bytes")
    if _has_nul(config):
        raise ValueError("must not contain NUL characters")
    return config


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return "\x00" in value
        case dict():
            return any(_has_nul(each) for entry in value.items() for each in entry)
        case list():
            return any(_has_nul(each) for each in value)
        case _:
            return False


ChannelType = Annotated[IntegrationType, AfterValidator(_channel)]
StorableConfig = Annotated[dict[str, Any], AfterValidator(_storable)]
Priority = Annotated[int, Field(ge=1, le=1000)]
RetryCount = Annotated[int, Field(ge=0, le=100)]
RetryDelay = Annotated[int, Field(ge=0, le=86_400)]


class OverrideCreate(BaseModel):
    """A person's override of one channel. What is null inherits; a new override is on unless it says otherwise."""

    integration_type: ChannelType
    enabled: bool | None = True
    config: StorableConfig = {}
    priority: Priority | None = None
    retry_count: RetryCount | None = None
    retry_delay_seconds: RetryDelay | None = None

    @property
    def override(self) -> Override:
        return Override(**self.model_dump(exclude={"integration_type"}))


class OverrideUpdate(BaseModel):
    """The fields to change; one that is named with null inherits from then on."""

    enabled: bool | None = None
    config: StorableConfig | None = None
    priority: Priority | None = None
    retry_count: RetryCount | None = None
    retry_delay_seconds: RetryDelay | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What the body names, by field."""
        named = self.model_dump(exclude_unset=True)
        return {**named, "config": named["config"] or {}} if "config" in named else named


class OverrideValues(BaseModel):
    """One override without its bookkeeping; secrets are masked."""

    enabled: bool | None
    priority: int | None
    retry_count: int | None
    retry_delay_seconds: int | None
    config: dict[str, Any]


class OverrideRead(OverrideValues):
    """One stored override, for the person as the path names them."""

    id: int
    user_id: str
    integration_type: IntegrationType
    created_at: datetime
    updated_at: datetime


class DefaultsRead(BaseModel):
    default_integrations: dict[IntegrationType, IntegrationConfig]


class UserDefaultsRead(BaseModel):
    """What holds for a person, and which of it they said themselves."""

    user_id: str
    user_overrides: dict[IntegrationType, OverrideValues]
    effective_configs: dict[IntegrationType, IntegrationConfig]
    using_integration_defaults: bool


class OverrideDeleted(BaseModel):
    message: str


class OverridesReset(BaseModel):
    message: str
    deleted_configs: int


def shown_override(override: Override) -> dict[str, Any]:
    """Return the fields of `override` as they may be shown."""
    return {
        "enabled": override.enabled,
        "priority": override.priority,
        "retry_count": override.retry_count,
        "retry_delay_seconds": override.retry_delay_seconds,
        "config": masked(override.config),
    }


def shown_configs(configs: Configs) -> Mapping[IntegrationType, IntegrationConfig]:
    """Return `configs` as they may be shown."""
    return {kind: each.model_copy(update={"config": masked(each.config)}) for kind, each in configs.items()}
