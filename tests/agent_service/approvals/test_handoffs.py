"""A person takes a conversation over, answers in it, and gives it back."""

import pytest

from tests.acceptance.house import as_person

from .house import BOSS, Tools, choices, followed_up, hear

OPERATOR = "web-admin"


@pytest.fixture
async def house(houses):
    return await houses(**choices(Tools()))


async def handed_over(house):
    """Bring a conversation to a person in the middle of a flow, and return the hand-off."""
    await hear(house, "I need a new laptop", "how often is a laptop replaced?")
    answer = await hear(house, "human")
    assert answer["metadata"]["mode"] == "human"
    (handoff,) = (await house.get("/api/v1/handoffs", user=OPERATOR)).json()["handoffs"]
    return handoff


async def do(house, handoff, what, body=None, *, user=OPERATOR, **headers):
    path = f"/api/v1/handoffs/{handoff['handoff_id']}/{what}"
    return await house.client.post(path, json=body, headers=as_person(user) | headers)


@pytest.fixture
async def staffed(house):
    """The house, whose web-admin is an administrator."""
    known = house.app.state.caller_of

    async def caller_of(request):
        caller = await known(request)
        is_admin = request.headers.get("authorization") == f"Bearer {OPERATOR}"
        return type(caller)(
            user_id=caller.user_id, login=caller.login, email=caller.email, scopes=caller.scopes,
            roles=caller.roles | ({"operator"} if is_admin else set()),
        )  # fmt: skip

    house.app.state.caller_of = caller_of
    return house


async def test_a_person_answers_and_the_agent_goes_on_where_it_stood(staffed):
    handoff = await handed_over(staffed)

    claimed = await do(staffed, handoff, "claim")
    said = await do(staffed, handoff, "reply", {"content": "Hello, this is the help desk."})
    (told,) = await followed_up(staffed)
    meanwhile = await hear(staffed, "thank you")
    await do(staffed, handoff, "return")
    back = (await followed_up(staffed, 2))[1]

    assert (claimed.status_code, claimed.json()["state"]) == (200, "claimed")
    assert said.status_code == 202
    assert told["content"] == "Hello, this is the help desk."
    stored = await staffed.rows(
        "SELECT agent_id, response_metadata ->> 'mode' AS mode FROM request_logs WHERE request_id = $1",
        said.json()["request_id"],
    )
    assert stored == [{"agent_id": f"{OPERATOR}@company.com", "mode": "human"}]
    assert meanwhile["content"].startswith("A person has this conversation")
    assert back["content"].startswith(f"{OPERATOR}@company.com has handed the conversation back to me.")
    assert back["step"] is not None


async def test_whoever_takes_over_knows_what_was_said(staffed):
    handoff = await handed_over(staffed)

    await hear(staffed, "are you there?")
    detail = (await staffed.get(f"/api/v1/handoffs/{handoff['handoff_id']}", user=OPERATOR)).json()

    packet = detail["packet"]
    assert [each["said"] for each in packet["transcript"]][:2] == [
        "I need a new laptop", "how often is a laptop replaced?",
    ]  # fmt: skip
    assert packet["transcript"][1]["citations"]
    assert packet["slots"]["employee"]["employee_name"] == "Alice Johnson"
    assert packet["who"]["login"] == "alice.johnson"
    assert detail["messages"][-1]["said"] == "are you there?"


async def test_who_says_back_has_the_agent_again(staffed):
    handoff = await handed_over(staffed)
    await do(staffed, handoff, "claim")

    answer = await hear(staffed, "back")
    late = await do(staffed, handoff, "reply", {"content": "Hello?"})

    assert answer["metadata"]["mode"] == "agent"
    assert late.status_code == 409
    assert late.json()["detail"] == "the conversation is the agent's again"
    assert (await staffed.get("/api/v1/handoffs", user=OPERATOR)).json()["handoffs"] == []


async def test_a_settled_matter_is_not_gone_on_with(staffed):
    handoff = await handed_over(staffed)
    await do(staffed, handoff, "claim")

    first, again = await do(staffed, handoff, "close"), await do(staffed, handoff, "close")
    (told,) = await followed_up(staffed)
    answer = await hear(staffed, "status")

    assert first.json() == again.json()
    assert "has settled this" in told["content"]
    assert "Nothing is in progress" in answer["content"]


async def test_only_staff_and_only_who_claimed_it_has_it_in_hand(staffed):
    handoff = await handed_over(staffed)

    stranger = await do(staffed, handoff, "claim", user=BOSS)
    unclaimed = await do(staffed, handoff, "reply", {"content": "Hi"})
    listed = await staffed.get("/api/v1/handoffs", user="alice.johnson")

    assert (stranger.status_code, unclaimed.status_code, listed.status_code) == (403, 409, 403)


async def test_a_key_is_good_for_one_reply_only(staffed):
    handoff = await handed_over(staffed)
    await do(staffed, handoff, "claim")
    await do(staffed, handoff, "reply", {"content": "Hi"}, **{"idempotency-key": "k"})

    other = await do(staffed, handoff, "reply", {"content": "Bye"}, **{"idempotency-key": "k"})
    await do(staffed, handoff, "close")
    late = await do(staffed, handoff, "reply", {"content": "Bye"}, **{"idempotency-key": "k"})

    assert (other.status_code, late.status_code) == (422, 422)
    assert other.json()["detail"] == "This Idempotency-Key was used before, for a different reply."
    assert "Bye" not in {each["content"] for each in await followed_up(staffed, 2)}


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside"])
async def test_an_unusable_key_is_refused(staffed, key):
    handoff = await handed_over(staffed)
    await do(staffed, handoff, "claim")

    answer = await do(staffed, handoff, "reply", {"content": "Hi"}, **{"idempotency-key": key})

    assert answer.status_code == 400, answer.text


async def test_a_reply_that_is_repeated_is_said_once(staffed):
    handoff = await handed_over(staffed)
    await do(staffed, handoff, "claim")

    said = [await do(staffed, handoff, "reply", {"content": "Hi"}, **{"idempotency-key": "k"}) for _ in range(3)]

    assert len({each.json()["request_id"] for each in said}) == 1
    assert len(await followed_up(staffed)) == 1
