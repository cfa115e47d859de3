"""What the agent service reads from its environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from self_service_agent.shared_models.integrations import IntegrationType
from self_service_agent.shared_models.sessions import ScopePolicy, scope_policies

from .approvals.rules import ApprovalPolicy
from .guards.moderation.settings import ModerationSettings
from .sessions.rules import RetentionPolicy, SessionPolicy
from .telemetry import ModelPrice
from .tools.settings import ToolSettings
from .turns.rules import TurnPolicy


class AgentServiceSettings(ToolSettings, ModerationSettings):
    default_agent_id: str = "routing-agent"
    agent_timeout: float = Field(default=120, gt=0, le=3600)
    agents_folder: Path | None = None
    agents_watch: bool = False
    turn_lease_seconds: float = Field(default=15, ge=0.5, le=600)
    turn_concurrency: int = Field(default=64, ge=1, le=1000)
    session_timeout_hours: float = Field(default=336, gt=0)
    session_per_integration_type: bool = False
    session_scopes: dict[IntegrationType, ScopePolicy] = Field(default_factory=dict)
    session_cleanup_interval_hours: float = Field(default=24, gt=0)
    inactive_session_retention_days: float = Field(default=30, ge=0)
    model_prices: dict[str, ModelPrice] = Field(default_factory=dict)
    otel_instrumentation_genai_capture_message_content: bool = False
    approver_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    approval_lifetime_hours: float = Field(default=72, gt=0, le=8760)

    @property
    def session_policy(self) -> SessionPolicy:
        return SessionPolicy(
            lifetime=timedelta(hours=self.session_timeout_hours),
            scopes=scope_policies(self.session_scopes, per_integration_type=self.session_per_integration_type),
        )

    @property
    def approval_policy(self) -> ApprovalPolicy:
        groups = {name.strip().casefold(): members for name, members in self.approver_groups.items()}
        return ApprovalPolicy(groups=groups, lifetime=timedelta(hours=self.approval_lifetime_hours))

    @property
    def retention_policy(self) -> RetentionPolicy:
        return RetentionPolicy(
            keep=timedelta(days=self.inactive_session_retention_days),
            interval=timedelta(hours=self.session_cleanup_interval_hours),
        )

    @property
    def turn_policy(self) -> TurnPolicy:
        return TurnPolicy(
            concurrency=self.turn_concurrency,
            patience=timedelta(seconds=self.agent_timeout),
            lease=timedelta(seconds=self.turn_lease_seconds),
        )
