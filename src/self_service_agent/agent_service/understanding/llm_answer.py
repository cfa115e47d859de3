"""Reads what a model says a message means; whatever does not exist, or was not said, is no answer."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from self_service_agent.agent_service.guards.masking import Masked

from .commands import (
    AskKnowledge,
    Back,
    Cancel,
    CannotHandle,
    ChangeDone,
    Choose,
    Command,
    Correct,
    ForSomeone,
    Help,
    Human,
    Repeat,
    SetSlot,
    Smalltalk,
    StartFlow,
    Status,
)
from .context import UnderstandingContext
from .persons import named_person
from .readers import EMAIL, read_value

_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


class AnswerRejected(Exception):
    """A model's answer means nothing here; the message says why, in words for the model."""


class Answer(BaseModel):
    """The form that a model answers in; what a command does not need is null."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    command: str
    flow: str | None = None
    choice: str | None = None
    slot: str | None = None
    value: str | None = None
    sort: Literal["greeting", "thanks", "farewell", "identity"] | None = None


Reader = Callable[[Answer, str, UnderstandingContext], Command]


def read_answer(said: str, text: str, context: UnderstandingContext, *, masked: Masked) -> Command:
    """Return the command that the model's words stand for, or raise `AnswerRejected`.

    `text` is the message as it was written, `masked` what the model saw of it.
    """
    answer = _parsed(said)
    written = {
        name: masked.restore(said) for name in ("value", "choice") if (said := getattr(answer, name)) is not None
    }
    answer = answer.model_copy(update=written)
    reader = READERS.get(answer.command)
    if reader is None:
        raise AnswerRejected("there is no such command here")
    return reader(answer, text, context)


def _parsed(said: str) -> Answer:
    """Take the JSON object out of whatever stands around it, such as a code fence."""
    found = _OBJECT.search(said)
    if found is None:
        raise AnswerRejected("the answer holds no JSON object")
    try:
        return Answer.model_validate(json.loads(found[0]))
    except (ValueError, RecursionError) as error:
        problem = "has not the fields of the schema" if isinstance(error, ValidationError) else "is not valid JSON"
        raise AnswerRejected(f"the answer {problem}") from None


def _start(answer: Answer, text: str, context: UnderstandingContext) -> Command:
    wish = _flow(answer, context)
    person = named_person(text)
    return ForSomeone(person, wish) if person else wish


def _start_for(answer: Answer, text: str, context: UnderstandingContext) -> Command:
    person = (answer.value or "").strip()
    if not person or person.lower() not in text.lower():
        raise AnswerRejected("the person in `value` has to be named as in the message")
    return ForSomeone(person, _flow(answer, context))


def _choose(answer: Answer, _text: str, context: UnderstandingContext) -> Command:
    if context.expects != "choice" or answer.choice not in {choice.id for choice in context.choices}:
        raise AnswerRejected("that choice is not offered")
    return Choose(answer.choice)


def _set(answer: Answer, text: str, context: UnderstandingContext) -> Command:
    if context.expects != "text" or context.slot is None:
        raise AnswerRejected("no value was asked for")
    value = _value(answer.value or "", text, slot_type=context.slot_type, today=context.today)
    if value is None:
        raise AnswerRejected(f"`value` is no {context.slot_type} that the message gives")
    return SetSlot(context.slot, value)


def _value(said: str, text: str, *, slot_type: str, today: date) -> str | float | None:
    """Return the person's own words where these are the value, and what the model made of them where it has to be."""
    written = read_value(text, slot_type=slot_type, today=today)
    if written is not None or slot_type in {"text", "email"}:
        return written
    return read_value(said, slot_type=slot_type, today=today)


def _correct(answer: Answer, _text: str, context: UnderstandingContext) -> Command:
    candidate = next((each for each in context.corrections if each.slot == answer.slot), None)
    if candidate is None:
        raise AnswerRejected("that answer cannot be corrected")
    if answer.choice is not None and answer.choice not in {choice.id for choice in candidate.choices}:
        raise AnswerRejected("that choice does not exist")
    return Correct(candidate.slot, answer.choice)


def _small(answer: Answer, _text: str, _context: UnderstandingContext) -> Command:
    if answer.sort is None:
        raise AnswerRejected("`sort` says which small talk it is")
    return Smalltalk(answer.sort)


def _not(answer: Answer, _text: str, context: UnderstandingContext) -> Command:
    return CannotHandle((_flow(answer, context),) if answer.flow is not None else ())


def _ask(_answer: Answer, text: str, _context: UnderstandingContext) -> Command:
    return AskKnowledge(EMAIL.sub(" ", text))


def _flow(answer: Answer, context: UnderstandingContext) -> StartFlow:
    agent_id, _, name = (answer.flow or "").partition("/")
    if all((entry.agent_id, entry.flow) != (agent_id, name) for entry in context.catalogue.flows):
        raise AnswerRejected("there is no such flow")
    return StartFlow(agent_id, name)


def _plain(command: Command) -> Reader:
    return lambda _answer, _text, _context: command


# Yes, no and what ends a conversation are missing on purpose: no model says them for a person.
READERS: Final[Mapping[str, Reader]] = {
    "start_flow": _start,
    "start_flow_for_someone": _start_for,
    "choose": _choose,
    "set_value": _set,
    "correct": _correct,
    "ask_knowledge": _ask,
    "smalltalk": _small,
    "cannot_handle": _not,
    "cancel": _plain(Cancel()),
    "change_done": _plain(ChangeDone()),
    "status": _plain(Status()),
    "repeat": _plain(Repeat()),
    "back": _plain(Back()),
    "human": _plain(Human()),
    "help": _plain(Help()),
}
