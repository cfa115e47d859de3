"""The whole laptop refresh, as people go through it."""

from datetime import UTC, datetime

import pytest

from self_service_agent.agent_service.flows.tools import ToolRefused

from .conversation import LOOK_UP, ORDER, Conversation, ScriptedTools, a_laptop, an_employee, shipped, where

TO_THE_SUMMARY = ("hi, I need a new laptop", "the macbook")


async def test_a_person_who_is_due_gets_a_ticket():
    conversation = Conversation()

    offered = await conversation.say("hi, I need a new laptop")
    summed_up = await conversation.say("3")
    done = await conversation.say("yes")

    assert where(offered) == ("pick", "choice")
    assert [choice["id"] for choice in offered.envelope["choices"]] == [
        "emea-std-14",
        "emea-std-light",
        "emea-mac-air",
        "emea-wks-16",
    ]
    assert where(summed_up) == ("summary", "confirmation")
    assert summed_up.envelope["pending_confirmation"] == {
        "action": ORDER,
        "summary": "Apple MacBook Air 15 (emea-mac-air) for Alice Johnson, replacing Latitude 7420 (asset DL7420001)",
    }
    assert "REQ0001234" in done.content
    assert conversation.tools.orders == ["emea-mac-air"]


async def test_the_order_carries_the_key_and_the_reason():
    conversation = Conversation()

    await conversation.hear(*TO_THE_SUMMARY, "yes")

    tool, arguments, key = conversation.tools.calls[-1]
    assert (tool, arguments) == (
        ORDER,
        {
            "employee_name": "Alice Johnson",
            "business_justification": (
                "Due under the refresh policy: Latitude 7420 (asset DL7420001), standard, bought 2022-03-14, "
                "56 months old, refresh period 36 months"
            ),
            "servicenow_laptop_code": "emea-mac-air",
            "idempotency_key": key,
        },
    )


async def test_the_envelope_says_who_answered_and_how():
    conversation = Conversation()
    laptop_agent = shipped().current("laptop-refresh-agent")

    outcome = await conversation.say("I need a new laptop")

    choices = outcome.envelope.pop("choices")
    assert len(choices) == 4
    assert outcome.envelope == {
        "engine": "rules",
        "model": None,
        "understanding": "lexical",
        "definition": {"id": "laptop-refresh-agent", "version": "1.0", "digest": laptop_agent.digest},
        "agent_id": "laptop-refresh-agent",
        "flow": "laptop_refresh",
        "step": "pick",
        "mode": "agent",
        "expects": "choice",
        "pending_confirmation": None,
        "retrieval": None,
        "citations": [],
        "tool_calls": [{"name": LOOK_UP, "outcome": "succeeded"}],
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    assert outcome.pins == laptop_agent.digest


async def test_after_the_ticket_the_routing_agent_listens_again():
    conversation = Conversation()

    done = await conversation.hear(*TO_THE_SUMMARY, "yes")
    after = await conversation.say("thanks")

    assert (done.agent_id, done.next_agent_id, done.pins) == ("laptop-refresh-agent", "routing-agent", None)
    assert after.agent_id == "routing-agent"


@pytest.mark.parametrize("region", ["NA", "EMEA", "APAC", "LATAM"])
async def test_every_region_is_offered_all_of_its_own_models(region):
    rows = shipped().current("laptop-refresh-agent").tables["laptop_options"].rows
    conversation = Conversation(ScriptedTools(an_employee(region=region)))

    outcome = await conversation.say("I need a new laptop")

    expected = [row["code"] for row in rows if row["region"] == region]
    assert len(expected) >= 3
    assert [choice["id"] for choice in outcome.envelope["choices"]] == expected
    assert all(code in outcome.content for code in expected)


@pytest.mark.parametrize(
    ("laptop_class", "bought", "today", "eligible"),
    [
        pytest.param("standard", "2023-11-20", "2026-11-20", True, id="36 months to the day"),
        pytest.param("standard", "2023-11-21", "2026-11-20", False, id="a day short of 36 months"),
        pytest.param("standard", "2023-12-20", "2026-11-20", False, id="35 months"),
        pytest.param(
            "standard", "2024-02-29", "2027-02-28", True, id="bought on a leap day, due on the last of February"
        ),
        pytest.param("standard", "2024-02-29", "2027-02-27", False, id="bought on a leap day, a day early"),
        pytest.param("standard", "2021-02-28", "2024-02-28", True, id="due in a leap year"),
        pytest.param("high_performance", "2024-11-20", "2026-11-20", True, id="high-performance, 24 months"),
        pytest.param("high_performance", "2024-11-21", "2026-11-20", False, id="high-performance, a day short"),
        pytest.param("high_performance", "2024-12-20", "2026-11-20", False, id="high-performance, 23 months"),
        pytest.param("standard", "2024-11-20", "2026-11-20", False, id="24 months do not do for a standard one"),
        pytest.param("standard", "2027-01-01", "2026-11-20", False, id="bought in the future"),
    ],
)
async def test_eligibility_follows_the_policy(laptop_class, bought, today, *, eligible):
    laptop = a_laptop(laptop_class=laptop_class, purchase_date=bought)
    now = datetime.fromisoformat(today).replace(tzinfo=UTC)
    conversation = Conversation(ScriptedTools(an_employee(laptop)), now=now)

    outcome = await conversation.say("I need a new laptop")

    assert where(outcome) == (("pick", "choice") if eligible else ("offer_exception", "confirmation"))


@pytest.mark.parametrize("gap", [{"purchase_date": None}, {"laptop_class": "mainframe"}, {"purchase_date": "long ago"}])
async def test_records_with_gaps_are_never_decided_by_guessing(gap):
    conversation = Conversation(ScriptedTools(an_employee(a_laptop(**gap))))

    outcome = await conversation.say("I need a new laptop")

    assert [choice["id"] for choice in outcome.envelope["choices"]] == ["human", "stop"]
    assert "A person can." in outcome.content


async def test_a_person_with_two_laptops_says_which():
    employee = an_employee(a_laptop(), a_laptop(model="XPS 13", serial_number="SN-2", asset_tag="DL0002"))
    conversation = Conversation(ScriptedTools(employee))

    asked = await conversation.say("I need a new laptop")
    outcome = await conversation.say("the XPS")

    assert where(asked) == ("current_laptop", "choice")
    assert where(outcome) == ("pick", "choice")
    assert "XPS 13 (asset DL0002)" in outcome.content


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param(ScriptedTools(script={LOOK_UP: [ToolRefused("no such employee")]}), id="unknown employee"),
        pytest.param(ScriptedTools(an_employee(laptops=[])), id="no laptop"),
        pytest.param(ScriptedTools(an_employee(region="MOON")), id="no models for the region"),
    ],
)
async def test_what_the_records_do_not_cover_goes_to_a_person(tools):
    conversation = Conversation(tools)

    outcome = await conversation.say("I need a new laptop")

    assert outcome.envelope["mode"] == "human"
    assert outcome.handoff is not None
    assert tools.orders == []


async def test_after_a_no_another_model_can_be_chosen():
    conversation = Conversation()

    declined = await conversation.hear(*TO_THE_SUMMARY, "no")
    again = await conversation.say("another model")
    await conversation.hear("the Fujitsu", "yes")

    assert where(declined) == ("after_no", "choice")
    assert where(again) == ("pick", "choice")
    assert conversation.tools.orders == ["emea-std-light"]


async def test_after_a_no_one_can_stop():
    conversation = Conversation()

    outcome = await conversation.hear(*TO_THE_SUMMARY, "no", "2")

    assert "nothing was ordered" in outcome.content
    assert conversation.tools.orders == []


async def test_my_laptop_is_shown_with_the_day_it_is_due():
    outcome = await Conversation().say("when is my laptop due?")

    assert "DL7420001" in outcome.content
    assert "2025-03-14" in outcome.content


async def test_all_models_of_the_region_are_listed():
    outcome = await Conversation().say("what laptops are available?")

    assert [code in outcome.content for code in ("emea-std-14", "emea-std-light", "emea-mac-air", "emea-wks-16")] == [
        True
    ] * 4
    assert "apac" not in outcome.content
