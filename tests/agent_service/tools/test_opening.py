"""Which servers there are and which tools may be used is settled before anything starts."""

import json

import pytest
from pydantic import SecretStr

from self_service_agent.agent_service.app import conversations, shipped_agents
from self_service_agent.agent_service.definitions.errors import DefinitionError
from self_service_agent.agent_service.settings import AgentServiceSettings
from self_service_agent.agent_service.tools.opening import ToolAccess, open_servers, pins_in, plan_of
from self_service_agent.agent_service.tools.pins import Pins, differences, select
from self_service_agent.agent_service.tools.settings import ToolSettings
from self_service_agent.cli.toolroom import own_tools
from self_service_agent.connectors.mcp.protocol import ToolDescription
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.kit.settings import SettingsError

TOKENS = ServiceTokens(SecretStr("a secret for tests, long enough for HS256"))
LOOPBACK = EgressPolicy(allow_loopback=True)
AGENT = """
id: routing-agent
version: "1"
name: the agent
summary: Looks things up.
tools: {%s: {effect: read}}
flows:
  look:
    title: look
    examples: [look]
    slots: {found: {type: record}}
    steps:
      - {id: look, kind: call, tool: %s, save: found}
"""


def a_folder(tmp_path, tool, *pinned):
    (tmp_path / "agent.yaml").write_text(AGENT % (tool, tool))
    if pinned:
        described = {
            address: ToolDescription(
                name=address[1], title=None, description=None, input_schema={}, output_schema=None, annotations={}
            )
            for address in pinned
        }
        (tmp_path / "tools.lock.json").write_text(Pins(described).to_json())
    return tmp_path


def a_file(tmp_path, servers):
    path = tmp_path / "servers.json"
    path.write_text(json.dumps({"servers": servers}))
    return path


def start(folder, servers, *, may_use_unpinned=False):
    settings = AgentServiceSettings(agents_folder=folder, mcp_servers=servers)
    access = ToolAccess(may_use_unpinned=may_use_unpinned)
    return conversations(settings, TOKENS, policy=LOOPBACK, access=access)


TWO = {"corner": {"url": "http://127.0.0.1:9/mcp"}, "mall": {"command": "mall"}}


@pytest.mark.parametrize(
    ("tool", "pinned", "problem"),
    [
        pytest.param("stock", [], "tools.stock: it is not in tools.lock.json", id="not reviewed"),
        pytest.param("mall.stock", [("corner", "stock")], "not in tools.lock.json", id="reviewed on another server"),
        pytest.param("stock", [("gone", "stock")], "its server gone is not configured", id="the server is gone"),
        pytest.param(
            "stock",
            [("corner", "stock"), ("mall", "stock")],
            "the servers corner and mall all have the tool stock: write corner.stock or mall.stock",
            id="two servers have it",
        ),
    ],
)
def test_a_tool_that_cannot_be_called_stops_the_start(tmp_path, tool, pinned, problem):
    folder = a_folder(tmp_path, tool, *pinned)

    with pytest.raises(DefinitionError, match=problem):
        start(folder, a_file(tmp_path, TWO))


@pytest.mark.parametrize("tool", ["stock", "corner.stock"])
def test_a_reviewed_tool_does_not(tmp_path, tool):
    assert start(a_folder(tmp_path, tool, ("corner", "stock")), a_file(tmp_path, TWO))


def test_in_development_a_tool_need_not_be_reviewed(tmp_path):
    assert start(a_folder(tmp_path, "stock"), a_file(tmp_path, TWO), may_use_unpinned=True)


def test_a_lock_that_was_changed_by_hand_stops_the_start(tmp_path):
    folder = a_folder(tmp_path, "stock", ("corner", "stock"))
    lock = folder / "tools.lock.json"
    lock.write_text(lock.read_text().replace('"description": null', '"description": "other"'))

    with pytest.raises(DefinitionError, match=r"corner\.stock does not have the digest"):
        start(folder, a_file(tmp_path, TWO))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("servers: {Shop: {command: x}}", "Shop"),
        ("servers: {shop: {}}", "shop"),
        ("servers: {shop: {url: 'ftp://x'}}", "url"),
        ("servers: {shop: {command: x, password: y}}", "password"),
        ("servers: [", "neither JSON nor YAML"),
        ("", "must have the servers by name under `servers`"),
        ("x", "must have the servers by name under `servers`"),
        ("[" * 5000, "neither JSON nor YAML"),
        ("servers: {shop: {url: 'https://me:secret@shop.example'}}", "credentials do not belong in a URL"),
        ('servers: {shop: {url: "https://shop.example", headers: {"X\\r\\nY": KEY}}}', "headers"),
        ("servers: {shop: {url: 'https://shop.example', headers: {'': KEY}}}", "headers"),
    ],
)
def test_a_file_that_makes_no_sense_stops_the_start(tmp_path, content, problem):
    (tmp_path / "servers.yaml").write_text(content)

    with pytest.raises(SettingsError, match=problem) as refused:
        ToolSettings(mcp_servers=tmp_path / "servers.yaml").servers(servicenow_url="http://127.0.0.1:9")

    assert "secret" not in str(refused.value)


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"servers: {b\xfcro: {command: x}}")

    for name, problem in (("none.yaml", "No such file"), (".", "Is a directory"), ("latin.yaml", "not UTF-8")):
        with pytest.raises(SettingsError, match=f"cannot be read: .*{problem}"):
            ToolSettings(mcp_servers=tmp_path / name).servers(servicenow_url="http://127.0.0.1:9")


def test_servicenow_is_named_once(tmp_path):
    settings = ToolSettings(
        mcp_servers=a_file(tmp_path, {"servicenow": {"command": "x"}}), mcp_servicenow_url="http://127.0.0.1:9"
    )

    with pytest.raises(SettingsError, match="in MCP_SERVERS and in MCP_SERVICENOW_URL"):
        settings.servers(servicenow_url="http://127.0.0.1:9")


async def test_a_secret_that_is_not_set_stops_the_start(tmp_path):
    settings = ToolSettings(mcp_servers=a_file(tmp_path, {"shop": {"url": "http://127.0.0.1:9", "bearer": "NO_SUCH"}}))
    making = plan_of(settings, TOKENS, policy=LOOPBACK, access=ToolAccess())

    with pytest.raises(SettingsError, match="NO_SUCH is not set, and the tool server shop needs it"):
        async with open_servers(making):
            pass


async def test_a_secret_that_no_header_can_have_stops_the_start(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "a\r\nX-Other: b")
    settings = ToolSettings(
        mcp_servers=a_file(tmp_path, {"shop": {"url": "http://127.0.0.1:9", "headers": {"X-Key": "SHOP_KEY"}}})
    )

    with pytest.raises(SettingsError, match="SHOP_KEY holds a line end"):
        async with open_servers(plan_of(settings, TOKENS, policy=LOOPBACK, access=ToolAccess())):
            pass


async def test_the_shipped_tools_are_pinned_as_the_shipped_server_has_them():
    pinned = pins_in(shipped_agents())
    used = [tool.name for _, tool in pinned]

    assert list(differences(pinned, select({"servicenow": await own_tools()}, used))) == [], "run `ssa tools pin`"
    assert conversations(AgentServiceSettings(), TOKENS, policy=LOOPBACK)
