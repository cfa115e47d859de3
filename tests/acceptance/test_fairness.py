"""A caller with hundreds of open requests does not hold up one with a single request."""

import asyncio

from self_service_agent.kit.ids import new_id
from self_service_agent.request_manager.requests.rules import wishes_of
from self_service_agent.shared_models.requests import WebRequest
from tests.acceptance.house import eventually

GREEDY, MODEST = "alice.johnson", "john.doe"
CROWD = 300


async def test_the_modest_one_is_answered_among_the_first(house):
    gate = house.taker.hold("more 0")
    answered = []

    async def ask(content, user):
        answer = await house.ask(content, user=user)
        answered.append(user)
        return answer.status_code

    crowd = [asyncio.ensure_future(ask(f"more {number}", GREEDY)) for number in range(CROWD)]
    await eventually(lambda: house.value("SELECT count(*) = $1 FROM request_logs", CROWD))
    gate.set()
    modest = await ask("one", MODEST)
    statuses = await asyncio.gather(*crowd)

    assert (modest, set(statuses)) == (200, {200})
    assert len(answered) == CROWD + 1
    assert answered.index(MODEST) < 64


async def test_the_modest_one_is_stored_among_the_first(house):
    """Requests line up by person before they are stored, and the persons take turns."""
    doors = house.app.state.request_manager

    async def accept(content, login):
        user = await doors.authentication.user_named(login)
        request = WebRequest(user_id=login, content=content)
        new = doors.requests.prepare(request, user, wishes_of({"prefer": "respond-async"}, {}), request_id=new_id())
        return await doors.requests.accept(new)

    await asyncio.gather(*(accept("hello", user) for user in (GREEDY, MODEST)))
    crowd = [accept(f"more {number}", GREEDY) for number in range(CROWD)]
    stored = await asyncio.gather(*crowd, accept("one", MODEST))

    place = await house.value(
        "SELECT count(*) FROM request_logs WHERE id < (SELECT id FROM request_logs WHERE request_id = $1)",
        stored[-1].request_id,
    )
    assert place < 2 + 64 + 64
