import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from mcp.server.mcpserver import Context, MCPServer
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from pydantic import SecretStr
from starlette.requests import Request

from self_service_agent.connectors.mcp.client import ToolServer
from self_service_agent.connectors.mcp.protocol import ToolInDoubt, ToolRefused, ToolUnavailable
from self_service_agent.doubles.receiver import Answer, Fault, Receiver
from self_service_agent.kit.http.egress import EgressPolicy
from self_service_agent.kit.service_tokens import ServiceTokens
from self_service_agent.mcp_servers.servicenow.gate import CredentialGate, identity_in
from tests.doubles_servicenow.serving import serving

TOKENS = ServiceTokens(SecretStr("a secret for tests, long enough for HS256"))
LOOPBACK = EgressPolicy(allow_loopback=True)
FIVE_SECONDS = timedelta(seconds=5)
CROWD = 50


def listing():
    tool = {"name": "order", "inputSchema": {"type": "object"}}
    tool["outputSchema"] = {"type": "object", "required": ["number"]}
    return answered({"tools": [tool], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"})


def answered(result):
    return Answer(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


def a_result(structured):
    return answered({"content": [], "structuredContent": structured, "isError": False, "resultType": "complete"})


def opened(url, **options):
    return ToolServer.open(url, TOKENS, policy=LOOPBACK, **options)


def order(server, timeout=FIVE_SECONDS):
    return server.call("order", {}, subject="alice@company.com", timeout=timeout)


@asynccontextmanager
async def a_crowded_server():
    """Serve a tool that tells its caller's name, once everybody has asked."""
    server: MCPServer[Any] = MCPServer("crowd")
    everybody = asyncio.Barrier(CROWD)

    @server.tool()
    async def whoami(number: int, context: Context[Any, Request]) -> dict[str, str]:
        await everybody.wait()
        identity = identity_in(context.request_context.request.scope)
        return {"subject": identity.subject, "service": identity.service, "number": str(number)}

    app = server.streamable_http_app(json_response=True, stateless_http=True)
    async with server.session_manager.run(), serving(CredentialGate(app, TOKENS), lifespan="off") as url:
        yield f"{url}/mcp"


async def test_people_who_call_at_the_same_time_are_never_mixed_up():
    async with a_crowded_server() as url, opened(url) as server:
        calls = [
            server.call("whoami", {"number": number}, subject=f"person-{number}@company.com", timeout=FIVE_SECONDS)
            for number in range(CROWD)
        ]
        answers = await asyncio.gather(*calls)

    assert answers == [
        {"subject": f"person-{number}@company.com", "service": "agent-service", "number": str(number)}
        for number in range(CROWD)
    ]


async def test_every_request_carries_the_credential_of_its_own_person():
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(listing(), a_result({"number": "1"}), a_result({"number": "2"}))
        await order(server)
        await server.call("order", {}, subject="bob@company.com", timeout=FIVE_SECONDS)

    sent = [(json.loads(received.body)["method"], person_in(received)) for received in receiver.received]
    assert sent == [
        ("tools/list", "alice@company.com"),
        ("tools/call", "alice@company.com"),
        ("tools/call", "bob@company.com"),
    ]


def person_in(received):
    token = received.headers["Authorization"].removeprefix("Bearer ")
    return TOKENS.verify(token, audience="mcp-servicenow", now=received.arrived_at).subject


async def test_a_call_continues_the_trace_of_its_caller():
    span = NonRecordingSpan(SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False, trace_flags=TraceFlags(1)))
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(listing(), a_result({"number": "1"}))
        with use_span(span):
            await order(server)

    meta = json.loads(receiver.received[-1].body)["params"]["_meta"]
    assert meta["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


async def test_nothing_is_sent_before_the_first_call():
    async with Receiver.open() as receiver:
        async with opened(receiver.url):
            pass

        assert receiver.received == ()


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.HANG])
async def test_a_call_whose_answer_is_lost_is_in_doubt(fault):
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(listing(), a_result({"number": "1"}), fault)
        await order(server)

        with pytest.raises(ToolInDoubt):
            await order(server, timedelta(milliseconds=50))


@pytest.mark.parametrize("answer", [Fault.CLOSE, Fault.HANG, Answer(status=502), answered({"tools": 7})])
async def test_a_server_that_cannot_list_its_tools_is_unavailable(answer):
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(answer)

        with pytest.raises(ToolUnavailable):
            await order(server, timedelta(milliseconds=50))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(a_result({"other": 1}), id="not what the tool declares"),
        pytest.param(answered({"content": 7}), id="not the protocol"),
    ],
)
async def test_an_answer_in_another_form_is_in_doubt(answer):
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(listing(), answer)

        with pytest.raises(ToolInDoubt):
            await order(server)


async def test_an_unknown_tool_is_refused_before_it_is_called():
    async with Receiver.open() as receiver, opened(receiver.url) as server:
        receiver.script(listing())

        with pytest.raises(ToolRefused):
            await server.call("delete_everything", {}, subject="alice@company.com", timeout=FIVE_SECONDS)

        assert len(receiver.received) == 1


async def test_a_server_that_is_down_is_unavailable_until_it_is_up():
    async with Receiver.open() as receiver:
        url = receiver.url
    async with opened(url) as server:
        with pytest.raises(ToolUnavailable):
            await order(server)

        async with Receiver.open(port=int(url.rpartition(":")[2])) as receiver:
            receiver.script(listing(), a_result({"number": "1"}))
            assert await order(server) == {"number": "1"}


async def test_an_address_inside_is_refused():
    async with ToolServer.open("http://127.0.0.1:9/mcp", TOKENS, policy=EgressPolicy()) as server:
        with pytest.raises(ToolRefused):
            await order(server)


async def test_another_audience_is_refused():
    async with a_crowded_server() as url, opened(url, audience="request-manager") as server:
        with pytest.raises(ToolRefused, match="401"):
            await server.call("whoami", {"number": 1}, subject="alice@company.com", timeout=FIVE_SECONDS)
