"""What the environment says about language models."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, HttpUrl, SecretStr, model_validator

from self_service_agent.kit.settings import Settings

OPENAI_URL = "https://api.openai.com/v1"

Engine = Literal["rules", "llm"]
Api = Literal["chat", "responses"]


class ModelSettings(Settings):
    """Where the model is, who understands and who words, and how much time and how many tokens it may take."""

    llama_stack_url: HttpUrl | None = None
    llamastack_openai_base_path: str = "/v1/openai/v1"
    llamastack_api_key: SecretStr | None = None
    openai_base_url: HttpUrl | None = None
    openai_api_key: SecretStr | None = None
    llm_model: str | None = Field(default=None, max_length=200)
    llm_api: Literal["auto", "chat", "responses"] = "auto"
    understander: Engine | None = None
    wording: Literal["templates", "llm"] = "templates"
    llm_timeout_seconds: float = Field(default=20, gt=0, le=600)
    llm_idle_seconds: float = Field(default=10, gt=0, le=600)
    llm_turn_seconds: float = Field(default=30, gt=0, le=600)
    llm_retries: int = Field(default=1, ge=0, le=5)
    llm_max_output_tokens: int = Field(default=500, ge=50, le=32_000)
    llm_breaker_failures: int = Field(default=5, ge=1, le=100)
    llm_breaker_seconds: float = Field(default=30, gt=0, le=3600)
    llm_turn_tokens: int = Field(default=12_000, ge=0)
    llm_session_tokens: int = Field(default=200_000, ge=0)
    llm_daily_tokens: int = Field(default=5_000_000, ge=0)

    @model_validator(mode="after")
    def _has_what_it_wants(self) -> Self:
        if self.llm_model is None and "llm" in {self.understander, self.wording}:
            raise ValueError("LLM_MODEL is not set, and UNDERSTANDER=llm or WORDING=llm needs a model")
        if self.llm_model is not None and self.base_url is None:
            raise ValueError("LLM_MODEL needs LLAMA_STACK_URL, OPENAI_BASE_URL or OPENAI_API_KEY to find the model")
        return self

    @property
    def base_url(self) -> str | None:
        """Where the OpenAI-compatible API begins, or None if nothing says so."""
        if self.llama_stack_url is not None:
            return str(self.llama_stack_url).rstrip("/") + "/" + self.llamastack_openai_base_path.strip("/")
        if self.openai_base_url is not None:
            return str(self.openai_base_url).rstrip("/")
        return OPENAI_URL if self.openai_api_key is not None else None

    @property
    def api_key(self) -> str:
        """The key that goes with `base_url`; servers of one's own often want none."""
        key = self.llamastack_api_key if self.llama_stack_url is not None else self.openai_api_key
        return key.get_secret_value() if key is not None else "none"

    @property
    def engine(self) -> Engine:
        """Who understands: the model if there is one and nothing else is wanted."""
        return self.understander or ("llm" if self.llm_model is not None else "rules")

    @property
    def turn_time(self) -> timedelta:
        return timedelta(seconds=self.llm_turn_seconds)
