"""What agents do, as a collector of spans and an operator's metrics see it.

The names are those of OpenTelemetry's semantic conventions for generative AI as of `SEMANTIC_CONVENTIONS`. All of them
are still in development and change between releases, so they stand here and nowhere else.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict, Field

from self_service_agent.agent_service.guards.masking import mask
from self_service_agent.kit import metrics
from self_service_agent.kit.tracing import Attribute, Kind, Span

SEMANTIC_CONVENTIONS: Final = "1.41.0"

_MILLION = 1_000_000
_NOBODY = "none"
# Whose turn it is, for what is called deep inside of it.
_AGENT: ContextVar[str] = ContextVar("agent", default=_NOBODY)


class ModelPrice(BaseModel):
    """What a million tokens of a model cost, in whatever currency all prices are given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)


class AgentTurn:
    """One answer in the making."""

    def __init__(self, span: Span, agent_id: str) -> None:
        self._span = span
        self.agent_id = agent_id
        self.outcome = "tried_again"

    def answered(self, agent_id: str, *, version: str, failed: bool = False) -> None:
        """Note which agent had the last word, and whether it was an apology."""
        self.agent_id = agent_id
        self.outcome = "failed" if failed else "completed"
        self._span.describe_by({"gen_ai.agent.id": agent_id, "gen_ai.agent.version": version})


class ModelCall:
    """One call of a model; tell `answered` what came back."""

    def __init__(self, span: Span, telemetry: "Telemetry", *, model: str, agent_id: str) -> None:
        self._span = span
        self._telemetry = telemetry
        self._model = model
        self._agent_id = agent_id

    def answered(
        self,
        *,
        model: str | None = None,
        input_tokens: int = 0,
        output_tokens: int = 0,
        finish_reasons: Sequence[str] = (),
        text: str | None = None,
    ) -> None:
        """Note what the provider says of its answer: the model that gave it, and how many tokens it counted."""
        self._span.describe_by(
            {
                "gen_ai.response.model": model or self._model,
                "gen_ai.usage.input_tokens": input_tokens,
                "gen_ai.usage.output_tokens": output_tokens,
                "gen_ai.response.finish_reasons": tuple(finish_reasons),
                **self._telemetry.content("gen_ai.output.messages", [("assistant", text)] if text else []),
            }
        )
        metrics.MODEL_TOKENS[self._agent_id, self._model, "input"].inc(input_tokens)
        metrics.MODEL_TOKENS[self._agent_id, self._model, "output"].inc(output_tokens)
        cost = self._telemetry.cost(self._model, input_tokens=input_tokens, output_tokens=output_tokens)
        if cost is not None:
            metrics.MODEL_COST[self._agent_id, self._model].inc(cost)


class Telemetry:
    """Opens the spans of a turn and counts what happens in them. Nobody's words are in them unless that is set."""

    def __init__(
        self,
        *,
        prices: Mapping[str, ModelPrice] = MappingProxyType({}),
        captures_content: bool = False,
    ) -> None:
        self._prices = prices
        self._captures_content = captures_content

    @contextmanager
    def invoke_agent(self, agent_id: str, *, session_id: str) -> Iterator[AgentTurn]:
        """Open the span of a turn; what is counted inside counts for the agent."""
        attributes = {"gen_ai.agent.id": agent_id, "gen_ai.conversation.id": session_id}
        with _span("invoke_agent", agent_id, attributes=attributes) as span:
            token = _AGENT.set(agent_id)
            turn = AgentTurn(span, agent_id)
            try:
                yield turn
            finally:
                _AGENT.reset(token)
                metrics.AGENT_TURNS[turn.agent_id, turn.outcome].inc()

    @contextmanager
    def chat(
        self, model: str, *, provider: str = "openai", messages: Sequence[tuple[str, str]] = ()
    ) -> Iterator[ModelCall]:
        """Open the span of one call of a model, with all its retries; `messages` are (role, text)."""
        agent_id = _AGENT.get()
        attributes: dict[str, Attribute] = {
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            **self.content("gen_ai.input.messages", messages),
        }
        started = time.perf_counter()
        outcome = "failed"
        try:
            with _span("chat", model, attributes=attributes, kind="client") as span:
                yield ModelCall(span, self, model=model, agent_id=agent_id)
            outcome = "completed"
        finally:
            metrics.MODEL_SECONDS[agent_id, model, outcome].observe(time.perf_counter() - started)

    @contextmanager
    def execute_tool(self, tool: str, *, call_id: str) -> Iterator[Span]:
        """Open the span of one tool call; neither its arguments nor its result are in it."""
        attributes = {"gen_ai.tool.name": tool, "gen_ai.tool.type": "function", "gen_ai.tool.call.id": call_id}
        with _span("execute_tool", tool, attributes=attributes) as span:
            yield span

    @contextmanager
    def retrieval(self, source: str, *, query: str | None = None) -> Iterator[Span]:
        """Open the span of one search in a collection of documents."""
        asked = {"gen_ai.retrieval.query.text": mask(query).text} if query and self._captures_content else {}
        attributes = {"gen_ai.data_source.id": source, **asked}
        with _span("retrieval", source, attributes=attributes, kind="client") as span:
            yield span

    def content(self, name: str, messages: Sequence[tuple[str, str]]) -> dict[str, Attribute]:
        """Return what was said as an attribute, masked, if that is wanted at all."""
        if not self._captures_content or not messages:
            return {}
        said = [{"role": role, "parts": [{"type": "text", "content": mask(text).text}]} for role, text in messages]
        return {name: orjson.dumps(said).decode()}

    def cost(self, model: str, *, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost, or None for a model without a price."""
        price = self._prices.get(model)
        if price is None:
            return None
        return (input_tokens * price.input + output_tokens * price.output) / _MILLION


@contextmanager
def _span(operation: str, of: str, *, attributes: Mapping[str, Attribute], kind: Kind = "internal") -> Iterator[Span]:
    with Span(f"{operation} {of}", kind=kind) as span:
        span.describe_by({"gen_ai.operation.name": operation, **attributes})
        try:
            yield span
        except BaseException as error:
            span.describe_by({"error.type": type(error).__name__})
            raise
