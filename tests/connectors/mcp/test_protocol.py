import json

import pytest
from mcp.types import CallToolResult, TextContent

from self_service_agent.connectors.mcp import protocol
from self_service_agent.connectors.mcp.protocol import ToolDescription, ToolInDoubt, ToolRefused, ToolUnavailable

ORDER = ToolDescription(
    name="order", title=None, description=None, input_schema={}, output_schema={"type": "object"}, annotations={}
)


def a_failure(text="", structured=None):
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured, is_error=True)


def an_error(code):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}).encode()


def test_a_request_is_json_rpc():
    content = protocol.request(7, "tools/call", {"name": "x"})

    assert json.loads(content) == {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "x"}}


def test_a_result_is_read():
    assert protocol.read_answer(200, b'{"jsonrpc": "2.0", "id": 1, "result": {"a": 1}}') == {"a": 1}


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        pytest.param(400, an_error(-32602), ToolRefused, id="bad parameters"),
        pytest.param(404, an_error(-32601), ToolRefused, id="unknown method"),
        pytest.param(500, an_error(-32603), ToolInDoubt, id="the server broke"),
        pytest.param(401, b'{"title": "Unauthorized"}', ToolRefused, id="a bad credential"),
        pytest.param(413, b"", ToolRefused, id="too large"),
        pytest.param(404, b"Not Found", ToolUnavailable, id="no server there"),
        pytest.param(429, b"", ToolUnavailable, id="too many"),
        pytest.param(503, b"<html>", ToolInDoubt, id="a gateway that lost the server"),
        pytest.param(502, b"<html>", ToolInDoubt, id="a gateway's page"),
        pytest.param(200, b'{"resu', ToolInDoubt, id="half an answer"),
        pytest.param(200, b"[1]", ToolInDoubt, id="another form"),
        pytest.param(200, b"\xff", ToolInDoubt, id="not text"),
    ],
)
def test_an_answer_without_result_says_what_to_do(status, content, error):
    with pytest.raises(error):
        protocol.read_answer(status, content)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        pytest.param(a_failure(structured={"kind": "unavailable", "message": "m"}), ToolUnavailable, id="unavailable"),
        pytest.param(a_failure(structured={"kind": "refused", "message": "m"}), ToolRefused, id="refused"),
        pytest.param(a_failure(structured={"kind": "in_doubt", "message": "m"}), ToolInDoubt, id="in doubt"),
        pytest.param(a_failure(structured={"kind": "odd", "message": "m"}), ToolInDoubt, id="an unknown kind"),
        pytest.param(a_failure("Error executing tool order: 1 error"), ToolInDoubt, id="nothing but a text"),
        pytest.param(a_failure("Error executing tool order"), ToolInDoubt, id="a crash"),
        pytest.param(CallToolResult(content=[]), ToolInDoubt, id="a result without the structure it declares"),
    ],
)
def test_a_failed_tool_says_what_to_do(result, error):
    with pytest.raises(error):
        protocol.read_result(ORDER, result)
