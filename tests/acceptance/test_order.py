"""Messages of a session are answered in order; sessions do not wait for each other."""

import asyncio

from tests.acceptance.house import gather_ordered


async def test_simultaneous_messages_of_a_session_are_all_answered_in_order(house):
    asked = [house.ask(f"message {number}") for number in range(4)]

    answers = [answer.json() for answer in await gather_ordered(*asked)]

    assert sorted(answer["response"]["content"] for answer in answers) == [f"echo: message {n}" for n in range(4)]
    assert len({answer["session_id"] for answer in answers}) == 1
    rows = await house.rows("SELECT sequence, request_content FROM request_logs ORDER BY sequence")
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4]
    assert [row["request_content"] for row in rows] == house.taker.taken


async def test_a_turn_begins_only_when_the_one_before_has_ended(house):
    gate = house.taker.hold("first")
    first = asyncio.ensure_future(house.ask("first"))
    await house.taker.begun["first"].wait()
    others = [asyncio.ensure_future(house.ask(f"later {number}")) for number in range(3)]
    neighbour = await house.ask("elsewhere", user="john.doe")
    taken_meanwhile = list(house.taker.taken)
    gate.set()
    answers = await asyncio.gather(first, *others)

    assert neighbour.status_code == 200
    assert taken_meanwhile == ["elsewhere"]
    assert house.taker.taken[1] == "first"
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_one_slow_session_holds_up_no_other_of_a_hundred(house):
    gate = house.taker.hold("question 0")
    asked = [asyncio.ensure_future(house.ask(f"question {n}", user=f"person-{n}")) for n in range(100)]

    answers = await asyncio.gather(*asked[1:])
    slow_was_waiting = not asked[0].done()
    gate.set()
    slow = await asked[0]

    assert [answer.json()["response"]["content"] for answer in answers] == [
        f"echo: question {n}" for n in range(1, 100)
    ]
    assert slow_was_waiting
    assert slow.json()["response"]["content"] == "echo: question 0"
    assert len(house.taker.taken) == 100
