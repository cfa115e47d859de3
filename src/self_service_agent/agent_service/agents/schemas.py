"""What is told about agents over HTTP."""

from datetime import datetime

from pydantic import BaseModel

from self_service_agent.agent_service.definitions.models import AgentDefinition, Flow
from self_service_agent.agent_service.definitions.steps import AnyStep


class FlowSummary(BaseModel):
    """Something that an agent can do."""

    name: str
    title: str


class AgentSummary(BaseModel):
    """An agent in its current version; `digest` is the SHA-256 of everything that it consists of."""

    id: str
    name: str
    summary: str
    version: str
    digest: str
    is_default: bool
    routes: list[str]
    flows: list[FlowSummary]


class AgentList(BaseModel):
    """All agents that answer, and since when in these versions."""

    agents: list[AgentSummary]
    loaded_at: datetime


class StepRead(BaseModel):
    """A step, and where the flow can go from it."""

    id: str
    kind: str
    ways_on: list[str]


class FlowRead(FlowSummary):
    """A flow: what people say to start it, and its steps."""

    examples: list[str]
    steps: list[StepRead]


class ToolRead(BaseModel):
    """A tool that the agent uses."""

    name: str
    effect: str


class DocumentRead(BaseModel):
    """A document that the agent quotes."""

    id: str
    title: str


class AgentRead(BaseModel):
    """One agent in detail."""

    id: str
    name: str
    summary: str
    version: str
    digest: str
    is_default: bool
    routes: list[str]
    flows: list[FlowRead]
    tools: list[ToolRead]
    documents: list[DocumentRead]


class Reloaded(BaseModel):
    """The ids of the agents that changed."""

    changed: list[str]
    loaded_at: datetime


def agent_summary(agent: AgentDefinition, *, is_default: bool) -> AgentSummary:
    """Write an agent in brief."""
    return AgentSummary(
        id=agent.id,
        name=agent.name,
        summary=agent.summary,
        version=agent.version,
        digest=agent.digest,
        is_default=is_default,
        routes=list(agent.routes),
        flows=[FlowSummary(name=name, title=flow.title) for name, flow in agent.flows.items()],
    )


def agent_read(agent: AgentDefinition, *, is_default: bool) -> AgentRead:
    """Write an agent in detail."""
    brief = agent_summary(agent, is_default=is_default).model_dump(exclude={"flows"})
    return AgentRead(
        **brief,
        flows=[_flow(name, flow) for name, flow in agent.flows.items()],
        tools=[ToolRead(name=name, effect=tool.effect) for name, tool in agent.tools.items()],
        documents=[DocumentRead(id=key, title=document.title) for key, document in agent.knowledge.items()],
    )


def _flow(name: str, flow: Flow) -> FlowRead:
    steps = [_step(flow, step) for step in flow.steps]
    return FlowRead(name=name, title=flow.title, examples=list(flow.examples), steps=steps)


def _step(flow: Flow, step: AnyStep) -> StepRead:
    return StepRead(id=step.id, kind=step.kind, ways_on=list(dict.fromkeys(flow.ways_on(step))))
