"""What a trial leaves behind, in the database and at the peers, and whether every promise was kept."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import asyncpg
import orjson

from self_service_agent.kit.database import Address, Connection
from tests.faults.client import Client, Exchange
from tests.faults.peers import Peers
from tests.faults.people import ORDERED, is_right

_PATIENCE = 40.0
_GLANCE = 0.01

_OPEN = """
    SELECT (SELECT count(*) FROM request_logs WHERE status NOT IN ('completed', 'failed'))
        AS requests,
        (SELECT count(*) FROM turns WHERE status NOT IN ('done', 'failed') OR lease_token IS NOT NULL) AS turns,
        (SELECT count(*) FROM event_inbox WHERE state = 'ready') AS events,
        (SELECT count(*) FROM delivery_logs WHERE status IN ('PENDING', 'RETRYING') OR lease_token IS NOT NULL)
        AS deliveries,
        (SELECT count(*) FROM delivery_attempts WHERE outcome = 'started') AS attempts
"""
_REQUESTS = """
    SELECT l.request_id, l.session_id, l.sequence, l.status, l.response_content, l.idempotency_key, l.completed_at,
        t.status AS turn, t.attempts AS taken, t.finished_at,
        (SELECT count(*) FROM witnessed_answers w WHERE w.request_id = l.request_id) AS answers
    FROM request_logs l LEFT JOIN turns t USING (request_id) ORDER BY l.session_id, l.sequence
"""
_DELIVERIES = """
    SELECT d.delivery_id, d.request_id, d.session_id, d.integration_type, d.status, d.error_message,
        (SELECT count(*) FROM delivery_attempts a WHERE a.delivery_id = d.delivery_id) AS attempts
    FROM delivery_logs d ORDER BY d.id
"""
_CALLS = "SELECT key, request_id, state, result, attempts FROM tool_calls"
_LOST = "SELECT count(*) FROM event_inbox WHERE state = 'dead'"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One delivery as a peer saw it: under which idempotency id, for which request."""

    channel: str
    idempotency_id: str
    request_id: str
    session_id: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The numbers of a trial; `struck` holds how many requests were accepted and unanswered at each kill."""

    requests: int
    struck: tuple[int, ...]
    answers: int
    tickets: int
    deliveries: int
    repeats: int
    retaken: int
    recalled: int

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {len(self.struck)} kills (with {min(self.struck)} to {max(self.struck)} "
            f"requests in flight), {self.answers} answers, {self.tickets} tickets, {self.deliveries} deliveries; "
            f"struck and done again: {self.retaken} turns, {self.recalled} tool calls, {self.repeats} deliveries"
        )


async def gathered(address: Address, peers: Peers, client: Client, *, struck: Sequence[int]) -> Summary:
    """Wait until nothing is open, check everything and return the numbers."""
    connection = await address.connect()
    try:
        await _quiet(connection)
        requests = await connection.fetch(_REQUESTS)
        deliveries = await connection.fetch(_DELIVERIES)
        calls = await connection.fetch(_CALLS)
        assert await connection.fetchval(_LOST) == 0
    finally:
        await connection.close()
    receipts = list(_receipts(peers))
    check_answers(requests, client)
    check_order(requests, client)
    check_tickets(calls, peers, client.exchanges)
    check_deliveries(deliveries, receipts, client.exchanges)
    check_delivery_order(requests, receipts)
    return Summary(
        requests=len(client.exchanges),
        struck=tuple(struck),
        answers=sum(row["answers"] for row in requests),
        tickets=len(calls),
        deliveries=len(deliveries),
        repeats=len(receipts) - len(deliveries),
        retaken=sum(row["taken"] - 1 for row in requests),
        recalled=sum(call["attempts"] - 1 for call in calls),
    )


async def _quiet(connection: Connection) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            while any(dict(await connection.fetchrow(_OPEN)).values()):  # the other process sends no event
                await asyncio.sleep(_GLANCE)
    except TimeoutError:
        left = dict(await connection.fetchrow(_OPEN))
        raise AssertionError(f"still open: {left}") from None


def check_answers(requests: Sequence[asyncpg.Record], client: Client) -> None:
    """Every accepted request has one answer, the right one, and it is what its sender was told."""
    rows = {row["idempotency_key"]: row for row in requests}
    assert len(rows) == len(requests)
    assert rows.keys() == {each.key for each in client.exchanges}
    for each in client.exchanges:
        row = rows[each.key]
        assert (row["request_id"], row["response_content"]) == (each.request_id, each.answer)
        assert (row["status"], row["turn"], each.status) == ("completed", "done", "completed"), (each, dict(row))
        assert row["answers"] == 1, each
        assert is_right(each.asked, each.answer), each


def check_order(requests: Sequence[asyncpg.Record], client: Client) -> None:
    """Within a session, requests are answered in the order in which they were accepted."""
    accepted = {request_id: place for place, request_id in enumerate(client.accepted)}
    for earlier, later in pairwise(requests):
        if earlier["session_id"] != later["session_id"]:
            continue
        assert accepted[earlier["request_id"]] < accepted[later["request_id"]]
        assert earlier["finished_at"] <= later["finished_at"]
        assert earlier["completed_at"] <= later["completed_at"]


def check_tickets(calls: Sequence[asyncpg.Record], peers: Peers, exchanges: Iterable[Exchange]) -> None:
    """Every yes has one order in ServiceNow, whose number its sender was told."""
    told = {each.request_id: each for each in exchanges if each.asked == "yes"}
    orders = {order.correlation_id: order for order in peers.book.orders}
    assert len(peers.book.orders) == len(orders) == len(told)
    assert sorted(call["request_id"] for call in calls) == sorted(told)
    bought = Counter(order.requested_for for order in peers.book.orders)
    assert set(bought.values()) <= {1}
    for call in calls:
        order, exchange = orders[call["key"]], told[call["request_id"]]
        number = ORDERED.search(exchange.answer)[1]
        assert (call["state"], orjson.loads(call["result"])["request_number"]) == ("confirmed", order.number)
        assert number == order.number
        assert order.variables["laptop_choices"]


def check_deliveries(
    deliveries: Sequence[asyncpg.Record], receipts: Sequence[Receipt], exchanges: Iterable[Exchange]
) -> None:
    """Every answer reached every channel it was to go to, at most once per attempt, always under the same id."""
    wanted = {(each.request_id, channel) for each in exchanges for channel in each.channels}
    assert {(row["request_id"], row["integration_type"]) for row in deliveries} == wanted
    assert len(deliveries) == len(wanted)
    received: dict[tuple[str, str], list[str]] = defaultdict(list)
    for receipt in receipts:
        received[receipt.request_id, receipt.channel].append(receipt.idempotency_id)
    assert received.keys() == wanted
    for row in deliveries:
        ids = received[row["request_id"], row["integration_type"]]
        assert (row["status"], row["error_message"]) == ("DELIVERED", None), row["attempts"]
        assert set(ids) == {row["delivery_id"]}
        assert 1 <= len(ids) <= row["attempts"]


def check_delivery_order(requests: Sequence[asyncpg.Record], receipts: Sequence[Receipt]) -> None:
    """On each channel, the answers of a session first arrive in their order."""
    place = {row["request_id"]: row["sequence"] for row in requests}
    arrived: dict[tuple[str, str], list[str]] = defaultdict(list)
    for receipt in receipts:
        thread = arrived[receipt.session_id, receipt.channel]
        if receipt.request_id not in thread:
            thread.append(receipt.request_id)
    for thread in arrived.values():
        assert thread == sorted(thread, key=place.__getitem__)


def _receipts(peers: Peers) -> Iterable[Receipt]:
    for mail in peers.mailbox.mails:
        yield Receipt(
            channel="EMAIL",
            idempotency_id=mail.headers["Message-ID"].removeprefix("<").rpartition("@")[0],
            request_id=mail.headers["X-Request-ID"],
            session_id=mail.headers["X-Session-ID"],
        )
    for hook in peers.receiver.received:
        yield Receipt(
            channel="WEBHOOK",
            idempotency_id=hook.headers["webhook-id"],
            request_id=hook.headers["X-Request-ID"],
            session_id=hook.headers["X-Session-ID"],
        )
