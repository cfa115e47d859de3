"""Reads agent definitions from a folder, and refuses to go on if anything in them is wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .checks import problems_between, problems_in
from .errors import DefinitionError
from .files import definition_files, read_definition
from .models import AgentDefinition


class Definitions:
    """The agents of this installation, each in its current version."""

    def __init__(self, agents: Mapping[str, AgentDefinition], *, default_agent_id: str) -> None:
        if default_agent_id not in agents:
            raise DefinitionError([f"the default agent {default_agent_id} is not defined"])
        self._agents = dict(agents)
        self._by_digest = {agent.digest: agent for agent in self._agents.values()}
        self.default = self._agents[default_agent_id]

    def __iter__(self) -> Iterator[AgentDefinition]:
        return iter(self._agents.values())

    def current(self, agent_id: str) -> AgentDefinition | None:
        """Return the current definition of an agent, or None if there is no such agent."""
        return self._agents.get(agent_id)

    def by_digest(self, digest: str) -> AgentDefinition | None:
        """Return the current definition with this digest, or None if no current one has it."""
        return self._by_digest.get(digest)


def load_definitions(folder: Path, *, default_agent_id: str = "routing-agent") -> Definitions:
    """Read every definition in `folder`, check all of them, or raise one error that lists all problems."""
    found, problems = read_folder(folder)
    if problems:
        raise DefinitionError(problems)
    return Definitions({agent.id: agent for agent in found.values()}, default_agent_id=default_agent_id)


def read_folder(folder: Path) -> tuple[dict[str, AgentDefinition], list[str]]:
    """Return the definitions in `folder` that are right by themselves, by their file, and all problems."""
    found: dict[str, AgentDefinition] = {}
    problems: list[str] = []
    for path in definition_files(folder):
        try:
            found[path.name] = _checked(read_definition(path), source=path.name)
        except DefinitionError as error:
            problems.extend(error.problems)
    ids = [agent.id for agent in found.values()]
    problems.extend(
        f"{name}: id: {agent.id} is defined twice"
        for place, (name, agent) in enumerate(found.items())
        if agent.id in ids[:place]
    )
    if not problems:
        problems.extend(problems_between({agent.id: agent for agent in found.values()}))
    return found, problems


def parse_definition(body: str) -> AgentDefinition:
    """Bring back a definition from the canonical JSON that `AgentDefinition.body` gave."""
    try:
        agent = AgentDefinition.model_validate_json(body)
    except ValidationError as error:
        raise DefinitionError(list(_explain(error, source="stored definition"))) from error
    return _without_problems(agent, source="stored definition")


def _checked(content: Any, *, source: str) -> AgentDefinition:
    try:
        agent = AgentDefinition.model_validate(content)
    except ValidationError as error:
        raise DefinitionError(list(_explain(error, source=source))) from error
    except RecursionError:
        raise DefinitionError([f"{source}: is nested too deeply"]) from None
    return _without_problems(agent, source=source)


def _without_problems(agent: AgentDefinition, *, source: str) -> AgentDefinition:
    if problems := [f"{source}: {problem}" for problem in problems_in(agent)]:
        raise DefinitionError(problems)
    return agent


def _explain(error: ValidationError, *, source: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in detail["loc"])
        yield f"{source}: {place}: {detail['msg']}"
