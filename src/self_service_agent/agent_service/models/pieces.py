"""What the ways of asking have in common: the pieces that an answer comes in, and a provider's peculiarities."""

from dataclasses import dataclass
from typing import Any

from .port import Schema, Usage


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some text, and what else the provider said with it."""

    text: str = ""
    finish: str | None = None
    model: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a provider wants to be asked. OpenAI's own newer models refuse a temperature and the older limit's name."""

    model: str
    max_output_tokens: int
    is_openai: bool = False
    streams: bool = True

    def sampling(self, *, limit_for_chat: bool) -> dict[str, Any]:
        """Return the limit of the answer's length, and how free it may be: not at all, where that can be said."""
        old, new = ("max_tokens", "max_completion_tokens") if limit_for_chat else ("max_output_tokens",) * 2
        if self.is_openai:
            return {new: self.max_output_tokens} | ({"store": False} if limit_for_chat else {})
        return {old: self.max_output_tokens, "temperature": 0}


def strict_schema(schema: Schema) -> dict[str, Any]:
    """Return an object's schema as strict modes want it: every property required, and no other allowed."""
    return {**schema, "required": list(schema["properties"]), "additionalProperties": False}
