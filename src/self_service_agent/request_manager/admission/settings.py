"""What may be asked of this installation, by one caller and by all of them; 0 turns a limit off."""

from pydantic import Field

from self_service_agent.kit.settings import Settings


class AdmissionSettings(Settings):
    rate_limit_per_minute: int = Field(default=600, ge=0)
    rate_limit_burst: int = Field(default=100, ge=1)
    tool_rate_limit_per_minute: int = Field(default=6000, ge=0)
    tool_rate_limit_burst: int = Field(default=500, ge=1)
    creation_rate_limit_per_minute: int = Field(default=60, ge=0)
    quota_per_day: int = Field(default=0, ge=0)
    tool_quota_per_day: int = Field(default=0, ge=0)
    max_in_flight_per_caller: int = Field(default=64, ge=0)
    max_in_flight: int = Field(default=2000, ge=0)
    max_loop_lag_seconds: float = Field(default=1, ge=0)
