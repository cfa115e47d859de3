"""What the request manager reads from its environment."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from self_service_agent.kit.settings import Settings
from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import ScopePolicy

from .audit.retention import Keeping


def _days(days: float) -> timedelta | None:
    return timedelta(days=days) if days else None


class RequestManagerSettings(Settings):
    ssa_env: Literal["production", "development"] = "production"
    agent_timeout: float = Field(default=120, gt=0, le=3600)
    session_timeout_hours: float = Field(default=336, gt=0)
    session_per_integration_type: bool = False
    session_scopes: dict[IntegrationType, ScopePolicy] = Field(default_factory=dict)
    allow_anonymous_generic: bool = False
    web_api_keys: dict[str, str] = Field(default_factory=dict)
    snow_api_key: SecretStr | None = None
    hr_api_key: SecretStr | None = None
    monitoring_api_key: SecretStr | None = None
    audit_retention_days: float = Field(default=365, ge=0)
    dead_key_retention_days: float = Field(default=90, ge=0)
    slack_signing_secret: SecretStr | None = None
    openwebui_jwt_secret: SecretStr | None = Field(default=None, min_length=32)

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(hours=self.session_timeout_hours)

    @property
    def keeping(self) -> Keeping:
        """How long the audit log and dead keys are kept."""
        return Keeping(lines=_days(self.audit_retention_days), dead_keys=_days(self.dead_key_retention_days))

    @property
    def tool_keys(self) -> dict[str, SecretStr]:
        """The configured tool keys by the tool they belong to."""
        keys = {
            "snow-integration": self.snow_api_key,
            "hr-system": self.hr_api_key,
            "monitoring-system": self.monitoring_api_key,
        }
        return {tool: key for tool, key in keys.items() if key is not None and key.get_secret_value()}
