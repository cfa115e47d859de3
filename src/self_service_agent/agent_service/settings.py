"""What the agent service reads from its environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, HttpUrl

from self_service_agent.kit.settings import Settings

from .turns.rules import TurnPolicy


class AgentServiceSettings(Settings):
    default_agent_id: str = "routing-agent"
    agent_timeout: float = Field(default=120, gt=0, le=3600)
    agents_folder: Path | None = None
    mcp_servicenow_url: HttpUrl | None = None
    turn_lease_seconds: float = Field(default=15, ge=0.5, le=600)
    turn_concurrency: int = Field(default=64, ge=1, le=1000)

    @property
    def turn_policy(self) -> TurnPolicy:
        return TurnPolicy(
            concurrency=self.turn_concurrency,
            patience=timedelta(seconds=self.agent_timeout),
            lease=timedelta(seconds=self.turn_lease_seconds),
        )
