"""What the environment says about the classifier that looks at messages."""

from datetime import timedelta
from typing import Self

from pydantic import Field, HttpUrl, SecretStr, model_validator

from self_service_agent.kit.settings import Settings

from .rules import Action


class ModerationSettings(Settings):
    """MODERATION_URL is the whole address that is asked; without it nobody is."""

    moderation_url: HttpUrl | None = None
    moderation_model: str | None = Field(default=None, max_length=200)
    moderation_api_key: SecretStr | None = None
    moderation_policy: dict[str, Action] = Field(default_factory=dict)
    moderation_timeout: float = Field(default=5, gt=0, le=60)

    @model_validator(mode="after")
    def _has_somebody_to_ask(self) -> Self:
        if self.moderation_url is None and (self.moderation_policy or self.moderation_model or self.moderation_api_key):
            raise ValueError("MODERATION_URL is not set, and a policy, a model or a key for it is")
        return self

    @property
    def moderation_patience(self) -> timedelta:
        return timedelta(seconds=self.moderation_timeout)
