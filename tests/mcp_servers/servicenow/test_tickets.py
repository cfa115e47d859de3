"""The tools for any catalogue item, tickets and comments: once per key, and one's own only."""

import asyncio

import pytest

from self_service_agent.connectors.mcp.protocol import ToolInDoubt, ToolRefused, ToolUnavailable
from tests.mcp_servers.servicenow.house import ALICE, BRIAN, a_house


async def request(house, *, subject=ALICE, **changes):
    arguments = {
        "catalog_item": "access-request",
        "variables": {"system": "crm", "role": "crm-reader"},
        "justification": "I need it",
        "idempotency_key": "k1",
        **changes,
    }
    return await house.call("open_service_request", subject=subject, **arguments)


async def comment(house, *, subject=ALICE, **changes):
    arguments = {"number": "REQ0010001", "comment": "Please hurry", "idempotency_key": "c1", **changes}
    return await house.call("add_ticket_comment", subject=subject, **arguments)


async def test_a_profile_names_the_manager():
    async with a_house() as house:
        profile = await house.call("get_my_profile")

    assert (profile["login"], profile["manager_email"]) == ("alice.johnson", BRIAN)


async def test_a_request_is_opened_once_per_key_for_whom_the_credential_names():
    async with a_house() as house:
        opened = await asyncio.gather(*(request(house) for _ in range(5)))
        found = await house.call("find_service_request", idempotency_key="k1")
        [order] = house.book.orders

    assert sorted(each["duplicate"] for each in opened) == [False] + [True] * 4
    assert found == {"request_number": "REQ0010001"}
    assert (order.item_id, order.requested_for) == ("access-request", "1001")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"catalog_item": "../sys_user"}, id="no item's name"),
        pytest.param({"variables": {"who_is_this_request_for": "1002"}}, id="for somebody else"),
        pytest.param({"variables": {"correlation_id": "k2"}}, id="under another key"),
        pytest.param({"variables": {"System": "crm"}}, id="no variable's name"),
        pytest.param({"variables": {"system": "x" * 4001}}, id="too long"),
        pytest.param({"variables": {"system": "crm"}}, id="a mandatory variable is missing"),
        pytest.param({"idempotency_key": "k^x=1"}, id="a key that would add a condition"),
        pytest.param({"subject": "natalia.rojas@company.com"}, id="a leaver"),
    ],
)
async def test_what_may_not_be_requested_is_refused(changes):
    async with a_house() as house:
        with pytest.raises(ToolRefused):
            await request(house, **changes)

        assert house.book.orders == ()


@pytest.mark.parametrize(
    ("fault", "kind"), [("cart_next", ToolRefused), ("fail_next", ToolUnavailable)], ids=["two-step checkout", "down"]
)
async def test_what_was_not_ordered_is_said_so(fault, kind):
    async with a_house() as house:
        setattr(house.faults, fault, 1)
        with pytest.raises(kind):
            await request(house)

        assert house.book.orders == ()
        assert (await request(house))["duplicate"] is False


async def test_an_answer_that_was_lost_is_found_again():
    async with a_house() as house:
        house.faults.lose_next = 1
        opened = await request(house)
        house.faults.lose_next = 1
        written = await comment(house)

        assert (opened["duplicate"], written["duplicate"]) == (False, False)
        assert (len(house.book.orders), len(house.journal.comments)) == (1, 1)


async def test_a_comment_that_cannot_be_looked_up_is_in_doubt_and_settled_by_the_same_call():
    async with a_house() as house:
        await request(house)
        house.faults.lose_next, house.faults.spare_next, house.faults.fail_next = 1, 4, 1
        with pytest.raises(ToolInDoubt):
            await comment(house)

        settled = await comment(house)
        assert (settled, len(house.journal.comments)) == ({"number": "REQ0010001", "duplicate": True}, 1)


async def test_a_comment_is_written_once_per_key_and_read_without_it():
    async with a_house() as house:
        await request(house)
        written = [await comment(house) for _ in range(3)]
        ticket = await house.call("get_my_ticket", number=" req0010001 ")
        found = await house.call("find_ticket_comment", idempotency_key="c1")
        foreign = await house.call("find_ticket_comment", idempotency_key="c1", subject=BRIAN)

    assert [each["duplicate"] for each in written] == [False, True, True]
    assert [each["text"] for each in ticket["comments"]] == ["Please hurry"]
    assert (found, foreign) == ({"number": "REQ0010001"}, {"number": None})


@pytest.mark.parametrize("number", ["REQ0010001", "RITM0010001", "REQ9999999", "REQ1^ORnumber=x", "x"])
async def test_tickets_of_others_cannot_be_seen_or_commented(number):
    async with a_house() as house:
        await request(house)
        for tool, more in (("get_my_ticket", {}), ("add_ticket_comment", {"comment": "x", "idempotency_key": "c1"})):
            with pytest.raises(ToolRefused):
                await house.call(tool, subject=BRIAN, number=number, **more)

        assert await house.call("list_my_tickets", subject=BRIAN) == {"tickets": []}
        assert house.journal.comments == ()


async def test_tickets_are_listed_newest_first():
    async with a_house() as house:
        for key in ("k1", "k2", "k3"):
            await request(house, idempotency_key=key)
        listed = await house.call("list_my_tickets")

    assert [each["number"] for each in listed["tickets"]] == ["REQ0010003", "REQ0010002", "REQ0010001"]
