"""What the embedding reads from its environment."""

from typing import Literal

from pydantic import Field

from self_service_agent.kit.settings import Settings


class EmbeddingSettings(Settings):
    embeddings: Literal["auto", "off"] = "auto"
    embedding_threads: int = Field(default=2, ge=1, le=64)
