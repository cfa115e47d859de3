"""The Responses way of asking."""

from collections.abc import AsyncGenerator
from typing import Any

from openai import AsyncOpenAI
from openai.types.responses import Response

from .errors import ModelUnavailable
from .pieces import Dialect, Piece, strict_schema
from .port import Prompt, Usage


async def ask(client: AsyncOpenAI, prompt: Prompt, dialect: Dialect) -> AsyncGenerator[Piece, None]:
    """Yield the answer piece by piece as it comes, or at once from a provider that does not stream."""
    request = _request(prompt, dialect)
    if not dialect.streams:
        whole = await client.responses.create(**request)
        yield _last(whole, text=whole.output_text)
        return
    async with await client.responses.create(**request, stream=True) as stream:
        async for event in stream:
            match event.type:
                case "response.output_text.delta":
                    yield Piece(text=event.delta)
                case "response.completed" | "response.incomplete":
                    yield _last(event.response)
                case "response.failed" | "error":
                    raise ModelUnavailable("the provider says that the answer failed")


def _request(prompt: Prompt, dialect: Dialect) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": dialect.model,
        "instructions": prompt.instructions,
        "input": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "store": False,
        **dialect.sampling(limit_for_chat=False),
    }
    if prompt.schema is not None:
        form = {"type": "json_schema", "name": prompt.purpose, "schema": strict_schema(prompt.schema), "strict": True}
        request["text"] = {"format": form}
    return request


def _last(response: Response, *, text: str = "") -> Piece:
    finish = "length" if response.status == "incomplete" else "stop"
    usage = response.usage
    counted = usage and Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    return Piece(text=text, finish=finish, model=response.model, usage=counted or None)
