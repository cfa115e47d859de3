"""What an understander is told besides the text, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from .catalogue import Catalogue
from .commands import Command

Expects = Literal["text", "choice", "confirmation", "approval", "nothing"]


@dataclass(frozen=True)
class Choice:
    """Something that can be chosen; `names` are what people may call it besides its label."""

    id: str
    label: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Correctable:
    """An earlier answer that can be taken back: its slot, what people call it, what it is and what else it could be."""

    slot: str
    words: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    chosen: str | None = None
    slot_type: str = "text"


@dataclass(frozen=True, kw_only=True)
class UnderstandingContext:
    """Where the conversation stands."""

    catalogue: Catalogue
    today: date
    expects: Expects = "nothing"
    choices: tuple[Choice, ...] = ()
    slot: str | None = None
    slot_type: str = "text"
    corrections: tuple[Correctable, ...] = ()
    mode: Literal["agent", "human"] = "agent"
    session_id: str = ""


@dataclass(frozen=True)
class Guess:
    """How well one thing that we know fits the text; kept for whoever examines a misunderstanding."""

    name: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """What the text means, and who says so.

    `degraded` is why it is not who should have, `compared_by` how the rules found it out, `flags` what was noticed
    about the text itself.
    """

    commands: tuple[Command, ...]
    engine: Literal["rules", "llm"] = "rules"
    model: str | None = None
    guesses: tuple[Guess, ...] = ()
    compared_by: Literal["grammar", "lexical", "embeddings"] | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    degraded: str | None = None
    flags: tuple[str, ...] = ()


class Understander(Protocol):
    """Turns what a person wrote into commands."""

    async def understand(self, text: str, context: UnderstandingContext) -> Understanding:
        """Return what `text` means at this point of the conversation; never raises for any text."""
        ...
