"""Tool calls and questions that are told of: to whoever follows the turn, and to the collector of spans."""

from typing import Any, Literal

from self_service_agent.agent_service.flows.labels import label_of
from self_service_agent.agent_service.flows.questions import Knowledge
from self_service_agent.agent_service.flows.tools import Tools
from self_service_agent.agent_service.knowledge.answers import Answer, Query
from self_service_agent.agent_service.telemetry import Telemetry
from self_service_agent.shared_models.requests import NormalizedRequest

from .progress import Progress

State = Literal["started", "finished", "failed"]


class ReportedTools:
    """The tools of one turn. What is told has a label that a person can read, and nothing of arguments or results."""

    def __init__(self, tools: Tools, request: NormalizedRequest, *, progress: Progress, telemetry: Telemetry) -> None:
        self._tools = tools
        self._request = request
        self._progress = progress
        self._telemetry = telemetry

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return the tool's answer, or raise a `ToolError`."""
        self._tell(tool, "started")
        state: State = "failed"
        try:
            with self._telemetry.execute_tool(tool, call_id=key):
                answer = await self._tools.call(tool, arguments, key=key)
            state = "finished"
        finally:
            self._tell(tool, state)
        return answer

    def _tell(self, tool: str, state: State) -> None:
        self._progress.say(self._request, "tool", {"tool": tool, "label": label_of(tool), "state": state})


class TracedKnowledge:
    """The documents, with a span for each question to them."""

    def __init__(self, knowledge: Knowledge, telemetry: Telemetry) -> None:
        self._knowledge = knowledge
        self._telemetry = telemetry

    async def answer(self, query: Query) -> Answer:
        """Return quotes, or none if nothing is good enough."""
        with self._telemetry.retrieval(",".join(query.scope.bases) or "definitions", query=query.text):
            return await self._knowledge.answer(query)

    async def sources(self, query: Query) -> Answer:
        """Return the best quote of each document."""
        with self._telemetry.retrieval(",".join(query.scope.bases) or "definitions", query=query.text):
            return await self._knowledge.sources(query)
