"""What the tools of agents read from the environment: where their servers are, and the secrets these are given."""

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr

from self_service_agent.kit.settings import Settings, SettingsError

from .configuration import HttpServer, Server, ServerUrl, read_servers

SERVICENOW = "servicenow"
_AUDIENCE = "mcp-servicenow"


class ToolSettings(Settings):
    """MCP_SERVERS is a file; the ServiceNow server that is part of the product has a variable of its own."""

    mcp_servers: Path | None = None
    mcp_servicenow_url: ServerUrl | None = None
    mcp_recheck_seconds: float = Field(default=60, ge=0, le=86_400)

    @property
    def recheck(self) -> timedelta:
        return timedelta(seconds=self.mcp_recheck_seconds)

    def servers(self, *, servicenow_url: str) -> Mapping[str, Server]:
        """Return the servers by name; ServiceNow's is at `servicenow_url` unless somebody says otherwise."""
        configured = read_servers(self.mcp_servers) if self.mcp_servers else {}
        if SERVICENOW in configured and self.mcp_servicenow_url is not None:
            raise SettingsError(f"the tool server {SERVICENOW} is in MCP_SERVERS and in MCP_SERVICENOW_URL: leave one")
        url = HttpUrl(str(self.mcp_servicenow_url or servicenow_url))
        return {SERVICENOW: HttpServer(url=url, audience=_AUDIENCE), **configured}


def values_of(variables: Iterable[str], *, server: str) -> Mapping[str, SecretStr]:
    """Return what these variables hold, or raise `SettingsError` if one is not set."""
    values: dict[str, SecretStr] = {}
    for name in variables:
        value = os.environ.get(name)
        if not value:
            raise SettingsError(f"{name} is not set, and the tool server {server} needs it")
        values[name] = SecretStr(value)
    return values
