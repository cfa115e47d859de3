"""What an operator sees: one story from the door to the channel, its ids on every line, and what is counted."""

import json
import logging
from contextlib import asynccontextmanager

import aiohttp
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from self_service_agent.doubles.receiver import Receiver
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.kit import logging as our_logging
from self_service_agent.kit import metrics
from self_service_agent.kit.database import open_pools
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models import events
from tests.acceptance.house import ScriptedTaker, eventually
from tests.faults.house import SSA
from tests.faults.house import House as Process

TRACE = "0af7651916cd43dd8448eb211c80319c"
TOLD = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
STORED = "SELECT normalized_request -> 'integration_context' ->> 'traceparent' FROM request_logs"
EXTENSION = "SELECT extensions ->> 'traceparent' FROM event_inbox WHERE consumer = $1"
REMEMBER_EVENTS = """
    CREATE TABLE seen (type text, extensions jsonb);
    CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO seen VALUES (NEW.type, NEW.extensions); RETURN NEW; END';
    CREATE TRIGGER remember AFTER INSERT ON event_inbox FOR EACH ROW EXECUTE FUNCTION remember();
"""
QUEUES = ("events/agent-service", "events/request-manager", "events/integration-dispatcher", "turns", "deliveries")
OVERDUE = """
    INSERT INTO turns (request_id, session_id, user_id, sequence, request, status, created_at)
        VALUES ('r', 's', 'u', 1, '{}', 'ready', now() - interval '90 s');
    INSERT INTO delivery_logs (delivery_id, request_id, session_id, user_id, integration_type, priority, status,
            content, max_attempts, retry_delay_seconds, next_attempt_at)
        VALUES ('d', 'r', 's', 'u', 'WEBHOOK', 1, 'RETRYING', '', 3, 1, now() - interval '60 s'),
            ('e', 'r', 's', 'u', 'EMAIL', 1, 'PENDING', '', 3, 1, now() + interval '1 h'),
            ('f', 'r', 's', 'u', 'EMAIL', 1, 'DELIVERED', '', 3, 1, now() - interval '1 h');
"""


class FailingOnce(ScriptedTaker):
    """Fails at the first attempt."""

    async def take(self, turn):
        if turn.attempt == 1:
            raise ConnectionError("the model is away")
        return await super().take(turn)


@pytest.fixture
def logged(capsys):
    """Set up the logs as a process does and return what reads the lines of an event."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()  # else pytest's own would be closed
    our_logging.configure(level="info", format="json")
    said = []

    def lines(event):
        said.extend(json.loads(line) for line in capsys.readouterr().err.splitlines())
        return [line for line in said if line["event"] == event]

    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_a_request_is_one_story_from_the_door_to_the_tools_and_the_channel(tmp_path):
    async with Receiver.open() as hook, Receiver.open() as tools:
        hook.script(503)
        environment = {
            "SSA_ENV": "development",
            "DEFAULT_WEBHOOK_URL": hook.url,
            "MCP_SERVICENOW_URL": f"{tools.url}/mcp",
            "INTEGRATION_DEFAULTS_WEBHOOK_RETRY_DELAY_SECONDS": "1",
        }
        async with Process.open(tmp_path, SSA, environment) as house, aiohttp.ClientSession(house.url) as http:
            accepted, trace = await ask_later(http, "show my laptop")
            [called, *_] = await tools.wait_for(1)
            first, second = await hook.wait_for(2)
        lines = [json.loads(line) for line in (tmp_path / "stderr.log").read_text().splitlines() if line[:1] == "{"]

    sent = [request.headers["traceparent"] for request in (called, first, second)]
    assert {trace[3:35], *(traceparent[3:35] for traceparent in sent)} == {TRACE}
    assert len({TOLD["traceparent"], trace, *sent}) == 5  # each part has an id of its own
    [failed] = [line for line in lines if line["event"] == "delivery.attempt_failed"]
    assert (failed["trace_id"], failed["request_id"], failed["session_id"]) == (
        TRACE, accepted["request_id"], accepted["session_id"],
    )  # fmt: skip


async def test_the_trace_is_kept_with_the_request_and_with_its_events(houses):
    house = await houses()

    answer = await house.ask("hello", headers=TOLD | {"prefer": "respond-async"}, body={"delivery": {"mode": "both"}})
    extension = await eventually(lambda: house.value(EXTENSION, events.INTEGRATION_DISPATCHER))

    assert await house.value(STORED) == extension == answer.headers["traceresponse"]
    assert extension[3:35] == TRACE


async def test_every_event_of_a_request_carries_its_trace(house):
    await house.platform.pools.durable.execute(REMEMBER_EVENTS)

    answer = await house.ask("hello", headers=TOLD, body={"delivery": {"mode": "both"}})
    seen = await house.rows("SELECT type, extensions FROM seen ORDER BY type")

    extensions = [json.loads(event["extensions"]) for event in seen]
    assert [event["type"] for event in seen] == [
        events.RESPONSE_READY, events.REQUEST_COMPLETED, events.REQUEST_CREATED
    ]  # fmt: skip
    assert {each["traceparent"] for each in extensions} == {answer.headers["traceresponse"]}
    assert {each["requestid"] for each in extensions} == {answer.json()["request_id"]}
    assert {each["sessionid"] for each in extensions} == {answer.json()["session_id"]}


async def test_a_trace_that_is_none_is_replaced(house):
    answer = await house.ask("hello", headers={"traceparent": f"00-{TRACE}-0000000000000000-01"})

    assert answer.headers["traceresponse"] == await house.value(STORED)
    assert TRACE not in answer.headers["traceresponse"]


async def test_a_turn_that_fails_says_whose_it_is(houses, logged):
    house = await houses(conversations=opening(FailingOnce()))

    answer = await house.ask("hello", headers=TOLD)
    [line] = logged("turns.attempt_failed")

    assert {name: line[name] for name in ("trace_id", "request_id", "session_id", "level")} == {
        "trace_id": TRACE,
        "request_id": answer.json()["request_id"],
        "session_id": answer.json()["session_id"],
        "level": "warning",
    }


async def test_what_requests_lead_to_is_counted(house):
    before = await shown(house)

    first = await house.ask("hello")
    await house.ask("hello", headers={"idempotency-key": "again"})
    await house.ask("hello", headers={"idempotency-key": "again"})
    after = await shown(house)

    def grown(name, **labels):
        return after[sample(name, **labels)] - before.get(sample(name, **labels), 0)

    assert first.status_code == 200
    assert grown("ssa_requests_accepted_total", integration_type="WEB") == 2
    assert (grown("ssa_sessions_created_total"), grown("ssa_sessions_updated_total")) == (1, 1)
    assert grown("ssa_turns_total", outcome="completed") == 2
    assert grown("ssa_events_published_total", type=events.REQUEST_CREATED, outcome="success") == 2
    assert grown("ssa_events_published_total", type=events.RESPONSE_READY, outcome="success") == 2
    assert grown("ssa_events_handled_total", consumer=events.AGENT_SERVICE) == 2
    assert grown("ssa_events_handled_total", consumer=events.REQUEST_MANAGER) == 2
    processing = {"integration_type": "WEB", "outcome": "completed"}
    assert grown("ssa_request_processing_seconds_count", **processing) == 2
    assert 0 < grown("ssa_request_processing_seconds_sum", **processing) < 10
    assert after[sample("ssa_build_info", service="house", version="0")] == 1
    assert after[sample("ssa_database_up")] == 1


async def test_refusals_are_counted_by_door_and_reason(house):
    before = await shown(house)

    await house.client.post("/api/v1/requests/web", json={}, headers={"authorization": "Bearer nobody"})
    await house.ask("hello", body={"user_id": "john.doe"})
    await house.client.post("/api/v1/requests/slack", content=b"{}")
    await house.ask("")
    after = await shown(house)

    refusals = {
        labels: after[labels] - before.get(labels, 0) for labels in after if labels[0].endswith("refusals_total")
    }
    assert {labels: count for labels, count in refusals.items() if count} == {
        sample("ssa_authentication_refusals_total", door="web", reason="unauthenticated"): 1,
        sample("ssa_authentication_refusals_total", door="web", reason="forbidden"): 1,
        sample("ssa_authentication_refusals_total", door="slack", reason="unauthenticated"): 1,
    }


async def test_a_turn_that_fails_is_counted_apart(houses):
    house = await houses(conversations=opening(FailingOnce()))
    before = await shown(house)

    await house.ask("hello")
    after = await shown(house)

    for outcome in ("tried_again", "completed"):
        labels = sample("ssa_turns_total", outcome=outcome)
        assert after[labels] - before.get(labels, 0) == 1


async def test_an_event_that_cannot_be_handled_is_counted_and_its_line_says_whose_it_is(house, logged):
    before = await shown(house)
    extensions = json.dumps(TOLD | {"requestid": "r", "sessionid": "s"})
    await house.rows(
        "INSERT INTO event_inbox (consumer, source, event_id, type, partition_key, extensions, time, data)"
        " VALUES ($1, 'test', 'e', $2, 's', $3, now(), '{}')",
        events.REQUEST_MANAGER, events.RESPONSE_READY, extensions,
    )  # fmt: skip
    house.platform.bus.published(events.RESPONSE_READY)

    await eventually(lambda: house.value("SELECT true FROM event_inbox WHERE state = 'dead'"))
    [line] = await eventually(lambda: as_soon_as(logged, "events.dead_lettered"))
    after = await shown(house)

    assert (line["trace_id"], line["request_id"], line["session_id"]) == (TRACE, "r", "s")
    labels = sample("ssa_events_dead_lettered_total", consumer=events.REQUEST_MANAGER)
    assert after[labels] - before.get(labels, 0) == 1


async def test_the_age_of_each_queue_is_shown(houses):
    house = await houses(agents=False)
    await house.ask("hello", headers={"prefer": "respond-async"})
    await house.platform.pools.durable.execute(OVERDUE)

    first = await shown(house)
    again = await shown(house)

    ages = {queue: first[sample("ssa_queue_oldest_age_seconds", queue=queue)] for queue in QUEUES}
    assert 0 < ages["events/agent-service"] < 60
    assert ages["events/request-manager"] == 0
    assert 90 <= ages["turns"] < 150
    assert 60 <= ages["deliveries"] < 120
    assert {queue: again[sample("ssa_queue_oldest_age_seconds", queue=queue)] for queue in QUEUES} == ages


async def test_a_database_that_is_away_is_shown_as_such(database):
    async with open_pools(database, size=2) as pools, EmbeddedBus(pools, Notifier(), events.SUBSCRIPTIONS).running():
        up = await metrics.shown()
        await pools.relaxed.close()
    async with open_pools(database, size=2) as pools, EmbeddedBus(pools, Notifier(), events.SUBSCRIPTIONS).running():
        await pools.relaxed.close()
        down = await metrics.shown()

    assert b"ssa_database_up 1.0" in up
    assert b"ssa_database_up 0.0" in down
    assert b'ssa_queue_oldest_age_seconds{queue="turns"} NaN' in down


async def ask_later(http, content):
    """Ask to be answered on the webhook and return what was accepted, and its trace."""
    body = {"user_id": "alice.johnson", "content": content, "delivery": {"mode": "channels", "channels": ["WEBHOOK"]}}
    headers = TOLD | {"authorization": "Bearer alice.johnson", "prefer": "respond-async"}
    async with http.post("/api/v1/requests/web", json=body, headers=headers) as answer:
        assert answer.status == 202
        return await answer.json(), answer.headers["traceresponse"]


async def shown(house):
    """Return the samples of the metrics page by their name and labels."""
    text = (await house.client.get("/metrics")).text
    return {
        sample(each.name, **each.labels): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def sample(name, **labels):
    return name, frozenset(labels.items())


async def as_soon_as(logged, event):
    return logged(event)


def opening(taker):
    @asynccontextmanager
    async def opened(_platform):
        yield taker

    return opened
