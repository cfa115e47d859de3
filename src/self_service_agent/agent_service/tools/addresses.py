"""Which server a tool of a definition is on: `server.tool`, or the plain name where only one server has it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from self_service_agent.agent_service.definitions.loader import Definitions
from self_service_agent.agent_service.definitions.models import AgentDefinition

from .pins import Pins, SeveralServers


@dataclass(frozen=True)
class ToolAddress:
    """A tool of a server."""

    server: str
    tool: str


def address_of(tool: str, *, servers: Collection[str], pins: Pins) -> ToolAddress | None:
    """Return where the tool is, None if only the servers themselves can tell, or raise `SeveralServers`."""
    server, _, rest = tool.partition(".")
    if rest and server in servers:
        return ToolAddress(server, rest)
    reviewed = pins.servers_with(tool)
    if len(reviewed) > 1:
        raise SeveralServers(tool, reviewed)
    if reviewed:
        return ToolAddress(reviewed[0], tool)
    return ToolAddress(next(iter(servers)), tool) if len(servers) == 1 else None


def tools_of(definition: AgentDefinition) -> frozenset[str]:
    """Return every tool that a definition can lead to, those that only find something out included."""
    reconciling = {tool.reconcile for tool in definition.tools.values() if tool.reconcile is not None}
    return frozenset(definition.tools) | reconciling


def tools_in(definitions: Definitions) -> frozenset[str]:
    """Return every tool that any definition can lead to."""
    return frozenset[str]().union(*map(tools_of, definitions))


def problems_with_tools(
    definitions: Definitions, *, servers: Collection[str], pins: Pins, must_be_pinned: bool
) -> Iterator[str]:
    """Yield each tool of a definition that cannot be called, with its agent and the reason."""
    for definition in definitions:
        for tool in sorted(tools_of(definition)):
            try:
                address = address_of(tool, servers=servers, pins=pins)
            except SeveralServers as error:
                yield f"{definition.id}: tools.{tool}: {error}"
                continue
            if problem := _problem(address, servers=servers, pins=pins, must_be_pinned=must_be_pinned):
                yield f"{definition.id}: tools.{tool}: {problem}"


def _problem(address: ToolAddress | None, *, servers: Collection[str], pins: Pins, must_be_pinned: bool) -> str | None:
    if address is not None and address.server not in servers:
        return f"its server {address.server} is not configured"
    is_pinned = address is not None and pins.find(address.server, address.tool) is not None
    if must_be_pinned and not is_pinned:
        return "it is not in tools.lock.json: run `ssa tools pin`, and review what it writes"
    return None
