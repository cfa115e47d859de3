"""When the testing channel is on, and what one of its addresses is."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings, SettingsConfigDict


class RecordingSettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    test_integration_enabled: bool = False


class Outcome(StrEnum):
    """What the channel pretends to meet."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    BUSY = "busy"
    UNKNOWN = "unknown"


class RecordingAddress(BaseModel):
    """A person, and what shall become of what is sent to them; a user's `config` chooses the outcome."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    outcome: Outcome = Outcome.DELIVERED


def read_settings() -> RecordingSettings | None:
    """Return the settings, or None while the channel is off."""
    settings = RecordingSettings()
    return settings if settings.test_integration_enabled else None
