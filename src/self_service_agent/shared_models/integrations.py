"""Integration types, and how one is configured for everybody or for one person."""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field


class IntegrationType(StrEnum):
    """A medium that brings requests or carries answers; read case-insensitively."""

    SLACK = "SLACK"
    WEB = "WEB"
    CLI = "CLI"
    TOOL = "TOOL"
    EMAIL = "EMAIL"
    SMS = "SMS"
    WEBHOOK = "WEBHOOK"
    TEAMS = "TEAMS"
    DISCORD = "DISCORD"
    TEST = "TEST"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls._member_map_.get(value.upper()) if isinstance(value, str) else None  # type: ignore[return-value]  # the member map is typed as Enum


class IntegrationConfig(BaseModel):
    """How one integration type is used: priority 1 is the highest, delays are in seconds."""

    model_config = ConfigDict(frozen=True)

    enabled: bool
    priority: int = Field(ge=1, le=1000)
    retry_count: int = Field(ge=0, le=100)
    retry_delay_seconds: int = Field(ge=0, le=86_400)
    config: dict[str, Any]
