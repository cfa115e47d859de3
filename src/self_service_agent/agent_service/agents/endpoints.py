"""Agents over HTTP: for everybody to list, for staff to have read again."""

from http import HTTPStatus

from fastapi import APIRouter

from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.kit.problems import Problem
from self_service_agent.shared_models.calling import CallerDependency

from .dependencies import ReloadingOfAgents, RosterOfAgents
from .schemas import AgentList, AgentRead, Reloaded, agent_read, agent_summary

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])


@router.get("")
async def list_agents(roster: RosterOfAgents, _caller: CallerDependency) -> AgentList:
    """Return the agents that answer, in their current versions."""
    definitions = roster.definitions
    return AgentList(
        agents=[agent_summary(agent, is_default=agent is definitions.default) for agent in definitions],
        loaded_at=roster.loaded_at,
    )


@router.get("/{agent_id}", responses={404: {"description": "There is no such agent"}})
async def read_agent(agent_id: str, roster: RosterOfAgents, _caller: CallerDependency) -> AgentRead:
    """Return one agent with its flows, their steps, its tools and documents."""
    agent = roster.definitions.current(agent_id)
    if agent is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such agent")
    return agent_read(agent, is_default=agent is roster.definitions.default)


@router.post("/reload", responses={403: {"description": "Staff only"}, 409: {"description": "Refused as a whole"}})
async def reload_agents(reloading: ReloadingOfAgents, roster: RosterOfAgents, caller: CallerDependency) -> Reloaded:
    """Read all definitions again, here and in the other processes; if any is wrong, all stay as they are."""
    if not caller.is_staff:
        raise Problem(HTTPStatus.FORBIDDEN, "only operators and administrators reload agents")
    try:
        changed = await reloading.reload_everywhere()
    except DefinitionError as error:
        raise Problem(
            HTTPStatus.CONFLICT,
            "the definitions are wrong, so nothing changed",
            extra={"details": list(error.problems)},
        ) from error
    return Reloaded(changed=list(changed), loaded_at=roster.loaded_at)
