"""The Chat Completions way of asking."""

from collections.abc import AsyncGenerator
from typing import Any

from openai import AsyncOpenAI
from openai.types import CompletionUsage

from .pieces import Dialect, Piece, strict_schema
from .port import Prompt, Usage


async def ask(client: AsyncOpenAI, prompt: Prompt, dialect: Dialect) -> AsyncGenerator[Piece, None]:
    """Yield the answer piece by piece as it comes, or at once from a provider that does not stream."""
    request = _request(prompt, dialect)
    if not dialect.streams:
        whole = await client.chat.completions.create(**request)
        choice = whole.choices[0] if whole.choices else None
        text = (choice.message.content or "") if choice else ""
        finish = choice.finish_reason if choice else None
        yield Piece(text=text, finish=finish, model=whole.model, usage=_usage(whole.usage))
        return
    async with await client.chat.completions.create(
        **request, stream=True, stream_options={"include_usage": True}
    ) as stream:
        async for chunk in stream:
            choice = chunk.choices[0] if chunk.choices else None
            text = (choice.delta.content or "") if choice and choice.delta else ""
            finish = choice.finish_reason if choice else None
            yield Piece(text=text, finish=finish, model=chunk.model, usage=_usage(chunk.usage))


def _request(prompt: Prompt, dialect: Dialect) -> dict[str, Any]:
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    request: dict[str, Any] = {
        "model": dialect.model,
        "messages": [{"role": "system", "content": prompt.instructions}, *messages],
        **dialect.sampling(limit_for_chat=True),
    }
    if prompt.schema is not None:
        form = {"name": prompt.purpose, "schema": strict_schema(prompt.schema), "strict": True}
        request["response_format"] = {"type": "json_schema", "json_schema": form}
    return request


def _usage(said: CompletionUsage | None) -> Usage | None:
    if said is None or said.prompt_tokens is None or said.completion_tokens is None:
        return None
    return Usage(input_tokens=said.prompt_tokens, output_tokens=said.completion_tokens)
