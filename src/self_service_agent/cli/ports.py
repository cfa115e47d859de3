"""The services that can run by themselves, their usual ports, and the error of a port that is taken."""

from enum import StrEnum


class Name(StrEnum):
    """The services that can run in a process of their own."""

    REQUEST_MANAGER = "request-manager"
    INTEGRATION_DISPATCHER = "integration-dispatcher"
    AGENT_SERVICE = "agent-service"
    MOCK_SERVICENOW = "mock-servicenow"
    MCP_SERVICENOW = "mcp-servicenow"
    MOCK_MODEL = "mock-model"


PORTS = {
    Name.REQUEST_MANAGER: 8080,
    Name.INTEGRATION_DISPATCHER: 8081,
    Name.AGENT_SERVICE: 8082,
    Name.MOCK_SERVICENOW: 8085,
    Name.MCP_SERVICENOW: 8001,
    Name.MOCK_MODEL: 8086,
}


class PortTaken(Exception):
    """Somebody else listens there; the message says how to choose another port."""
