"""What a message can mean: the commands that every understander emits and the flow engine obeys."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class StartFlow:
    """Begin something an agent can do."""

    agent_id: str
    flow: str


@dataclass(frozen=True)
class SetSlot:
    """The reply is this value of the slot that was asked for."""

    slot: str
    value: Any


@dataclass(frozen=True)
class Correct:
    """Take back an earlier answer; `choice_id` or `value` is the new one.

    Without either it is asked for again, `among` these choices if there are any.
    """

    slot: str
    choice_id: str | None = None
    among: tuple[str, ...] = ()
    value: Any = None


@dataclass(frozen=True)
class Affirm:
    """Yes."""


@dataclass(frozen=True)
class Deny:
    """No."""


@dataclass(frozen=True)
class Cancel:
    """Stop what is in progress."""


@dataclass(frozen=True)
class Choose:
    """Take this one of the choices offered."""

    choice_id: str


@dataclass(frozen=True)
class WhichOne:
    """Several of the choices offered fit; ask which of them."""

    choice_ids: tuple[str, ...]


@dataclass(frozen=True)
class ForSomeone:
    """The wish is for `person`, as they were named, and need not be the one who writes."""

    person: str
    wish: StartFlow


@dataclass(frozen=True)
class ChangeDone:
    """Change or take back what is already done."""


@dataclass(frozen=True)
class Approve:
    """Say that something is approved; nobody approves anything by a message."""


@dataclass(frozen=True)
class AskKnowledge:
    """Answer from the documents."""

    question: str


@dataclass(frozen=True)
class Status:
    """Say where things stand."""


@dataclass(frozen=True)
class Repeat:
    """Say the last thing again."""


@dataclass(frozen=True)
class Back:
    """Return to the step before, or from a person to the agent."""


@dataclass(frozen=True)
class Human:
    """Hand over to a person."""


@dataclass(frozen=True)
class Smalltalk:
    """Be polite, and go on."""

    sort: Literal["greeting", "thanks", "farewell", "identity"]


@dataclass(frozen=True)
class CannotHandle:
    """Not understood well enough; `guesses` are what it may have been, best first."""

    guesses: tuple[StartFlow | AskKnowledge, ...] = ()


@dataclass(frozen=True)
class Unread:
    """Nobody read the message: the classifier of messages forbade it, or could not be asked."""

    reason: Literal["blocked", "unchecked"]


@dataclass(frozen=True)
class Help:
    """Say what the agent can do."""


@dataclass(frozen=True)
class Reset:
    """Forget this conversation and begin a new one."""


@dataclass(frozen=True)
class Quit:
    """End the conversation."""


@dataclass(frozen=True)
class Tokens:
    """Say how many tokens were used."""


Command = (
    StartFlow
    | SetSlot
    | Correct
    | Affirm
    | Deny
    | Cancel
    | Choose
    | WhichOne
    | ForSomeone
    | ChangeDone
    | Approve
    | AskKnowledge
    | Status
    | Repeat
    | Back
    | Human
    | Smalltalk
    | CannotHandle
    | Unread
    | Help
    | Reset
    | Quit
    | Tokens
)
