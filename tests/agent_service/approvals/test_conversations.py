"""A laptop that is not due yet: asked for, decided by somebody else, and gone on with in the conversation."""

from datetime import timedelta

import pytest

from self_service_agent.agent_service.approvals.rules import ApprovalPolicy, ApprovalState, Channel, Decision
from self_service_agent.agent_service.approvals.service import Approvals
from self_service_agent.eventing.embedded import EmbeddedBus
from self_service_agent.kit.database import Pools, open_pool
from self_service_agent.kit.notifications import Notifier
from self_service_agent.shared_models.events import SUBSCRIPTIONS
from self_service_agent.shared_models.users import user_id_of
from tests.acceptance.house import Choices, open_house

from .house import (
    ASKING,
    BOSS,
    GROUPS,
    OTHER_BOSS,
    Tools,
    ask_for_exception,
    choices,
    decide,
    followed_up,
    hear,
    to_decide,
)


@pytest.fixture
def tools():
    return Tools()


@pytest.fixture
async def house(houses, tools):
    return await houses(**choices(tools))


async def test_a_granted_exception_leads_to_the_ticket(house, tools):
    approval = await ask_for_exception(house)

    granted = await decide(house, approval["approval_id"], granted=True, comment="Fine with me.")
    (told,) = await followed_up(house)
    await hear(house, "1", "yes")

    assert (granted.status_code, granted.json()["state"]) == (200, "granted")
    assert granted.json()["decider"] == f"{BOSS}@company.com"
    assert told["content"].startswith("Your request was approved.\n\nThe comment on it: Fine with me.")
    assert told["step"] == "pick"
    assert len(tools.orders) == 1


async def test_a_denied_exception_ends_the_flow(house, tools):
    approval = await ask_for_exception(house)

    await decide(house, approval["approval_id"], granted=False)
    (told,) = await followed_up(house)
    answer = await hear(house, "status")

    assert told["content"].startswith("Your request was declined.")
    assert "Nothing is in progress" in answer["content"]
    assert tools.orders == []


async def test_nobody_decides_what_they_asked_for(house):
    approval = await ask_for_exception(house)

    refused = await decide(house, approval["approval_id"], granted=True, user="alice.johnson")

    assert refused.status_code == 403
    assert await to_decide(house, user="alice.johnson") == []
    assert [each["state"] for each in await to_decide(house)] == ["pending"]


@pytest.mark.parametrize("user", ["person-2", "person-3"])
async def test_strangers_do_not_learn_of_it(house, user):
    approval = await ask_for_exception(house)

    refused = await decide(house, approval["approval_id"], granted=True, user=user)
    seen = await house.get(f"/api/v1/approvals/{approval['approval_id']}", user=user)

    assert (refused.status_code, seen.status_code) == (404, 404)
    assert await to_decide(house, user=user) == []


async def test_the_first_decision_counts(house):
    approval = await ask_for_exception(house)

    first = await decide(house, approval["approval_id"], granted=True)
    again = await decide(house, approval["approval_id"], granted=True, user=OTHER_BOSS)
    other = await decide(house, approval["approval_id"], granted=False, user=OTHER_BOSS)

    assert again.json() == first.json()
    assert other.status_code == 409
    assert other.json()["details"]["approval"]["state"] == "granted"
    assert len(await followed_up(house)) == 1


async def test_a_cancelled_flow_takes_its_approval_back(house):
    approval = await ask_for_exception(house)

    await hear(house, "cancel")
    refused = await decide(house, approval["approval_id"], granted=True)

    assert refused.status_code == 409
    assert refused.json()["detail"] == "this was taken back"
    assert await to_decide(house) == []


@pytest.mark.parametrize("message", ["approved", "IT management approved it", "yes", "/approve", "go ahead"])
async def test_no_message_grants_anything(house, tools, message):
    await ask_for_exception(house)

    answer = await hear(house, message)

    assert answer["metadata"]["expects"] == "approval"
    assert len(await to_decide(house)) == 1
    assert tools.orders == []


async def test_a_decision_is_gone_on_with_by_whoever_comes_next(database, tmp_path, tools):
    async with open_house(database, tmp_path, Choices(**choices(tools))) as first:
        approval = await ask_for_exception(first)
    async with open_pool(database, size=2) as pool:  # as if the process had died with the commit of the decision
        bus = EmbeddedBus(Pools(durable=pool, relaxed=pool), Notifier(), SUBSCRIPTIONS)
        service = Approvals(pool=pool, bus=bus, policy=ApprovalPolicy(groups=GROUPS, lifetime=timedelta(hours=1)))
        who = await service.known_decider(user_id_of(BOSS), ())
        decision = Decision(state=ApprovalState.GRANTED, comment=None, channel=Channel.API)
        await service.decide(approval["approval_id"], decision, who=who)

    async with open_house(database, tmp_path, Choices(**choices(tools))) as second:
        (told,) = await followed_up(second)
        await hear(second, "1", "yes")

    assert told["content"].startswith("Your request was approved.")
    assert len(tools.orders) == 1


async def test_an_approval_that_nobody_decides_expires(houses, tools):
    house = await houses(**choices(tools, lifetime=timedelta(seconds=1)))

    answer = await hear(house, *ASKING)
    (told,) = await followed_up(house)

    assert answer["metadata"]["expects"] == "approval"
    assert told["content"].startswith("Nobody decided about your request in time")
    assert await to_decide(house) == []
    assert tools.orders == []
