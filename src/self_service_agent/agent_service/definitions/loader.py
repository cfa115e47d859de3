"""Reads agent definitions from a folder, and refuses to go on if anything in them is wrong."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from .checks import problems_between, problems_in
from .errors import DefinitionError
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
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.name] = _checked(_read(path), source=path.name)
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
    return _without_problems(agent, source=source)


def _without_problems(agent: AgentDefinition, *, source: str) -> AgentDefinition:
    if problems := [f"{source}: {problem}" for problem in problems_in(agent)]:
        raise DefinitionError(problems)
    return agent


def _explain(error: ValidationError, *, source: str) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in detail["loc"])
        yield f"{source}: {place}: {detail['msg']}"


def _read(path: Path) -> Any:
    content = _parse(path)
    if not isinstance(content, dict):
        raise DefinitionError([f"{path.name}: must be a mapping"])
    for part, read in (("tables", _parse), ("knowledge", lambda file: file.read_text("utf-8"))):
        for name, entry in (content.get(part) or {}).items():
            if isinstance(entry, dict) and "file" in entry:
                content[part][name] = _filled(entry, folder=path.parent, place=f"{path.name}: {part}.{name}", read=read)
    return content


def _filled(entry: dict[str, Any], *, folder: Path, place: str, read: Callable[[Path], Any]) -> dict[str, Any]:
    """Replace an entry's `file` by what that file holds; it must lie beside the definition."""
    file = (folder / str(entry["file"])).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise DefinitionError([f"{place}.file: {entry['file']} is outside the folder"])
    try:
        found = read(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError([f"{place}.file: {entry['file']} cannot be read"]) from error
    rest = {key: value for key, value in entry.items() if key != "file"}
    return {**rest, **({"text": found} if isinstance(found, str) else {"rows": found})}


class _UniqueKeys(yaml.SafeLoader):
    """YAML as we accept it: a key that is written twice is an error, not an override."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is written twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _parse(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_UniqueKeys)  # noqa: S506  # a subclass of the safe loader
    except yaml.YAMLError as error:
        raise DefinitionError([f"{path.name}: not readable YAML: {error}".replace("\n", " ")]) from error
