import asyncio
from datetime import UTC, datetime

import pytest

from self_service_agent.doubles.servicenow.files import BrokenStateFile
from self_service_agent.doubles.servicenow.orders import OrderBook

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def place(book, key="k1"):
    variables = {"laptop_choices": "x", "who_is_this_request_for": "1001", "correlation_id": key}
    return book.record(item_id="laptop-refresh", quantity=1, variables=variables, now=NOON)


async def test_orders_are_numbered_one_after_the_other():
    book = OrderBook()

    placed = await asyncio.gather(*(place(book, key) for key in "abc"))

    assert [order.number for order in placed] == ["REQ0010001", "REQ0010002", "REQ0010003"]
    assert book.orders == tuple(placed)


async def test_a_repeated_key_is_not_recognised():
    book = OrderBook()

    await place(book)
    await place(book)

    assert [order.correlation_id for order in book.orders] == ["k1", "k1"]


async def test_orders_survive_a_restart(tmp_path):
    path = tmp_path / "orders.jsonl"
    first = await place(OrderBook(path))

    book = OrderBook(path)
    second = await place(book)

    assert book.orders == (first, second)
    assert second.number == "REQ0010002"


async def test_a_torn_last_line_is_cut_off(tmp_path):
    path = tmp_path / "orders.jsonl"
    first = await place(OrderBook(path))
    with path.open("ab") as file:
        file.write(b'{"sys_id": "torn')

    book = OrderBook(path)
    second = await place(book)

    assert OrderBook(path).orders == book.orders == (first, second)


@pytest.mark.parametrize("damage", [b"damage", b"{}", b"\xff", b""])
async def test_damage_elsewhere_stops_the_start_by_file_and_line(tmp_path, damage):
    path = tmp_path / "orders.jsonl"
    await place(OrderBook(path))
    with path.open("ab") as file:
        file.write(damage + b"\n")

    with pytest.raises(BrokenStateFile, match=r"orders\.jsonl, line 2: not an order") as caught:
        OrderBook(path)

    assert (caught.value.path, caught.value.line) == (path, 2)
