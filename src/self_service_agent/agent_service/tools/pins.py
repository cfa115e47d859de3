"""Tools as they were when somebody reviewed them: what a server says about a tool must not change behind our back."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from self_service_agent.connectors.mcp.protocol import ToolDescription

LOCK_FILE = "tools.lock.json"
_FORMAT = 1


class BrokenLock(ValueError):
    """The file is not one that was written here, or was changed by hand."""


class SeveralServers(ValueError):
    """More than one server has a tool of this name; the message names them."""

    def __init__(self, tool: str, servers: Collection[str]) -> None:
        ways = " or ".join(f"{server}.{tool}" for server in sorted(servers))
        super().__init__(f"the servers {' and '.join(sorted(servers))} all have the tool {tool}: write {ways}")


class _PinnedTool(BaseModel):
    model_config = ConfigDict(extra="forbid")

    digest: str
    title: str | None
    description: str | None
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    annotations: dict[str, Any]


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: int
    servers: dict[str, dict[str, _PinnedTool]]


class Pins:
    """The reviewed tools by server and name."""

    def __init__(self, tools: Mapping[tuple[str, str], ToolDescription]) -> None:
        self._tools = dict(tools)

    def find(self, server: str, tool: str) -> ToolDescription | None:
        """Return the tool as it was reviewed, or None if it was not."""
        return self._tools.get((server, tool))

    def servers_with(self, tool: str) -> tuple[str, ...]:
        """Return the servers of which a tool of this name was reviewed."""
        return tuple(sorted(server for server, name in self._tools if name == tool))

    def __iter__(self) -> Iterator[tuple[str, ToolDescription]]:
        return iter((server, tool) for (server, _), tool in sorted(self._tools.items()))

    def to_json(self) -> str:
        """Return the file that holds these pins, in an order that shows a change as one."""
        servers: dict[str, dict[str, Any]] = {}
        for (server, name), tool in self._tools.items():
            servers.setdefault(server, {})[name] = {"digest": digest_of(tool)} | _content(tool)
        return json.dumps({"format": _FORMAT, "servers": servers}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def select(found: Mapping[str, Mapping[str, ToolDescription]], used: Iterable[str]) -> Pins:
    """Return pins of the tools in use out of what the servers have, or raise ValueError for one that is not clear."""
    pins: dict[tuple[str, str], ToolDescription] = {}
    for tool in used:
        server, _, rest = tool.partition(".")
        name = rest if rest and server in found else tool
        having = [server] if name is rest else [each for each, tools in found.items() if tool in tools]
        if len(having) > 1:
            raise SeveralServers(tool, having)
        if not having or name not in found[having[0]]:
            raise ValueError(f"no tool server has the tool {tool}")
        pins[having[0], name] = found[having[0]][name]
    return Pins(pins)


def differences(before: Pins, after: Pins) -> Iterator[str]:
    """Yield a line for each tool that is new, gone or described differently."""
    names = {(server, tool.name) for pins in (before, after) for server, tool in pins}
    for server, name in sorted(names):
        match before.find(server, name), after.find(server, name):
            case None, _:
                yield f"+ {server}.{name}"
            case _, None:
                yield f"- {server}.{name}"
            case ToolDescription() as old, ToolDescription() as new if digest_of(old) != digest_of(new):
                yield f"~ {server}.{name}: {', '.join(changes(old, new))}"


def read_pins(text: str) -> Pins:
    """Read a lock file, or raise `BrokenLock`."""
    try:
        lock = _Lock.model_validate_json(text)
    except ValidationError as error:
        raise BrokenLock(f"it cannot be read: {error.errors(include_url=False)[0]['msg']}") from error
    if lock.format != _FORMAT:
        raise BrokenLock(f"its format is {lock.format}, and only {_FORMAT} is known")
    tools: dict[tuple[str, str], ToolDescription] = {}
    for server, pinned in lock.servers.items():
        for name, tool in pinned.items():
            description = ToolDescription(name=name, **tool.model_dump(exclude={"digest"}))
            if digest_of(description) != tool.digest:
                raise BrokenLock(f"{server}.{name} does not have the digest that stands beside it")
            tools[server, name] = description
    return Pins(tools)


def digest_of(tool: ToolDescription) -> str:
    """Return the SHA-256 over everything that a server says about a tool, in hex."""
    content = json.dumps(asdict(tool), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def changes(pinned: ToolDescription, found: ToolDescription) -> tuple[str, ...]:
    """Return what the server says differently about a tool: the names of its fields."""
    before, after = _content(pinned), _content(found)
    return tuple(name for name in before if json.dumps(before[name]) != json.dumps(after[name]))


def _content(tool: ToolDescription) -> dict[str, Any]:
    content = asdict(tool)
    del content["name"]
    return content
