"""What the integration dispatcher reads from its environment."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import Field, create_model, model_validator

from self_service_agent.kit.settings import Settings, read
from self_service_agent.shared_models.integrations import IntegrationType

from .preferences.defaults import REQUEST_ONLY, DefaultChange


class DeliverySettings(Settings):
    """How deliveries are worked off; the concurrency is that of each channel."""

    delivery_lease_seconds: float = Field(default=60, gt=0, le=3600)
    delivery_timeout_seconds: float = Field(default=30, gt=0, le=1800)
    delivery_drain_seconds: float = Field(default=10, ge=0, le=600)
    delivery_sweep_seconds: float = Field(default=30, gt=0, le=3600)
    delivery_expiry_hours: float = Field(default=72, gt=0, le=8760)
    delivery_concurrency: int = Field(default=16, ge=1, le=1000)
    approval_link_hours: float = Field(default=24, gt=0, le=8760)

    @model_validator(mode="after")
    def _timeout_ends_within_lease(self) -> Self:
        if self.delivery_timeout_seconds >= self.delivery_lease_seconds:
            raise ValueError("DELIVERY_TIMEOUT_SECONDS must be shorter than DELIVERY_LEASE_SECONDS")
        return self

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.delivery_lease_seconds)

    @property
    def timeout(self) -> timedelta:
        return timedelta(seconds=self.delivery_timeout_seconds)

    @property
    def drain(self) -> timedelta:
        return timedelta(seconds=self.delivery_drain_seconds)

    @property
    def sweep(self) -> timedelta:
        return timedelta(seconds=self.delivery_sweep_seconds)

    @property
    def link_lifetime(self) -> timedelta:
        return timedelta(hours=self.approval_link_hours)

    @property
    def expiry(self) -> timedelta:
        return timedelta(hours=self.delivery_expiry_hours)


def read_default_changes() -> Mapping[IntegrationType, DefaultChange]:
    """Return what INTEGRATION_DEFAULTS_<TYPE>_<FIELD> say, or raise `SettingsError`."""
    kinds = [kind for kind in IntegrationType if kind not in REQUEST_ONLY]
    named: dict[str, Any] = {
        _variable(kind, name): (annotation, None) for kind in kinds for name, annotation in _CHANGEABLE.items()
    }
    settings = read(create_model("IntegrationDefaultSettings", __base__=Settings, **named))
    return {
        kind: DefaultChange(
            **{each.name: getattr(settings, _variable(kind, each.name)) for each in fields(DefaultChange)}
        )
        for kind in kinds
    }


_CHANGEABLE: Mapping[str, Any] = {
    "enabled": bool | None,
    "priority": Annotated[int | None, Field(ge=1, le=1000)],
    "retry_count": Annotated[int | None, Field(ge=0, le=100)],
    "retry_delay_seconds": Annotated[int | None, Field(ge=0, le=86_400)],
}


def _variable(kind: IntegrationType, name: str) -> str:
    return f"integration_defaults_{kind.lower()}_{name}"
