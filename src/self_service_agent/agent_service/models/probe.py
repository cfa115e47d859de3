"""What a provider can do, found out by asking: some accept a schema and ignore it, others never count tokens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import Any

import orjson
from openai import AsyncOpenAI

from self_service_agent.kit import clock

from . import chat, responses
from .errors import ModelError
from .failures import LIBRARY_TROUBLE, error_of
from .pieces import Dialect, Piece
from .port import Message, Prompt
from .settings import Api

_WORD = "teal"
_PROMPT = Prompt(
    purpose="probe",
    instructions="Answer with a JSON object and nothing else.",
    messages=(Message(role="user", content="Which colour is named in the schema?"),),
    schema={"type": "object", "properties": {"colour": {"type": "string", "enum": [_WORD]}}},
)
_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "note_colour",
        "description": "Note a colour.",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": [_WORD]}},
            "required": ["colour"],
        },
    },
}


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the probe saw; None is what it could not find out. `problem` says why not."""

    models: int | None = None
    lists_model: bool | None = None
    api: Api | None = None
    streams: bool | None = None
    counts_tokens: bool | None = None
    honours_schema: bool | None = None
    calls_tools: bool | None = None
    problem: str | None = None
    seen_at: str = field(default_factory=lambda: clock.now().isoformat())

    def in_health(self) -> dict[str, Any]:
        return asdict(self)


async def probe(client: AsyncOpenAI, dialect: Dialect, *, apis: tuple[Api, ...], within: timedelta) -> Capabilities:
    """Find out what the provider can do, in the first of `apis` that works, streamed if that does.

    Never raises for what the provider does.
    """
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(within.total_seconds()):
            found |= await _listing(client, dialect.model)
            found |= await _first_that_answers(client, dialect, apis)
            found |= await _tools(client, dialect)
    except ModelError as error:
        found["problem"] = str(error)
    except TimeoutError:
        found["problem"] = "the provider did not answer in time"
    return Capabilities(**found)


async def _listing(client: AsyncOpenAI, model: str) -> dict[str, Any]:
    try:
        listed = [each.id async for each in client.models.list()]
    except LIBRARY_TROUBLE:
        return {}  # not every provider has a list
    return {"models": len(listed), "lists_model": model in listed}


async def _first_that_answers(client: AsyncOpenAI, dialect: Dialect, apis: tuple[Api, ...]) -> dict[str, Any]:
    problem: ModelError | None = None
    for api, streams in product(apis, (True, False)):
        try:
            pieces = [piece async for piece in _asked(client, replace(dialect, streams=streams), api)]
        except LIBRARY_TROUBLE as error:
            problem = error_of(error, now=clock.now())
        except ModelError as error:
            problem = error
        else:
            return {"api": api, "streams": streams, **_seen(pieces)}
    raise problem or ModelError("nothing was tried")


def _asked(client: AsyncOpenAI, dialect: Dialect, api: Api) -> AsyncIterator[Piece]:
    ask = chat.ask if api == "chat" else responses.ask
    return ask(client, _PROMPT, dialect)


def _seen(pieces: list[Piece]) -> dict[str, Any]:
    text = "".join(piece.text for piece in pieces)
    return {
        "counts_tokens": any(piece.usage for piece in pieces),
        "honours_schema": _is_the_word(text),
    }


async def _tools(client: AsyncOpenAI, dialect: Dialect) -> dict[str, Any]:
    try:
        answer = await client.chat.completions.create(  # type: ignore[call-overload]  # plain dictionaries
            model=dialect.model,
            messages=[{"role": "user", "content": f"Note the colour {_WORD}."}],
            tools=[_TOOL],
            tool_choice="required",
            **dialect.sampling(limit_for_chat=True),
        )
        calls = (answer.choices[0].message.tool_calls if answer.choices else None) or ()
        return {"calls_tools": any(_is_the_word(call.function.arguments) for call in calls)}
    except LIBRARY_TROUBLE:
        return {"calls_tools": False}


def _is_the_word(text: str) -> bool:
    try:
        return bool(orjson.loads(text) == {"colour": _WORD})
    except ValueError:
        return False
