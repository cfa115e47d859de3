"""What is asked of a language model and what it gives back, whoever runs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol

Purpose = Literal["understanding", "wording", "probe"]
Schema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a prompt after its instructions."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a model is asked; with a `schema` it is to answer with JSON of that form, which is never relied upon."""

    purpose: Purpose
    instructions: str
    messages: tuple[Message, ...]
    schema: Schema | None = None

    @property
    def length(self) -> int:
        """How many characters are sent, without the schema."""
        return len(self.instructions) + sum(len(message.content) for message in self.messages)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of a call; `estimated` if the provider did not say."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            estimated=self.estimated or other.estimated,
        )

    def in_envelope(self) -> dict[str, int]:
        """Return what the turn envelope says about it."""
        counted = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        return {**counted, "estimated": True} if self.estimated else counted


NOTHING_USED = Usage(input_tokens=0, output_tokens=0)


@dataclass(frozen=True, kw_only=True)
class Completion:
    """An answer. `model` is what the provider says answered, `finish` why it stopped."""

    text: str
    model: str
    finish: str
    usage: Usage


@dataclass(kw_only=True)
class Account:
    """On whose budget a turn's calls go, and how much of the turn's own share and time is left."""

    session_id: str
    tenant: str = "default"
    used: Usage = field(default=NOTHING_USED)


class Model(Protocol):
    """A language model, reached over whatever line."""

    @property
    def name(self) -> str:
        """The model's name, as it is configured."""
        ...

    async def complete(self, prompt: Prompt, account: Account, *, within: timedelta) -> Completion:
        """Return an answer within that time, or raise a `ModelError`; what was used is added to the account."""
        ...
